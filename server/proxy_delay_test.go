package server_test

import (
	"net"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

// TestDelayByLevel: brokers that are told a level round up to it, in both modes, and the client
// gets the moment back that it asked for.
func TestDelayByLevel(t *testing.T) {
	byLevel := func(c *config.Config) { c.Message.ByLevel = true }
	for mode, start := range map[string]func(t *testing.T) *world{
		"cluster": func(t *testing.T) *world {
			w := start(t, byLevel)
			w.fake.SetTopic(fakebroker.Topic{Name: "later", Type: "DELAY"})
			return w
		},
		"local": func(t *testing.T) *world {
			t.Cleanup(func() { eventually(t, "all buffers released", func() bool { return pool.Live() == 0 }) })
			w := &world{TB: t, over: func(c net.Conn) net.Conn { return c }}
			w.proxy, w.log = startProxy(t, "", byLevel, func(c *config.Config) {
				c.Proxy.Mode, c.Local.StorePath = config.ModeLocal, t.TempDir()
			})
			return w
		},
	} {
		t.Run(mode, func(t *testing.T) {
			w := start(t)
			c := w.client("both")
			c.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "later"))
			begun := time.Now().Truncate(time.Millisecond) // as precisely as messages are stamped
			request := sendRequest("later", "hello")
			due := begun.Add(50 * time.Millisecond).Truncate(time.Millisecond)
			request.Messages[0].SystemProperties.DeliveryTimestamp = timestamppb.New(due)
			ask(c, "SendMessage", request, &apiv2.SendMessageResponse{}, apiv2.Code_OK)
			all := c.receives("later")
			if took := time.Since(begun); took < time.Second {
				t.Errorf("it came after %v, and level 1 is a second", took)
			}
			if got := all[0].GetSystemProperties().GetDeliveryTimestamp().AsTime(); len(all) != 1 || !got.Equal(due) {
				t.Errorf("%d came, due at %v, want %v", len(all), got, due)
			}
		})
	}
}
