package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// orderly is a group that consumes each message group in order.
var orderly = cluster.Group{Orderly: true, RetryMax: 16, RestsMs: []int64{1000}}

// sendGroups sends count messages in turn to message groups a, b, c, …: message i is of group
// i%groups.
func sendGroups(t talk, topic string, groups, count int) {
	t.Helper()
	series := small()
	for i := range count {
		t.must("send", "topic", topic, "seed", series.Seed, "most", series.BytesMost, "index", i,
			"messagegroup", groupName(i%groups))
	}
}

func groupName(i int) string { return string(rune('a' + i)) }

// inOrder checks that each message group came in the order it was sent in.
func inOrder(t talk, all []received, groups int) {
	t.Helper()
	last := map[string]int{}
	for _, m := range all {
		if m.group != groupName(m.index%groups) {
			t.Errorf("message %d came in message group %q, want %q", m.index, m.group, groupName(m.index%groups))
		}
		if before, is := last[m.group]; is && before >= m.index {
			t.Errorf("message group %s: message %d came after %d; all: %v", m.group, m.index, before, brief(all))
		}
		last[m.group] = m.index
	}
}

func brief(all []received) (texts []string) {
	for _, m := range all {
		texts = append(texts, fmt.Sprintf("%s%d/%d", m.group, m.index, m.attempt))
	}
	return texts
}

// numbered is brief with the attempts as they came: a message that the Python client tries again in
// place keeps the attempt that it was delivered with.
func numbered(all []received) []string {
	times := map[int]int{}
	all = slices.Clone(all)
	for i, m := range all {
		times[m.index]++
		all[i].attempt = times[m.index]
	}
	return brief(all)
}

// TestFIFOKeepsTheOrderOfEachMessageGroup with a simple consumer that takes what there is.
func TestFIFOKeepsTheOrderOfEachMessageGroup(t *testing.T) {
	eachClientTogether(t, "FIFO: simple consumer", func(t talk) {
		const groups, count = 3, 18
		name, group := t.topic("FIFO"), t.makeGroup(t.T, orderly)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		sendGroups(t, name, groups, count)
		var all []received
		for deadline := time.Now().Add(time.Minute); len(all) < count && time.Now().Before(deadline); {
			got, _ := t.receive(group, 4, 30*time.Second)
			for _, m := range got {
				t.must("ack", "group", group, "id", m.id)
			}
			all = append(all, got...)
		}
		if len(all) != count {
			t.Errorf("received %d of %d: %v", len(all), count, brief(all))
		}
		inOrder(t, all, groups)
	})
}

// TestFIFOBlockedGroup: while a message is out with a consumer none comes after it in its
// message group. On a real broker none comes after it in its whole queue; Local mode holds back
// its message group only.
func TestFIFOBlockedGroup(t *testing.T) {
	eachClientTogether(t, "FIFO: a blocked group", func(t talk) {
		name, group := t.makeTopic(t.T, "FIFO", 1), t.makeGroup(t.T, orderly)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		sendGroups(t, name, 2, 4) // a0 b1 a2 b3
		next := func() received {
			t.Helper()
			got, _ := t.receive(group, 1, 30*time.Second)
			if len(got) == 0 {
				return received{index: -1}
			}
			return got[0]
		}
		want := func(what string, m received, index int) {
			t.Helper()
			if m.index != index {
				t.Fatalf("%s: received message %d, want %d (-1: none)", what, m.index, index)
			}
		}
		a0 := next()
		for a0.index == -1 {
			a0 = next()
		}
		want("first", a0, 0)
		b1 := next()
		if t.local() {
			want("while a is out", b1, 1)
			want("while a and b are out", next(), -1)
			t.must("ack", "group", group, "id", a0.id)
		} else {
			want("while the queue is out", b1, -1)
			t.must("ack", "group", group, "id", a0.id)
			b1 = next()
			want("when the queue is free", b1, 1)
			t.must("ack", "group", group, "id", b1.id)
		}
		a2 := next()
		want("when a is free", a2, 2)
		t.must("ack", "group", group, "id", a2.id)
		if t.local() {
			t.must("ack", "group", group, "id", b1.id)
		}
		want("when b is free", next(), 3)
	})
}

func firsts(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(m string) bool { return !strings.HasSuffix(m, "/1") })
}

// TestFIFOPushRetriesInPlace: the listener fails each message once; its message group goes on
// only after the message was tried again. The Go client 5.1.4 does not wait for that within what
// it received at once (process_queue.go, eraseFifoMessage): there, the order of first attempts
// is kept, whoever it talks to.
func TestFIFOPushRetriesInPlace(t *testing.T) {
	eachClientTogether(t, "FIFO: push consumer, retry in place", func(t talk) {
		const groups, count = 2, 6
		name, group := t.topic("FIFO"), t.retryGroup(orderly)
		sendGroups(t, name, groups, count)
		t.must("listen", "group", group, "topic", name, "filter", "*", "fail", 1)
		all := t.messages(t.mustFor(time.Minute, "heard", "group", group, "count", 2*count, "for", 50*time.Second))
		if len(all) != 2*count {
			t.Errorf("the listener was called %d times, want %d: %v", len(all), 2*count, brief(all))
		}
		byGroup := map[string][]received{}
		for _, m := range all {
			byGroup[m.group] = append(byGroup[m.group], m)
		}
		for g, of := range byGroup {
			var want []string
			for i := range count {
				if groupName(i%groups) == g {
					want = append(want, fmt.Sprintf("%s%d/1", g, i), fmt.Sprintf("%s%d/2", g, i))
				}
			}
			heard := brief(of)
			switch t.kind.language {
			case "go":
				want, heard = firsts(want), firsts(heard)
			case "python":
				heard = numbered(of)
			}
			if !slices.Equal(heard, want) {
				t.Errorf("message group %s: heard %v, want %v; all: %v", g, heard, want, brief(of))
			}
		}
	}, pushes)
}
