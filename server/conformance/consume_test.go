package conformance

import (
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/client"
)

// sendSmall sends the first messages of a series, in their order.
func sendSmall(t talk, topic string, count int) map[int]string {
	t.Helper()
	series := small()
	ids := map[int]string{}
	for i := range count {
		ids[i] = t.must("send", "topic", topic, "seed", series.Seed, "most", series.BytesMost, "index", i).Text("id")
	}
	return ids
}

// collect receives until so many have come, and acks them. It fails when they
// do not come.
func collect(t talk, group string, count, batch int, ack bool) []received {
	t.Helper()
	var all []received
	for deadline := time.Now().Add(30 * time.Second); len(all) < count && time.Now().Before(deadline); {
		messages, _ := t.receive(group, batch, 30*time.Second)
		for _, m := range messages {
			if ack {
				t.must("ack", "group", group, "id", m.id)
			}
		}
		all = append(all, messages...)
	}
	if len(all) < count {
		t.Fatalf("received %d of %d: %+v", len(all), count, all)
	}
	return all
}

// TestReceiveGivesWhatWasSent compares one message in all its parts.
func TestReceiveGivesWhatWasSent(t *testing.T) {
	eachClientTogether(t, "normal: simple consumer", func(t talk) {
		name, group, series := t.topic("NORMAL"), freshName(t.T), small()
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		id := t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", 3).Text("id")
		got := collect(t, group, 1, 1, true)[0]
		want := received{id: id, topic: name, tag: "tag-3", fingerprint: series.At(3).Fingerprint(), index: 3, attempt: 1}
		got.at = time.Time{}
		if got != want {
			t.Errorf("received %+v, want %+v", got, want)
		}
	})
}

// TestReceiveInBatches asks for many at a time.
func TestReceiveInBatches(t *testing.T) {
	eachClientTogether(t, "normal: simple consumer", func(t talk) {
		const count = 40
		name, group := t.topic("NORMAL"), freshName(t.T)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		ids := sendSmall(t, name, count)
		seen := map[string]bool{}
		largest := 0
		for len(seen) < count {
			messages, _ := t.receive(group, 16, 30*time.Second)
			if len(messages) == 0 {
				t.Fatalf("received %d of %d, then nothing", len(seen), count)
			}
			if len(messages) > 16 {
				t.Errorf("asked for 16, received %d", len(messages))
			}
			largest = max(largest, len(messages))
			for _, m := range messages {
				if seen[m.id] || ids[m.index] != m.id {
					t.Errorf("message %d came twice or under another id: %+v", m.index, m)
				}
				seen[m.id] = true
				t.must("ack", "group", group, "id", m.id)
			}
		}
		if largest < 2 {
			t.Errorf("no receive had more than %d", largest)
		}
	})
}

// TestFilterByTagLeavesTheOthersOut: tags go round from tag-0 to tag-6.
func TestFilterByTagLeavesTheOthersOut(t *testing.T) {
	eachClientTogether(t, "filter by tag", func(t talk) {
		name, group := t.topic("NORMAL"), freshName(t.T)
		t.must("simple", "group", group, "topic", name, "filter", "tag-1 || tag-4", "await", pollAwait)
		sendSmall(t, name, 21)
		times := map[string]int{}
		for _, m := range collect(t, group, 6, 16, true) {
			times[m.tag]++
		}
		if len(times) != 2 || times["tag-1"] != 3 || times["tag-4"] != 3 {
			t.Errorf("received by tag: %v, want three of tag-1 and three of tag-4", times)
		}
		if more, _ := t.receive(group, 16, 30*time.Second); len(more) != 0 {
			t.Errorf("and more: %+v", more)
		}
	})
}

// TestInvisibleDurationBringsAMessageBack: unacknowledged, a message comes
// again when its time is up, as a second attempt; a changed duration counts
// from the change. The broker looks for such messages every few seconds.
func TestInvisibleDurationBringsAMessageBack(t *testing.T) {
	const short, reviveMost = 10 * time.Second, 12 * time.Second
	eachClientTogether(t, "retry: invisible time, change of it, attempts", func(t talk) {
		name, group := t.topic("NORMAL"), freshName(t.T)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		sendSmall(t, name, 2)
		first := map[int]received{}
		invisibleAt := time.Now()
		for _, m := range collect(t, group, 2, 16, false) {
			first[m.index] = m
		}
		t.must("change", "group", group, "id", first[0].id, "invisible", short)
		changed := time.Now()

		// Only the changed one comes again: the other was received for 30 s.
		var again []received
		for len(again) == 0 && time.Since(changed) < short+reviveMost {
			again, _ = t.receive(group, 16, 30*time.Second)
		}
		back := time.Since(changed)
		if len(again) != 1 || again[0].index != 0 || again[0].attempt != 2 || again[0].id != first[0].id {
			t.Fatalf("came back after %v: %+v, want message 0 as attempt 2", back, again)
		}
		if back < short-time.Second {
			t.Errorf("came back after %v, was invisible for %v", back, short)
		}
		t.must("ack", "group", group, "id", again[0].id)
		t.Logf("invisible for %v from the change, back after %v (%v after the receive)", short, back, time.Since(invisibleAt))
	}, changes)
}

// TestAckedMessageStaysAway: what was acknowledged does not come again, though
// the time it was invisible for is over.
func TestAckedMessageStaysAway(t *testing.T) {
	const short = 10 * time.Second
	eachClientTogether(t, "normal: acknowledged stays away", func(t talk) {
		name, group := t.topic("NORMAL"), freshName(t.T)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		sendSmall(t, name, 1)
		got, _ := t.receive(group, 1, short)
		for len(got) == 0 {
			got, _ = t.receive(group, 1, short)
		}
		t.must("ack", "group", group, "id", got[0].id)
		acked := time.Now()
		for time.Since(acked) < short+7*time.Second {
			if again, _ := t.receive(group, 1, short); len(again) != 0 {
				t.Fatalf("acknowledged, and back after %v: %+v", time.Since(acked), again)
			}
		}
	})
}

// TestUnknownTopicIsToldAsSuch: the client hears that the topic does not exist,
// not that something went wrong. Local mode makes it.
func TestUnknownTopicIsToldAsSuch(t *testing.T) {
	const topicNotFound = 40402
	eachClientTogether(t, "unknown topic", func(t talk) {
		series := small()
		_, err := t.ask("send", "topic", freshName(t.T), "seed", series.Seed, "most", series.BytesMost, "index", 0)
		if t.local() { // topics are made on first use there
			if err != nil {
				t.Errorf("sending to a topic that does not exist: %v", err)
			}
			return
		}
		if err == nil || client.Code(err) != topicNotFound && t.able(tellsWhy) {
			t.Errorf("sending to a topic that does not exist: %v, want code %d", err, topicNotFound)
		}
	})
}
