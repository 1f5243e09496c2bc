package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

// What is in flight when the proxy is told to end.
const (
	drainClients = 10
	drainPolls   = 50 // of each client
	drainSends   = 10
	drainHeld    = 10 // messages that one more client works on
	drainTimeMax = 5 * time.Second
)

const quietTopic = "quiet" // where nobody sends

// TestDrain: SIGTERM while 500 polls wait and 100 sends are with the broker, which answers them when
// the proxy has long been leaving. Nothing fails, what was lent goes back, and the proxy is gone
// soon.
func TestDrain(t *testing.T) {
	for _, transport := range []string{"cleartext", "TLS"} {
		t.Run(transport, func(t *testing.T) { drains(t, transport == "TLS") })
	}
}

func drains(t *testing.T, secure bool) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	fake.SetTopic(fakebroker.Topic{Name: quietTopic})
	broker := fake.Brokers[0]
	proxy := startInFront(t, fake, map[string]any{"adminListenAddr": "127.0.0.1:0"})
	d := &departing{crowd: &crowd{TB: t, door: make(chan struct{}, 32)}, addr: proxy.addr, secure: secure}
	t.Cleanup(d.close)
	proxy.saysOfItself(t, "ready", http.StatusOK, "ready")

	d.hold(t, drainHeld)
	var handedBack atomic.Int32
	broker.Control(200053, func(*fakebroker.Request) (fakebroker.Response, bool) {
		handedBack.Add(1)
		return fakebroker.Response{}, false
	})
	held := holdSends(broker)
	for range drainClients {
		d.begin(t)
	}
	const polls, sends = drainClients * drainPolls, drainClients * drainSends
	if !within(patience, func() bool { return broker.Waiting() == polls && held.sends.Load() == sends }) {
		t.Fatalf("%d polls and %d sends are with the broker", broker.Waiting(), held.sends.Load())
	}

	told := time.Now()
	proxy.signal(syscall.SIGTERM)
	d.polls.Wait() // they end although the sends do not
	polled := time.Since(told)
	proxy.saysOfItself(t, "ready", http.StatusServiceUnavailable, "draining")
	proxy.saysOfItself(t, "live", http.StatusOK, "live")
	if n := handedBack.Load(); n != 0 {
		t.Errorf("%d receipt handles went back while sends were in flight", n)
	}
	close(held.release)
	code := proxy.exit()
	took := time.Since(told)
	d.calls.Wait()

	t.Logf("%d of %d sends and %d of %d polls ended well, %d of %d clients were told to connect anew, %d of %d receipt handles went back; "+
		"the polls took %v, all of it %v, exit code %d", d.sent.Load(), sends, d.empty.Load(), polls, d.reconnects.Load(), drainClients+1,
		handedBack.Load(), drainHeld, polled.Round(time.Millisecond), took.Round(time.Millisecond), code)
	if d.sent.Load() != sends || d.empty.Load() != polls || d.reconnects.Load() != drainClients+1 || handedBack.Load() != drainHeld || d.failures.Load() > 0 {
		t.Errorf("not everything ended well, %d calls failed:\n%s", d.failures.Load(), proxy.output())
	}
	if code != 0 || took > drainTimeMax {
		t.Errorf("exit code %d after %v:\n%s", code, took, proxy.output())
	}
}

// TestSecondSignal: whoever asks twice does not want to wait, and is told so, whatever is in flight.
func TestSecondSignal(t *testing.T) {
	for first, second := range map[syscall.Signal]syscall.Signal{syscall.SIGTERM: syscall.SIGTERM, syscall.SIGINT: syscall.SIGINT} {
		t.Run(second.String(), func(t *testing.T) {
			fake := fakebroker.Start(t)
			fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
			held := holdSends(fake.Brokers[0])
			proxy := startInFront(t, fake, map[string]any{"grpcShutdownTimeSeconds": 3600})
			m := (&departing{crowd: &crowd{TB: t}, addr: proxy.addr}).member()
			defer m.close()
			var cut sync.WaitGroup
			defer cut.Wait()
			cut.Go(func() {
				if m.send(t.Context()) {
					t.Error("a send was answered that nobody has answered")
				}
			})
			if !within(patience, func() bool { return held.sends.Load() == 1 }) {
				t.Fatal("the send is not with the broker")
			}
			proxy.signal(first)
			if !within(patience, func() bool { return strings.Contains(proxy.output(), `"message":"draining`) }) {
				t.Fatalf("the first signal does nothing:\n%s", proxy.output())
			}
			told := time.Now()
			proxy.signal(second)
			if code, want := proxy.exit(), 128+int(second); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
			t.Logf("gone after %v", time.Since(told).Round(time.Millisecond))
			if said := proxy.output(); strings.Count(said, `"message":"a second signal: exiting at once`) != 1 || strings.Contains(said, "shut down") {
				t.Errorf("the log says\n%s", said)
			}
			close(held.release)
		})
	}
}

// TestDrainOutOfTime: neither a send nor a receipt handle that the broker does not answer keeps the
// proxy for longer than it may take.
func TestDrainOutOfTime(t *testing.T) {
	const most = 2 * time.Second
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	proxy := startInFront(t, fake, map[string]any{"grpcShutdownTimeSeconds": int(most.Seconds()), "brokerCallTimeoutMillis": 60_000})
	d := &departing{crowd: &crowd{TB: t, door: make(chan struct{}, 1)}, addr: proxy.addr}
	t.Cleanup(d.close)
	d.hold(t, 1)
	var asked atomic.Int32
	fake.Brokers[0].Control(200053, func(*fakebroker.Request) (fakebroker.Response, bool) {
		asked.Add(1)
		return fakebroker.Response{Silent: true}, true
	})
	held := holdSends(fake.Brokers[0])
	m := d.member()
	d.calls.Go(func() { m.send(t.Context()) })
	if !within(patience, func() bool { return held.sends.Load() == 1 }) {
		t.Fatal("the send is not with the broker")
	}
	told := time.Now()
	if code := proxy.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	took := time.Since(told)
	t.Logf("gone after %v", took.Round(time.Millisecond))
	if took > most+time.Second { // the machine may be busy
		t.Errorf("gone after %v:\n%s", took, proxy.output())
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d receipt handles went back", n)
	}
	close(held.release)
	d.calls.Wait()
}

