package server_test

import (
	"strconv"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/config"
)

// A client that sends as much as its windows allow is served.
func TestLargeBodies(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		const all = 20
		body := strings.Repeat("0123456789abcdef", 256<<10)
		c := w.client("producer-1")
		var sends []*rpc
		for range all {
			sends = append(sends, c.begin("SendMessage", sendRequest("orders", body), patience))
		}
		for _, s := range sends {
			s.answers(&apiv2.SendMessageResponse{}, apiv2.Code_OK)
		}
		if n := len(w.broker.Messages("orders")); n != all {
			t.Errorf("%d messages were stored, %d were sent", n, all)
		}
	})
}

// The windows are smaller than what a connection may have waiting: a client that keeps to them
// is not closed, however long its turn is busy.
func TestWindowsFitTheInbox(t *testing.T) {
	for _, inbox := range []int{256 << 10, 1 << 20, 4 << 20, 64 << 20} {
		t.Run(strconv.Itoa(inbox), func(t *testing.T) {
			w := start(t, func(c *config.Config) { c.Limits.InboxBytesMax = inbox })
			c := w.client("producer-1")
			c.queryRoute(apiv2.Code_OK, "orders")
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.window > max(inbox*3/4, windowInitial) {
				t.Errorf("a window of %d, an inbox of %d", c.window, inbox)
			}
		})
	}
}
