package server_test

import (
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

// An inbox that is smaller than what the windows allow makes a client wait, and loses nothing.
func TestSmallInbox(t *testing.T) {
	w := start(t, func(c *config.Config) { c.Limits.InboxBytesMax = 16 << 10 })
	c := w.client("producer-1")
	c.queryRoute(apiv2.Code_OK, "orders")
	var sends []*rpc
	for range 4 {
		sends = append(sends, c.begin("SendMessage", sendRequest("orders", strings.Repeat("b", 1<<20)), patience))
	}
	for _, s := range sends {
		s.answers(&apiv2.SendMessageResponse{}, apiv2.Code_OK)
	}
}
