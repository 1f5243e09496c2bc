package health

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/health"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/h2/h2test"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

// mounted is the service alone on a connection.
type mounted struct{ *Service }

func (m mounted) Open(s *h2.Stream) (h2.Handler, grpc.Status) {
	return m.Service.Open(string(s.Path()[len("/"+Name+"/"):]), turn.New(nil), s), grpc.Status{}
}

func (m mounted) Offload(h2.Work) { panic("nothing here is compressed") }

// hears opens a connection, says what the script says, and returns the frames on stream 1.
func hears(t *testing.T, svc *Service, script string) []string {
	t.Helper()
	blocks, err := h2test.Parse("feed BYTES \"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\"\nfeed SETTINGS\n" + script + "\n----\n")
	if err != nil {
		t.Fatal(err)
	}
	var in, out pool.Chain
	for _, step := range blocks[0].Steps {
		b, err := h2test.Encode(step)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(b)
	}
	conn := h2.New(&h2.Config{}, mounted{svc}, time.Unix(1000, 0))
	defer conn.Close(nil)
	if err := conn.Feed(time.Unix(1000, 0), &in); err != nil {
		t.Fatal(err)
	}
	conn.Drain(&out)
	defer out.Release()
	return slices.DeleteFunc(h2test.NewReader().Read(out.AppendTo(nil)), func(line string) bool {
		return !strings.Contains(line, "stream=1")
	})
}

func TestLeaving(t *testing.T) {
	svc := New("a.Service")
	svc.Shutdown()
	svc.Shutdown() // once more
	for name, want := range map[string]health.HealthCheckResponse_ServingStatus{
		"":          health.HealthCheckResponse_NOT_SERVING,
		"a.Service": health.HealthCheckResponse_NOT_SERVING,
		"b.Service": health.HealthCheckResponse_SERVICE_UNKNOWN,
	} {
		if got := svc.status(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
	got := hears(t, svc, "feed HEADERS stream=1 :path=/"+Name+"/Watch\nfeed DATA stream=1 end_stream message=\"\"")
	want := []string{
		"send HEADERS stream=1 :status=200 content-type=application/grpc",
		"send DATA stream=1 bytes=7",
		`send HEADERS stream=1 end_stream grpc-status=14 grpc-message="the server is shutting down"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A watch that is over is not kept.
func TestForgotten(t *testing.T) {
	svc := New()
	hears(t, svc, "feed HEADERS stream=1 :path=/"+Name+"/Watch\nfeed DATA stream=1 end_stream message=\"\"")
	if len(svc.watching) != 0 {
		t.Errorf("%d are kept", len(svc.watching))
	}
}
