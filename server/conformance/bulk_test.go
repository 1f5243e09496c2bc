package conformance

import (
	"os"
	"strconv"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/client"
	"rocketmq-proxy/server/conformance/content"
)

// The row of messages that each client sends and receives: CONFORMANCE_MESSAGES
// of them (10,000), 64 in flight, with bodies of 1 byte to exactly 4 MiB. The
// sizes are those of content.Series.Size: 14 KB in the mean, so 10,000 messages
// are 140 MB for each client, and 560 MB for the four.
const (
	bulkMessages = 10_000
	bulkInflight = 64
	bulkPatience = 3 * time.Minute
	bulkIdle     = 15 * time.Second // nothing came for that long: nothing will
	bulkTimeout  = 15 * time.Second // 64 bodies of any size share the wire with one another
)

// TestBulkArrivesByteForByte sends half of the messages to a topic that a push
// consumer reads and half to one that a simple consumer reads, while both are
// reading.
func TestBulkArrivesByteForByte(t *testing.T) {
	const feature = "bulk: 64 in flight, 1 byte to 4 MiB"
	for _, g := range the.targets {
		t.Run(g.name, func(t *testing.T) {
			for _, k := range kinds {
				k.requestTimeout = bulkTimeout
				t.Run(k.String(), func(t *testing.T) {
					the.table.enter(t, feature, g.name, k.String())
					k.must(t, feature, []ability{loads})
					bulk(startClient(t, g, k))
				})
			}
		})
	}
}

func bulk(t talk) {
	count := t.bulkCount() / 2
	series := content.Series{Seed: seed(), BytesMost: content.BodyBytesMax}
	pushed, polled := t.topic("NORMAL"), t.topic("NORMAL")
	group := freshName(t.T)
	of := func(more ...any) []any {
		return append([]any{"seed", series.Seed, "most", series.BytesMost, "count", count}, more...)
	}

	t.must("push", of("group", group+"-push", "topic", pushed, "filter", "*")...)
	t.must("simple", "group", group+"-simple", "topic", polled, "filter", "*", "await", 5*time.Second)
	for _, name := range []string{pushed, polled} {
		t.must("producer", "topic", name)
	}

	begin := time.Now()
	drained := make(chan client.Answer, 1)
	waits := []func(){
		func() {
			sent(t, t.mustFor(bulkPatience, "send-series", of("topic", pushed, "inflight", bulkInflight/2)...), count)
		},
		func() {
			sent(t, t.mustFor(bulkPatience, "send-series", of("topic", polled, "inflight", bulkInflight/2)...), count)
		},
		func() {
			drained <- t.mustFor(bulkPatience, "drain", of("group", group+"-simple", "inflight", 4, "idle", bulkIdle)...)
		},
	}
	together(t, waits...)
	arrived(t, "simple consumer", <-drained, count)
	arrived(t, "push consumer", t.mustFor(bulkPatience, "push-wait", "group", group+"-push", "idle", bulkIdle), count)
	took := time.Since(begin)
	bytes := 0
	for i := range count {
		bytes += 2 * series.Size(i)
	}
	t.Logf("%d messages, %d MB, sent and received in %.1f s: %.0f messages/s, %.0f MB/s each way",
		2*count, bytes/1e6, took.Seconds(), float64(2*count)/took.Seconds(), float64(bytes)/1e6/took.Seconds())
}

func sent(t talk, answer client.Answer, count int) {
	if answer.Int("sent") != count || answer.Int("failed") != 0 {
		t.Errorf("sent %d of %d, %d failed: %s", answer.Int("sent"), count, answer.Int("failed"), answer.Text("failure"))
	}
	t.Logf("sent %d in %v, the slowest in %v", answer.Int("sent"), answer.Millis("millis"), answer.Micros("slowest"))
}

func arrived(t talk, who string, answer client.Answer, count int) {
	if answer.Int("distinct") != count || answer.Int("duplicates") != 0 || answer.Int("faults") != 0 {
		t.Errorf("%s: %d distinct of %d, %d twice, %d damaged (%s), missing %q", who, answer.Int("distinct"), count,
			answer.Int("duplicates"), answer.Int("faults"), answer.Text("fault"), answer.All("missing"))
	}
	if failure := answer.Text("failure"); failure != "" {
		t.Errorf("%s: %s", who, failure)
	}
}

// together runs functions side by side, and ends the test when one of them did.
func together(t talk, all ...func()) {
	ended := make(chan bool, len(all))
	for _, f := range all {
		go func() {
			well := false
			defer func() { ended <- well }() // also after Fatal
			f()
			well = true
		}()
	}
	for range all {
		if !<-ended {
			t.FailNow()
		}
	}
}

func (g *target) bulkCount() int {
	n, err := strconv.Atoi(os.Getenv("CONFORMANCE_MESSAGES"))
	switch {
	case err == nil:
		return n
	case testing.Short():
		return bulkMessages / 10
	case g.local():
		return bulkMessages / 4 // it has to be over soon where there is only Go
	}
	return bulkMessages
}

// TestContentIsTheSameInAllLanguages is what the other tests stand on.
func TestContentIsTheSameInAllLanguages(t *testing.T) {
	eachClientTogether(t, "content is the same in all languages", func(t talk) {
		series := content.Series{Seed: 1<<63 + 12345, BytesMost: content.BodyBytesMax}
		for _, index := range []int{0, 1, 2, 3, 11, 1000, 4711} {
			got := t.must("fingerprint", "seed", series.Seed, "most", series.BytesMost, "index", index).Text("fingerprint")
			if want := series.At(index).Fingerprint(); got != want {
				t.Errorf("message %d has fingerprint %s, want %s", index, got, want)
			}
		}
	})
}
