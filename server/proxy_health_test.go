package server_test

import (
	"sync"
	"testing"

	"rocketmq-proxy/codec/health"
)

const healthPath = "/grpc.health.v1.Health/"

// asksHealth makes a whole request about a service.
func (c *client) asksHealth(method, service string) *rpc {
	c.Helper()
	r := c.openPath(healthPath+method, 0)
	r.send(&health.HealthCheckRequest{Service: service}, true)
	return r
}

// says is the n-th status of a call.
func (r *rpc) says(n int, want health.HealthCheckResponse_ServingStatus) {
	r.Helper()
	got := &health.HealthCheckResponse{}
	r.message(n, got)
	if got.GetStatus() != want {
		r.Errorf("%s: status %d is %v, want %v", r.method, n, got.GetStatus(), want)
	}
}

func TestHealthCheck(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.client("balancer")
		for _, name := range []string{"", "apache.rocketmq.v2.MessagingService"} {
			got := &health.HealthCheckResponse{}
			c.asksHealth("Check", name).answer(got)
			if got.GetStatus() != health.HealthCheckResponse_SERVING {
				t.Errorf("%q: %v", name, got)
			}
		}
		if r := c.asksHealth("Check", "another"); r.status() != "5" || r.trailer["grpc-message"] != "unknown service" {
			t.Errorf("another: %v", r.trailer)
		}
		for _, path := range []string{healthPath + "List", healthPath + "Check/", "/grpc.health.v1.Health", "grpc.health.v1.Health/Check", "//grpc.health.v1.Health/Check"} {
			if got := c.openPath(path, 0).status(); got != "12" {
				t.Errorf("%s: %s", path, got)
			}
		}
		r := c.openPath(healthPath+"Check", 0)
		r.sendRaw([]byte{0, 0, 0, 0, 1, 0xff}, true)
		if got := r.status(); got != "13" {
			t.Errorf("malformed: %s", got)
		}
	})
}

// Who watches hears at once that the proxy leaves, and is no reason for it to stay.
func TestHealthWatch(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.client("balancer")
		whole, unknown := c.asksHealth("Watch", ""), c.asksHealth("Watch", "another")
		whole.says(0, health.HealthCheckResponse_SERVING)
		unknown.says(0, health.HealthCheckResponse_SERVICE_UNKNOWN)
		gone := c.asksHealth("Watch", "")
		gone.says(0, health.HealthCheckResponse_SERVING)
		gone.cancel()

		var down sync.WaitGroup
		down.Go(func() { shutdown(w.proxy, patience) })
		whole.says(1, health.HealthCheckResponse_NOT_SERVING)
		for _, r := range []*rpc{whole, unknown} {
			if got := r.status(); got != "14" {
				t.Errorf("%s: %s", r.method, got)
			}
		}
		if n := len(unknown.messages); n != 1 {
			t.Errorf("a service that is not known was told of %d times", n)
		}
		down.Wait()
	})
}
