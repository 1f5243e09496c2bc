package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"

	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/link"
	"rocketmq-proxy/server/turn"
)

func TestMain(m *testing.M) {
	grpclog.SetLoggerV2(judge{grpclog.NewLoggerV2(os.Stderr, os.Stderr, os.Stderr)})
	os.Exit(m.Run())
}

// running is the test whose case is running.
var running atomic.Pointer[testing.T]

// judge makes a failure of the test it is in of what would end the process: that is how grpc-go's
// cases say that something is wrong. Nothing else is worth a line.
type judge struct{ grpclog.LoggerV2 }

func (judge) Info(...any)             {}
func (judge) Infoln(...any)           {}
func (judge) Infof(string, ...any)    {}
func (judge) Warning(...any)          {}
func (judge) Warningln(...any)        {}
func (judge) Warningf(string, ...any) {}
func (judge) Fatal(words ...any)      { running.Load().Fatal(words...) }
func (judge) Fatalln(words ...any)    { running.Load().Fatal(words...) }
func (judge) Fatalf(format string, words ...any) {
	running.Load().Fatalf(format, words...)
}

// casePatience is how long a case may take; the soaks take theirs.
const casePatience = 30 * time.Second

// soakIterations is how many calls a soak makes, and none may fail.
const soakIterations = 1000

// channel connects a client.
type channel func(t *testing.T) *grpc.ClientConn

func onService(do func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption)) func(context.Context, *testing.T, channel) {
	return func(ctx context.Context, t *testing.T, open channel) {
		do(ctx, testgrpc.NewTestServiceClient(open(t)))
	}
}

// cases are those of grpc-go's client that need neither credentials of a cloud nor a balancer, by
// their names in the interoperability test descriptions.
var cases = []struct {
	name string
	run  func(ctx context.Context, t *testing.T, open channel)
}{
	{"empty_unary", onService(interop.DoEmptyUnaryCall)},
	{"large_unary", onService(interop.DoLargeUnaryCall)},
	{"client_streaming", onService(interop.DoClientStreaming)},
	{"server_streaming", onService(interop.DoServerStreaming)},
	{"ping_pong", onService(interop.DoPingPong)},
	{"empty_stream", onService(interop.DoEmptyStream)},
	{"cancel_after_begin", onService(interop.DoCancelAfterBegin)},
	{"cancel_after_first_response", onService(interop.DoCancelAfterFirstResponse)},
	{"timeout_on_sleeping_server", onService(interop.DoTimeoutOnSleepingServer)},
	{"status_code_and_message", onService(interop.DoStatusCodeAndMessage)},
	{"special_status_message", onService(interop.DoSpecialStatusMessage)},
	{"custom_metadata", onService(interop.DoCustomMetadata)},
	{"unimplemented_method", func(ctx context.Context, t *testing.T, open channel) { interop.DoUnimplementedMethod(ctx, open(t)) }},
	{"unimplemented_service", func(ctx context.Context, t *testing.T, open channel) {
		interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(open(t)))
	}},
	{"rpc_soak", func(ctx context.Context, t *testing.T, open channel) {
		conn := open(t)
		soak(ctx, t, func() (*grpc.ClientConn, func()) { return conn, func() {} })
	}},
	{"channel_soak", func(ctx context.Context, t *testing.T, open channel) {
		soak(ctx, t, func() (*grpc.ClientConn, func()) { conn := open(t); return conn, func() { conn.Close() } })
	}},
}

// soak makes large unary calls. What it says of each, on stderr, is kept for a failure.
func soak(ctx context.Context, t *testing.T, channelForTest func() (*grpc.ClientConn, func())) {
	t.Helper()
	said, err := os.CreateTemp(t.TempDir(), "soak-")
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = said
	defer func() {
		os.Stderr = stderr
		_ = said.Close()
		if text, _ := os.ReadFile(said.Name()); t.Failed() {
			for line := range strings.Lines(string(text)) {
				if !strings.HasSuffix(line, "succeeded\n") {
					t.Log(line)
				}
			}
		}
	}()
	interop.DoSoakTest(ctx, interop.SoakTestConfig{
		RequestSize: 271828, ResponseSize: 314159, PerIterationMaxAcceptableLatency: 10 * time.Second,
		OverallTimeout: 5 * time.Minute, NumWorkers: 4, Iterations: soakIterations, ChannelForTest: channelForTest,
	})
}

// sizes looks how many messages were compressed.
type sizes struct{ sent, received atomic.Int64 }

func (*sizes) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*sizes) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*sizes) HandleConn(context.Context, stats.ConnStats)                       {}

func (s *sizes) HandleRPC(_ context.Context, event stats.RPCStats) {
	switch m := event.(type) {
	case *stats.OutPayload:
		if m.CompressedLength < m.Length {
			s.sent.Add(1)
		}
	case *stats.InPayload:
		if m.CompressedLength < m.Length {
			s.received.Add(1)
		}
	}
}

// TestInterop runs every case in cleartext and over TLS, and with messages that are compressed both
// ways.
func TestInterop(t *testing.T) {
	zip := grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name))
	for name, way := range map[string]struct {
		secure bool
		option grpc.DialOption
	}{
		"cleartext": {false, grpc.EmptyDialOption{}},
		"TLS":       {true, grpc.EmptyDialOption{}},
		"gzip":      {false, zip},
	} {
		t.Run(name, func(t *testing.T) {
			var compressed sizes
			addr := serve(t, func(t *turn.Turn) h2.Service { return service{t} }, way.secure)
			secret := insecure.NewCredentials()
			if way.secure {
				secret = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
			}
			open := func(t *testing.T) *grpc.ClientConn {
				t.Helper()
				return connect(t, addr, secret, way.option, grpc.WithStatsHandler(&compressed))
			}
			passed := 0
			for _, c := range cases {
				if t.Run(c.name, func(t *testing.T) {
					running.Store(t)
					patience := casePatience
					if c.name == "rpc_soak" || c.name == "channel_soak" {
						patience = 6 * time.Minute
					}
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					c.run(ctx, t, open)
				}) {
					passed++
				}
			}
			if zips, back := compressed.sent.Load(), compressed.received.Load(); (zips > 0) != (name == "gzip") || (back > 0) != (zips > 0) {
				t.Errorf("%d messages were sent compressed, %d answers were", zips, back)
			}
			fmt.Printf("interop, %s: %d of %d cases, soaks of %d calls\n", name, passed, len(cases), soakIterations)
		})
	}
}

func connect(t *testing.T, addr string, secret credentials.TransportCredentials, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, append(options, grpc.WithTransportCredentials(secret))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// serve puts a service on a port.
func serve(t *testing.T, on func(*turn.Turn) h2.Service, secure bool) (addr string) {
	t.Helper()
	config := &h2.Config{Metadata: echoed}
	front := link.Front{
		Speaks: func(first []byte) link.Verdict {
			if first[0] != 'P' {
				return link.Never
			}
			return link.Yes
		},
		Reject:  func([]byte) []byte { return []byte("no") },
		Machine: func(l *link.Link) link.Machine { return h2.New(config, on(l.Turn()), time.Now()) },
	}
	if secure {
		shown := httptest.NewUnstartedServer(nil)
		shown.StartTLS()
		front.TLS = &tls.Config{Certificates: shown.TLS.Certificates, NextProtos: []string{"h2"}}
		shown.Close()
	}
	port, err := link.Listen("127.0.0.1:0", front, link.Limits{InboxBytesMax: 16 << 20, WriteTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(port.Close)
	return port.Addr().String()
}
