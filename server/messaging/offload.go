package messaging

import (
	"runtime"

	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/turn"
)

// newOffices leaves half of the processors to those who carry messages.
func newOffices() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

// Offload implements h2.Service: a goroutine does the work when there is room for it. A connection
// has one piece of work at most, so that no more wait than there are clients.
func (c *Client) Offload(w h2.Work) {
	offices := c.service.offices
	turn.Go(func() {
		offices <- struct{}{}
		w.Run()
		<-offices
		c.turn.Post(w)
	})
}
