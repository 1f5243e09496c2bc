package conformance

import (
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// TestPushGivesWhatWasSent compares messages in all their parts.
func TestPushGivesWhatWasSent(t *testing.T) {
	eachClientTogether(t, "normal: push consumer", func(t talk) {
		const count = 10
		name, group, series := t.topic("NORMAL"), freshName(t.T), small()
		t.must("listen", "group", group, "topic", name, "filter", "*")
		ids := map[int]string{}
		for i := range count {
			ids[i] = t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", i).Text("id")
		}
		all := t.messages(t.must("heard", "group", group, "count", count, "for", 25*time.Second))
		if len(all) != count {
			t.Errorf("heard %d of %d", len(all), count)
		}
		for _, m := range all {
			if m.id != ids[m.index] || m.fingerprint != series.At(m.index).Fingerprint() || m.attempt != 1 {
				t.Errorf("heard %+v, sent as %s", m, ids[m.index])
			}
		}
	}, pushes)
}

// TestPushRetriesWhatTheListenerFails: attempts are counted and rest between one another.
func TestPushRetriesWhatTheListenerFails(t *testing.T) {
	eachClientTogether(t, "retry: push consumer, listener fails", func(t talk) {
		const fails, rest = 2, time.Second
		name := t.topic("NORMAL")
		group := t.retryGroup(cluster.Group{RetryMax: 16, RestsMs: []int64{rest.Milliseconds()}})
		t.must("listen", "group", group, "topic", name, "filter", "*", "fail", fails)
		sendSmall(t, name, 1)
		all := t.messages(t.mustFor(2*time.Minute, "heard", "group", group, "count", fails+1, "for", time.Minute))
		if len(all) != fails+1 {
			t.Fatalf("the listener was called %d times, want %d: %+v", len(all), fails+1, all)
		}
		for i, m := range all {
			if m.attempt != i+1 || m.id != all[0].id || m.fingerprint != all[0].fingerprint {
				t.Errorf("call %d: %+v", i+1, m)
			}
			if i > 0 && m.at.Sub(all[i-1].at) < rest-50*time.Millisecond && t.able(rests) {
				t.Errorf("attempt %d came %v after the one before, want %v", m.attempt, m.at.Sub(all[i-1].at), rest)
			}
		}
		if more := t.messages(t.must("heard", "group", group, "count", fails+2, "for", 3*time.Second)); len(more) > fails+1 {
			t.Errorf("consumed, and heard again: %+v", more[fails+1:])
		}
		t.Logf("attempts came %v and %v after the one before", all[1].at.Sub(all[0].at), all[2].at.Sub(all[1].at))
	}, pushes)
}

// deadLetterOf reads the one dead letter of a group.
func (t talk) deadLetterOf(group, reader string, meanwhile func()) received {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		meanwhile()
		got, _ := t.receive(reader, 16, 30*time.Second)
		if len(got) > 0 {
			t.must("ack", "group", reader, "id", got[0].id)
			return got[0]
		}
	}
	t.Fatalf("group %s has no dead letter", group)
	return received{}
}

// TestPushGivesUpAfterTheMostAttempts, and the message is a dead letter, whole.
func TestPushGivesUpAfterTheMostAttempts(t *testing.T) {
	eachClientTogether(t, "dead letter: push consumer", func(t talk) {
		const retries = 1
		name, series := t.topic("NORMAL"), small()
		group := t.retryGroup(cluster.Group{RetryMax: retries, RestsMs: []int64{1000}})
		t.must("listen", "group", group, "topic", name, "filter", "*", "fail", 100)
		t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", 5)
		all := t.messages(t.mustFor(time.Minute, "heard", "group", group, "count", retries+1, "for", 40*time.Second))
		if len(all) != retries+1 {
			t.Fatalf("the listener was called %d times, want %d: %+v", len(all), retries+1, all)
		}
		reader := t.readsDeadLettersOf(group)
		dead := t.deadLetterOf(group, reader, func() {})
		if dead.fingerprint != series.At(5).Fingerprint() {
			t.Errorf("the dead letter is %+v, not what was sent", dead)
		}
		if all := t.messages(t.must("heard", "group", group, "count", 0, "for", 0)); len(all) != retries+1 {
			t.Errorf("the listener was called %d times in the end, want %d", len(all), retries+1)
		}
	}, pushes)
}

// TestSimpleGivesUpAfterTheMostAttempts: the message that nobody acknowledges is a dead letter.
func TestSimpleGivesUpAfterTheMostAttempts(t *testing.T) {
	eachClientTogether(t, "dead letter: simple consumer", func(t talk) {
		const retries = 1
		name, series := t.topic("NORMAL"), small()
		group := t.makeGroup(t.T, cluster.Group{RetryMax: retries, RestsMs: []int64{1000}})
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", 6)
		attempts := 0
		fail := func() {
			messages, _ := t.receive(group, 1, 10*time.Second)
			for _, m := range messages {
				if attempts++; m.attempt != attempts {
					t.Errorf("delivery %d is attempt %d", attempts, m.attempt)
				}
				if t.able(changes) { // or its time will be over
					t.must("change", "group", group, "id", m.id, "invisible", time.Second)
				}
			}
		}
		for deadline := time.Now().Add(time.Minute); attempts < retries+1 && time.Now().Before(deadline); {
			fail()
		}
		reader := ""
		dead := received{}
		for deadline := time.Now().Add(time.Minute); dead.id == "" && time.Now().Before(deadline); {
			fail()
			if reader == "" {
				reader = t.tryDeadLettersOf(group)
			}
			if reader != "" {
				if got, _ := t.receive(reader, 16, 30*time.Second); len(got) > 0 {
					dead = got[0]
				}
			}
		}
		if attempts != retries+1 {
			t.Errorf("delivered %d times, want %d", attempts, retries+1)
		}
		if dead.fingerprint != series.At(6).Fingerprint() {
			t.Errorf("the dead letter is %+v, not what was sent", dead)
		}
	})
}

// readsDeadLettersOf starts a simple consumer on a group's dead letters, whose topic is made
// with the first of them.
func (t talk) readsDeadLettersOf(group string) (reader string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if reader := t.tryDeadLettersOf(group); reader != "" {
			return reader
		}
	}
	t.Fatalf("group %s has no topic of dead letters", group)
	return ""
}

func (t talk) tryDeadLettersOf(group string) (reader string) {
	dead := "%DLQ%" + group
	if t.cluster != nil && !t.cluster.Routed(t.Context(), dead) {
		return "" // and the proxy shall not learn that there is none
	}
	reader = freshName(t.T)
	if _, err := t.ask("simple", "group", reader, "topic", dead, "filter", "*", "await", pollAwait); err != nil {
		t.Logf("reading %s: %v", dead, err)
		return ""
	}
	return reader
}
