package cli

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/local/catalog"
	"rocketmq-proxy/server/local/catalog/fakecatalog"
)

// fakeProxy is a proxy that answers what it is told to, in the test's own process.
type fakeProxy struct {
	testing.TB
	addr string
	// Answers are what is said to each method in turn, all messages of one call; the last repeats.
	answers map[string][][]proto.Message
	// ends is how calls of a method end: by default well.
	ends map[string]grpc.Status

	mu    sync.Mutex
	calls []string
	heads map[string]http.Header
	asked map[string][]proto.Message
}

var requests = map[string]func() proto.Message{
	"QueryRoute":              func() proto.Message { return new(apiv2.QueryRouteRequest) },
	"Telemetry":               func() proto.Message { return new(apiv2.TelemetryCommand) },
	"SendMessage":             func() proto.Message { return new(apiv2.SendMessageRequest) },
	"ReceiveMessage":          func() proto.Message { return new(apiv2.ReceiveMessageRequest) },
	"AckMessage":              func() proto.Message { return new(apiv2.AckMessageRequest) },
	"NotifyClientTermination": func() proto.Message { return new(apiv2.NotifyClientTerminationRequest) },
}

var fine = &apiv2.Status{Code: apiv2.Code_OK, Message: "OK"}

func route(permission apiv2.Permission, brokers ...string) *apiv2.QueryRouteResponse {
	r := &apiv2.QueryRouteResponse{Status: fine}
	for _, name := range brokers {
		for id := range int32(2) {
			r.MessageQueues = append(r.MessageQueues, &apiv2.MessageQueue{
				Topic: &apiv2.Resource{Name: "hello"}, Id: id, Permission: permission, Broker: &apiv2.Broker{Name: name},
			})
		}
	}
	return r
}

// startFake starts a proxy that takes everything and has nothing.
func startFake(t *testing.T, secure bool) *fakeProxy {
	t.Helper()
	f := &fakeProxy{TB: t, heads: make(map[string]http.Header), asked: make(map[string][]proto.Message), ends: make(map[string]grpc.Status)}
	f.answers = map[string][][]proto.Message{
		"QueryRoute":              {{route(apiv2.Permission_READ_WRITE, "a")}},
		"Telemetry":               {{&apiv2.TelemetryCommand{Status: fine, Command: &apiv2.TelemetryCommand_Settings{Settings: &apiv2.Settings{}}}}},
		"SendMessage":             {{&apiv2.SendMessageResponse{Status: fine, Entries: []*apiv2.SendResultEntry{{Status: fine, MessageId: "ID", Offset: 7, RecallHandle: "back"}}}}},
		"ReceiveMessage":          {{&apiv2.ReceiveMessageResponse{Content: &apiv2.ReceiveMessageResponse_Status{Status: &apiv2.Status{Code: apiv2.Code_MESSAGE_NOT_FOUND, Message: "no new message"}}}}},
		"AckMessage":              {{&apiv2.AckMessageResponse{Status: fine}}},
		"NotifyClientTermination": {{&apiv2.NotifyClientTerminationResponse{Status: fine}}},
	}
	server := httptest.NewUnstartedServer(f)
	server.EnableHTTP2 = true
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.Protocols.SetHTTP2(true)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	f.addr = server.Listener.Addr().String()
	return f
}

// ServeHTTP implements http.Handler.
func (f *fakeProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := path.Base(r.URL.Path)
	f.mu.Lock()
	f.calls = append(f.calls, method)
	f.heads[method] = r.Header
	answers := f.answers[method]
	turn := answers[0]
	if len(answers) > 1 {
		f.answers[method] = answers[1:]
	}
	end := f.ends[method]
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/grpc")
	flush := w.(http.Flusher).Flush
	if method == "Telemetry" {
		flush() // as the proxy does, before anything was said
	}
	message := requests[method]()
	if !f.read(r.Body, message) {
		return
	}
	f.mu.Lock()
	f.asked[method] = append(f.asked[method], message)
	f.mu.Unlock()
	for _, m := range turn {
		encoded, err := encode(m)
		if err != nil {
			f.Error(err)
		}
		_, _ = w.Write(encoded)
		flush()
	}
	if method == "Telemetry" && end.Code == grpc.OK {
		_, _ = io.Copy(io.Discard, r.Body) // until the client ends
	}
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", string(grpc.AppendMessage(nil, itoa(end.Code))))
	if end.Message != "" {
		w.Header().Set(http.TrailerPrefix+"Grpc-Message", string(grpc.AppendMessage(nil, end.Message)))
	}
}

func itoa(c grpc.Code) string {
	const digits = "0123456789"
	if c < 10 {
		return digits[c : c+1]
	}
	return "1" + digits[c-10:c-9]
}

func (f *fakeProxy) read(body io.Reader, into proto.Message) bool {
	var prefix [grpc.PrefixBytes]byte
	if _, err := io.ReadFull(body, prefix[:]); err != nil {
		return false
	}
	text := make([]byte, grpc.ParsePrefix(prefix[:]).Length)
	if _, err := io.ReadFull(body, text); err != nil {
		return false
	}
	if err := proto.Unmarshal(text, into); err != nil {
		f.Error(err)
	}
	return true
}

func (f *fakeProxy) callsMade() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}

// last is the newest request of a method.
func last[M proto.Message](f *fakeProxy, method string) M {
	f.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.asked[method]
	if len(all) == 0 {
		f.Fatalf("%s was never called; %v", method, f.calls)
	}
	return all[len(all)-1].(M)
}

// said is what a subcommand said.
type said struct {
	code     int
	out, err string
}

// run runs a subcommand.
func run(t *testing.T, w *World, args ...string) said {
	t.Helper()
	return runIn(t.Context(), w, args...)
}

func runIn(ctx context.Context, w *World, args ...string) said {
	var out, errs bytes.Buffer
	if w == nil {
		w = &World{}
	}
	w.Program, w.Stdout, w.Stderr = "bin/rocketmq-proxy", &out, &errs
	if w.Environment.Home == "" {
		w.Environment = config.Environment{Home: "/nowhere", Host: "h", Addr: "10.1.2.3"}
	}
	return said{Run(ctx, args, w), out.String(), errs.String()}
}

// stopped is the world around a store that no process has, in a directory that is not empty.
func stopped(t *testing.T, store *fakecatalog.Fake) (w *World, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "CURRENT"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w = &World{
		Environment: config.Environment{Home: "/nowhere", Host: "h", Addr: "10.1.2.3", Data: dir},
		OpenStore:   func(config.Config) (catalog.Store, error) { return store, nil },
	}
	return w, dir
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

const patience = 30 * time.Second
