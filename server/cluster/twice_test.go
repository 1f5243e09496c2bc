package cluster_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
	"rocketmq-proxy/server/turn"
)

// TestNothingIsSentTwice while a broker dies and comes back under the load of several connections:
// what was acknowledged is stored once, and what was not, at most once.
func TestNothingIsSentTwice(t *testing.T) {
	w, _ := threeBrokers(t, func(c *cluster.Config) {
		c.Faults.Detect, c.Faults.DetectEvery, c.Faults.DetectTimeout = true, time.Millisecond, patience
	})
	topic := w.topic("orders")
	var (
		running sync.WaitGroup
		over    atomic.Bool
		sent    atomic.Int64
		mu      sync.Mutex
		stored  = map[string]bool{} // by body: whether it was acknowledged
	)
	for client := range 4 {
		running.Go(func() {
			home := turn.New(owner{})
			for n := 0; !over.Load(); n++ {
				body := fmt.Sprint("client ", client, " message ", n)
				op, came := sends(topic, "", body), make(chan struct{})
				home.Post(event(func(now time.Time) {
					op.Exchange = backend.Exchange{Home: home, Then: event(func(time.Time) { close(came) }), Deadline: now.Add(patience)}
					w.Send(op, now)
				}))
				<-came
				op.Payload.Release()
				mu.Lock()
				stored[body] = op.Fault.OK()
				mu.Unlock()
				sent.Add(1)
			}
		})
	}
	dies := w.fake.Brokers[1]
	for range 5 {
		before := dies.Requests(310)
		w.eventually("the broker is sent to", func() bool { return dies.Requests(310) >= before+20 })
		dies.Stop()
		others := sent.Load()
		w.eventually("the others are sent to", func() bool { return sent.Load() >= others+100 })
		dies.Restart()
	}
	over.Store(true)
	running.Wait()
	count, failed := map[string]int{}, 0
	for _, b := range w.fake.Brokers {
		for _, body := range b.Messages("orders") {
			count[body]++
		}
	}
	for body, acknowledged := range stored {
		if n := count[body]; n > 1 || acknowledged && n != 1 {
			t.Errorf("%s: acknowledged %v, stored %d times", body, acknowledged, n)
		}
		if !acknowledged {
			failed++
		}
	}
	t.Logf("%d sends, %d failed", len(stored), failed)
}
