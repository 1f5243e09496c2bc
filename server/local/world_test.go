package local

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/store"
	"rocketmq-proxy/server/turn"
)

// The goroutines of turns wait for ever, a few of them.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("rocketmq-proxy/server/turn.(*crew).serve"))
}

// world is a Local on some file system, and one client of it.
type world struct {
	testing.TB
	*Local
	fs     vfs.FS
	config Config
	home   *turn.Turn
	heard  chan string // what was reported
	broken bool        // the store is expected to end with an error
}

// idle is the owner of the client's turn.
type idle struct{}

func (idle) EndTurn(time.Time) {}
func (idle) Tick(time.Time)    {}
func (idle) Due() time.Time    { return time.Time{} }

func newWorld(tb testing.TB, fs vfs.FS, change ...func(*Config)) *world {
	tb.Helper()
	w := &world{TB: tb, fs: fs, home: turn.New(idle{}), heard: make(chan string, 1000)}
	w.config = newWorldConfig(fs)
	w.config.Report = func(event string, err error) {
		select {
		case w.heard <- fmt.Sprint(event, ": ", err):
		default:
		}
	}
	for _, c := range change {
		c(&w.config)
	}
	live := pool.Live()
	w.open()
	tb.Cleanup(func() {
		w.close()
		if left := pool.Live() - live; left != 0 {
			tb.Errorf("%d buffers were not released", left)
		}
	})
	return w
}

func newWorldConfig(fs vfs.FS) Config {
	return Config{
		Store: store.Config{Dir: "store", FS: fs}, Broker: broker.DefaultConfig(), Sync: true, FlushInterval: 500 * time.Millisecond,
		AppendBytesMax: 64 << 20, BrokerName: "local",
	}
}

func (w *world) open() {
	w.Helper()
	l, err := New(w.config)
	if err != nil {
		w.Fatal(err)
	}
	w.Local = l
}

func (w *world) close() {
	if w.Local == nil {
		return
	}
	if err := w.Close(); (err != nil) != w.broken {
		w.Errorf("it ended with %v", err)
	}
	w.broken = false
	w.Local = nil
}

// restart ends the Local and opens its store again.
func (w *world) restart() {
	w.close()
	w.open()
}

// hears waits until something is reported that contains text.
func (w *world) hears(text string) {
	w.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case event := <-w.heard:
			if strings.Contains(event, text) {
				return
			}
		case <-deadline:
			w.Fatalf("nothing was reported of %q", text)
		}
	}
}

// do runs begin on the client's turn with an exchange, and waits until that has come home.
func (w *world) do(begin func(x backend.Exchange)) {
	w.Helper()
	done := make(chan struct{})
	w.home.Post(event(func(now time.Time) {
		begin(backend.Exchange{Home: w.home, Then: event(func(time.Time) { close(done) }), Deadline: now.Add(time.Minute)})
	}))
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		w.Fatal("the operation did not come home")
	}
}

func (w *world) topic(name string) *backend.Topic {
	w.Helper()
	if t := w.Topic([]byte(name), time.Now()); t != nil {
		return t
	}
	op := &backend.FetchTopic{Name: []byte(name)}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.FetchTopic(op, time.Now()) })
	if !op.Fault.OK() {
		w.Fatal(op.Fault)
	}
	return op.Found
}

// properties writes "name=value;" as it is stored.
func properties(text string) []byte {
	return []byte(strings.NewReplacer("=", "\x01", ";", "\x02").Replace(text))
}

// send sends one message; text are its properties.
func (w *world) send(topic, body, text string) *backend.Send {
	w.Helper()
	op := &backend.Send{Topic: w.topic(topic), Messages: []backend.Message{{BodyLen: len(body), Properties: properties("UNIQ_KEY=" + body + ";" + text)}}}
	op.Payload.Append(pool.Copied([]byte(body)))
	if strings.Contains(text, "TRAN_MSG=true") {
		op.Messages[0].SysFlag = message.FlagTransactionPrepared
	}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Send(op, time.Now()) })
	op.Payload.Release()
	return op
}

func (w *world) sends(topic, body, text string) {
	w.Helper()
	if op := w.send(topic, body, text); !op.Fault.OK() {
		w.Fatalf("%s: %v", body, op.Fault)
	}
}

// got is a message that was received.
type got struct {
	body   string
	times  int32
	handle string
}

func (w *world) pop(topic, group string, change ...func(*backend.Pop)) (all []got) {
	w.Helper()
	op := &backend.Pop{Topic: w.topic(topic), Group: []byte(group), MessagesMax: 32, Invisible: time.Minute}
	for _, c := range change {
		c(op)
	}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Pop(op, time.Now()) })
	if !op.Fault.OK() {
		w.Fatal(op.Fault)
	}
	for i := range op.Messages {
		m := &op.Messages[i]
		all = append(all, got{string(op.Body.AppendRange(nil, m.BodyOffset, m.BodyLen)), m.ReconsumeTimes, string(op.Handle(m))})
	}
	op.Reset()
	return all
}

func (w *world) delivery(topic, group string, g got) backend.Delivery {
	w.Helper()
	h, err := handle.Parse([]byte(g.handle))
	if err != nil {
		w.Fatal(err)
	}
	return backend.Delivery{Group: []byte(group), Topic: []byte(topic), HandleText: []byte(g.handle), Handle: h}
}

func (w *world) ack(topic, group string, g got) backend.Fault {
	w.Helper()
	op := &backend.Ack{Delivery: w.delivery(topic, group, g)}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Ack(op, time.Now()) })
	if op.Fault.OK() && !op.Known {
		w.Error("the broker does not know the delivery")
	}
	return op.Fault
}

func bodies(all []got) string {
	var list []string
	for _, g := range all {
		list = append(list, fmt.Sprintf("%s/%d", g.body, g.times))
	}
	return strings.Join(list, " ")
}

// wants checks what a pop gave.
func (w *world) wants(all []got, want string) {
	w.Helper()
	if bodies(all) != want {
		w.Errorf("got %q, want %q", bodies(all), want)
	}
}
