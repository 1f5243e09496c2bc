package conformance

import (
	"slices"
	"testing"
	"time"
)

const (
	wakes      = 15
	wakeMedian = 100 * time.Millisecond
	// pollAwait is the least a proxy polls for; see the specification of ReceiveMessage.
	pollAwait = 5 * time.Second
	// pollEarlyMost: the broker calls a poll over 50 ms before its time, and the proxy leaves 100 ms to a
	// client whose deadline is as near.
	pollEarlyMost = 200 * time.Millisecond
)

// TestLongPollWakesWhenAMessageComes measures from the end of the send to the
// end of a receive that was waiting before it.
func TestLongPollWakesWhenAMessageComes(t *testing.T) {
	eachClient(t, "long poll: wakes when a message comes", func(t talk) {
		name, group, series := t.topic("NORMAL"), freshName(t.T), small()
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", 10*time.Second)
		t.must("producer", "topic", name)

		var took []time.Duration
		for i := range wakes {
			type result struct {
				messages []received
				at       time.Time
			}
			results := make(chan result, 1)
			go func() {
				messages, _ := t.receive(group, 1, time.Minute)
				results <- result{messages, time.Now()}
			}()
			// The receive has no event to await: it is in the broker's hands. A
			// poll that comes after the send would only make the answer faster.
			select {
			case r := <-results:
				t.Fatalf("receive on an empty topic came back with %d messages", len(r.messages))
			case <-time.After(150 * time.Millisecond):
			}
			t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", i)
			sent := time.Now()
			r := <-results
			if len(r.messages) != 1 || r.messages[0].index != i {
				t.Fatalf("receive %d woke with %+v", i, r.messages)
			}
			took = append(took, r.at.Sub(sent))
			t.must("ack", "group", group, "id", r.messages[0].id)
		}
		slices.Sort(took)
		median, longest := took[len(took)/2], took[len(took)-1]
		t.Logf("%d long polls woke %v after the send in the median, %v at most", wakes, median, longest)
		if median > wakeMedian {
			t.Errorf("long polls woke %v after the send in the median, want %v at most; all: %v", median, wakeMedian, took)
		}
	})
}

// TestLongPollOnAnEmptyTopicEndsInItsOwnTime waits out a whole poll.
func TestLongPollOnAnEmptyTopicEndsInItsOwnTime(t *testing.T) {
	eachClientTogether(t, "long poll: ends in its own time", func(t talk) {
		name, group := t.topic("NORMAL"), freshName(t.T)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		messages, took := t.receive(group, 1, time.Minute) // fails at anything but "no message"
		if len(messages) != 0 {
			t.Errorf("an empty topic had %+v", messages)
		}
		if took < pollAwait-pollEarlyMost || took > pollAwait+3*time.Second {
			t.Errorf("the poll took %v, want %v to %v", took, pollAwait, pollAwait+3*time.Second)
		}
		t.Logf("the poll took %v", took)
	})
}
