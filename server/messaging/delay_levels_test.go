package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

// TestDelayLevels: the first level that is longer, or the longest there is, beside the moment.
func TestDelayLevels(t *testing.T) {
	seconds := func(all ...int) (delays []time.Duration) {
		for _, s := range all {
			delays = append(delays, time.Duration(s)*time.Second)
		}
		return delays
	}
	for _, test := range []struct {
		levels []time.Duration
		left   time.Duration
		want   int
	}{
		{seconds(1, 5, 10), -24 * time.Hour, 1},
		{seconds(1, 5, 10), 0, 1},
		{seconds(1, 5, 10), 999 * time.Millisecond, 1},
		{seconds(1, 5, 10), time.Second, 2},
		{seconds(1, 5, 10), 4999 * time.Millisecond, 2},
		{seconds(1, 5, 10), 10 * time.Second, 3},
		{seconds(1, 5, 10), 24 * time.Hour, 3},
		{seconds(10, 1, 5), 2 * time.Second, 3}, // a table need not be in order
		{seconds(10, 1, 5), time.Minute, 1},
		{seconds(7), 24 * time.Hour, 1},
		{nil, 2 * time.Second, 0},
	} {
		w := newWorld(t, func(c *Config) { c.DelayLevels = test.levels })
		p := w.connect()
		due := w.now.Add(test.left)
		p.call("SendMessage", sendRequest(message1(system(func(s *apiv2.SystemProperties) { s.DeliveryTimestamp = stamp(due) }))))
		want := fmt.Sprintf(";TIMER_DELIVER_MS=%d;", due.UnixMilli())
		if test.want > 0 {
			want = fmt.Sprintf(";DELAY=%d%s", test.want, want)
		}
		got := readable(asked[*backend.Send](p, 0).Messages[0].Properties)
		if !strings.Contains(got, want) || test.want == 0 && strings.Contains(got, "DELAY=") {
			t.Errorf("%v of %v: %s, want %s", test.left, test.levels, got, want)
		}
		p.works()
	}
	w := newWorld(t, func(c *Config) { c.DelayLevels = seconds(1) })
	p := w.connect()
	p.call("SendMessage", sendRequest(message1(func(*apiv2.Message) {})))
	if got := readable(asked[*backend.Send](p, 0).Messages[0].Properties); strings.Contains(got, "DELAY") {
		t.Errorf("a message that is not scheduled: %s", got)
	}
	p.works()
}