// heldSends are sends that the broker does not answer before release is closed.
type heldSends struct {
	sends   atomic.Int32
	release chan struct{}
}

func holdSends(broker *fakebroker.Broker) *heldSends {
	held := &heldSends{release: make(chan struct{})}
	broker.Control(310, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		if r.Ext["b"] != crowdTopic {
			return fakebroker.Response{}, false
		}
		held.sends.Add(1)
		go func() {
			<-held.release
			r.Answer(fakebroker.Response{Ext: map[string]string{"msgId": "x", "queueId": "0", "queueOffset": "1"}})
		}()
		return fakebroker.Response{Silent: true}, true
	})
	return held
}

// departing are clients that have much under way when their proxy leaves.
type departing struct {
	*crowd
	addr   string
	secure bool
	all    []*member
	polls  sync.WaitGroup
	calls  sync.WaitGroup // all of them

	sent, empty, reconnects atomic.Int32 // calls that ended as they should
}

func (d *departing) member() *member {
	m := &member{
		crowd: d.crowd, id: fmt.Sprint("departing-", len(d.all)), group: fmt.Sprint("departing-", len(d.all)),
		honestClient: dialHonest(d.addr, d.secure),
	}
	m.http.Timeout = 0
	d.all = append(d.all, m)
	return m
}

func (d *departing) close() {
	for _, m := range d.all {
		m.close()
	}
}

// join opens a client's telemetry stream, on which it waits for the word to connect anew.
func (d *departing) join(t *testing.T) *member {
	m := d.member()
	said, say := io.Pipe()
	heard := m.join(t.Context(), said, say)
	if heard == nil {
		t.FailNow()
	}
	d.calls.Go(func() {
		defer say.Close()
		defer heard.close()
		var command apiv2.TelemetryCommand
		for {
			switch err := heard.next(&command); {
			case err == io.EOF && command.GetReconnectEndpointsCommand() != nil:
				d.reconnects.Add(1)
				return
			case err != nil:
				m.failed(t.Context(), "Telemetry", err)
				return
			}
		}
	})
	return m
}

// hold has one more client receive n messages, which it does not acknowledge.
func (d *departing) hold(t *testing.T, n int) {
	m := d.join(t)
	for range n {
		m.sendMessage(t)
		m.poll(t.Context())
	}
	if got := int(d.received.Load()); got != n {
		t.Fatalf("%d of %d messages were received", got, n)
	}
}

// begin has one more client send and poll.
func (d *departing) begin(t *testing.T) {
	m := d.join(t)
	for range drainPolls {
		d.polls.Add(1)
		d.calls.Go(func() {
			defer d.polls.Done()
			if m.pollsNothing(t) {
				d.empty.Add(1)
			}
		})
	}
	for range drainSends {
		d.calls.Go(func() {
			if m.send(t.Context()) {
				d.sent.Add(1)
			}
		})
	}
}

// pollsNothing polls, and tells whether the answer is that of an empty topic.
func (m *member) pollsNothing(t *testing.T) bool {
	answers := m.open(t.Context(), "ReceiveMessage", bytes.NewReader(grpcMessage(&apiv2.ReceiveMessageRequest{
		Group: &apiv2.Resource{Name: m.group}, MessageQueue: &apiv2.MessageQueue{Topic: &apiv2.Resource{Name: quietTopic}, Id: -1},
		BatchSize: 1, AutoRenew: true, LongPollingTimeout: durationpb.New(memberPoll),
	})))
	if answers == nil {
		return false
	}
	defer answers.close()
	var words []string
	for {
		var answer apiv2.ReceiveMessageResponse
		err := answers.next(&answer)
		switch {
		case errors.Is(err, io.EOF) && strings.Join(words, ", ") == "MESSAGE_NOT_FOUND no new message, time":
			return true
		case err != nil:
			m.failed(t.Context(), "ReceiveMessage", fmt.Errorf("%v, then %w", words, err))
			return false
		case answer.GetStatus() != nil:
			words = append(words, fmt.Sprint(answer.GetStatus().GetCode(), " ", answer.GetStatus().GetMessage()))
		case answer.GetDeliveryTimestamp() != nil:
			words = append(words, "time")
		default:
			words = append(words, "message")
		}
	}
}

// send sends one message, and tells whether it was taken.
func (m *member) send(ctx context.Context) bool {
	answers := m.open(ctx, "SendMessage", bytes.NewReader(grpcMessage(floodMessage())))
	if answers == nil {
		return false
	}
	defer answers.close()
	var answer apiv2.SendMessageResponse
	if err := answers.next(&answer); err != nil || answer.GetStatus().GetCode() != apiv2.Code_OK {
		m.failed(ctx, "SendMessage", fmt.Errorf("%v, %w", answer.GetStatus(), err))
		return false
	}
	return true
}

// saysOfItself checks what the admin port answers.
func (p *process) saysOfItself(t *testing.T, page string, code int, text string) {
	t.Helper()
	answer, err := http.Get("http://" + p.admin + "/" + page)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != code || !strings.HasPrefix(string(body), text) {
		t.Errorf("/%s: %s %q, %v; want %d %q", page, answer.Status, body, err, code, text)
	}
}
