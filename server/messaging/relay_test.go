package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/turn"
)

// operator is where the answers to questions come home.
type operator struct {
	home *turn.Turn
	came chan struct{}
}

func newOperator() *operator { return &operator{turn.New(owner{}), make(chan struct{}, relaysMax+1)} }

// OnTurn notes that an answer has come.
func (o *operator) OnTurn(time.Time) { o.came <- struct{}{} }

func (o *operator) exchange() backend.Exchange { return backend.Exchange{Home: o.home, Then: o} }

// stack is a question what the threads of a client do.
func (o *operator) stack(w *world, clientID, group string) *backend.RunningInfo {
	op := &backend.RunningInfo{Exchange: o.exchange(), Group: group, ClientID: clientID, Stack: true}
	w.fake.clients.RunningInfo(op)
	return op
}

// direct has a client work on a message.
func (o *operator) direct(w *world, clientID, group, body string) *backend.ConsumeDirectly {
	op := &backend.ConsumeDirectly{Exchange: o.exchange(), Group: group, ClientID: clientID}
	op.Body.Append(pool.Copied(message.AppendRecord(nil, &message.Record{
		Topic: []byte("orders"), QueueID: 2, Properties: encoded("UNIQ_KEY=ID1;color=red;"),
	}, []byte(body))))
	if records := message.NewReader(&op.Body); !records.Next(&op.Record) {
		w.Fatal(records.Err())
	}
	w.fake.clients.ConsumeDirectly(op)
	return op
}

// consumer is a push consumer with an open telemetry stream.
func (w *world) consumer(id, group string) (*peer, *callStream) {
	p := w.connect()
	c := p.open("Telemetry", "x-mq-client-id", id)
	settings := consumerSettings(apiv2.ClientType_PUSH_CONSUMER, group, "orders")
	settings.UserAgent = &apiv2.UA{Language: apiv2.Language_GOLANG, Version: "5.1.4"}
	c.send(telemetrySettings(settings), 0)
	c.told(1)
	return p, c
}

// last is the newest command on a telemetry stream.
func (c *callStream) last() *apiv2.TelemetryCommand {
	c.settle()
	all := c.commands()
	return all[len(all)-1]
}

// tells answers on a telemetry stream.
func (c *callStream) tells(nonce string, code apiv2.Code, text string, trace *string) {
	answer := &apiv2.TelemetryCommand{Status: &apiv2.Status{Code: code, Message: text}}
	answer.Command = &apiv2.TelemetryCommand_VerifyMessageResult{VerifyMessageResult: &apiv2.VerifyMessageResult{Nonce: nonce}}
	if trace != nil {
		answer.Command = &apiv2.TelemetryCommand_ThreadStackTrace{ThreadStackTrace: &apiv2.ThreadStackTrace{Nonce: nonce, ThreadStackTrace: trace}}
	}
	c.send(answer, 0)
}

// TestThreadsAreTold by the client that was asked and by nobody else.
func TestThreadsAreTold(t *testing.T) {
	w := newWorld(t)
	_, c := w.consumer("a", "readers")
	_, stranger := w.consumer("b", "readers")
	o := newOperator()
	for i, want := range []struct {
		code  apiv2.Code
		text  string
		fault backend.Fault
	}{
		{apiv2.Code_OK, "", backend.Fault{}},
		{apiv2.Code_VERIFY_FIFO_MESSAGE_UNSUPPORTED, "no", backend.Fault{Kind: backend.NotSupported, Text: "forbidden to verify message"}},
		{apiv2.Code_UNSUPPORTED, "not here", backend.Fault{Kind: backend.Internal, Text: "verify message failed: not here"}},
		{apiv2.Code_INTERNAL_ERROR, "", backend.Fault{Kind: backend.Internal, Text: "verify message failed"}},
	} {
		op := o.stack(w, "a", "readers")
		nonce := c.last().GetPrintThreadStackTraceCommand().GetNonce()
		if nonce != fmt.Sprint(i) {
			t.Fatalf("the nonce is %q", nonce)
		}
		stranger.tells(nonce, apiv2.Code_OK, "", proto.String("lies"))
		c.tells(nonce+"0", apiv2.Code_OK, "", proto.String("of nothing"))
		c.tells(nonce, want.code, want.text, proto.String("main:"+strings.Repeat("é", threadsBytesMax)))
		<-o.came
		if op.Fault != want.fault {
			t.Errorf("%v: %+v, want %+v", want.code, op.Fault, want.fault)
		}
		if op.Fault.OK() && (!strings.HasPrefix(op.Threads, "main:é") || len(op.Threads) != threadsBytesMax-1) {
			t.Errorf("%d bytes: %.20q", len(op.Threads), op.Threads)
		}
		c.tells(nonce, apiv2.Code_OK, "", proto.String("once more")) // nobody asked
	}
}

// TestRunningInfo is what the settings said; nobody is asked for it.
func TestRunningInfo(t *testing.T) {
	w := newWorld(t)
	_, c := w.consumer("a", "readers")
	o := newOperator()
	op := &backend.RunningInfo{Exchange: o.exchange(), Group: "readers", ClientID: "a"}
	w.fake.clients.RunningInfo(op)
	<-o.came
	if got := w.fake.clients.Consumers("readers"); len(got) != 1 || got[0] != (backend.Consumer{ID: "a", Version: "GOLANG 5.1.4", Pushes: true}) {
		t.Errorf("%+v", got)
	}
	if got := w.fake.clients.Consumers("others"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	want := []backend.Subscription{{Topic: "orders", Expression: "*"}}
	if !op.Fault.OK() || !op.Pushes || op.Orderly || op.Version != "GOLANG 5.1.4" || fmt.Sprint(op.Subscriptions) != fmt.Sprint(want) || op.Threads != "" {
		t.Errorf("%+v", op)
	}
	c.told(1)
}

// TestConsumeDirectly shows the client the message as a receive would, and tells what became of
// it.
func TestConsumeDirectly(t *testing.T) {
	w := newWorld(t)
	_, c := w.consumer("a", "readers")
	o := newOperator()
	for code, want := range map[apiv2.Code]backend.Consumed{
		apiv2.Code_OK: backend.ConsumedWell, apiv2.Code_FAILED_TO_CONSUME_MESSAGE: backend.ConsumedLater,
		apiv2.Code_MESSAGE_CORRUPTED: backend.ConsumedCorrupted, apiv2.Code_NOT_IMPLEMENTED: backend.ConsumedFailed,
	} {
		op := o.direct(w, "a", "readers", "hello")
		command := c.last().GetVerifyMessageCommand()
		m := command.GetMessage()
		if string(m.GetBody()) != "hello" || m.GetSystemProperties().GetMessageId() != "ID1" || m.GetUserProperties()["color"] != "red" || m.GetTopic().GetName() != "orders" {
			t.Fatalf("shown %v", m)
		}
		c.tells(command.GetNonce(), code, "said so", nil)
		<-o.came
		if !op.Fault.OK() || op.Outcome != want || op.Remark != "from gRPC client: said so" {
			t.Errorf("%v: %+v", code, op)
		}
	}
	// An answer to another question is none.
	op := o.direct(w, "a", "readers", "hello")
	c.tells(c.last().GetVerifyMessageCommand().GetNonce(), apiv2.Code_OK, "", proto.String("main"))
	<-o.came
	if op.Outcome != backend.ConsumedFailed {
		t.Errorf("%+v", op)
	}
}

// TestNobodyAnswers: who is not there, goes away or is silent.
func TestNobodyAnswers(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.RelayTimeout = 10 * time.Millisecond })
	w.fake.knowGroup(&backend.Group{Name: "others", Exists: true})
	_, silent := w.consumer("silent", "readers")
	o := newOperator()
	fails := func(what string, f *backend.Fault, kind backend.Kind, text string) {
		t.Helper()
		<-o.came
		if f.Kind != kind || !strings.Contains(f.Text, text) {
			t.Errorf("%s: %+v", what, f)
		}
	}
	fails("nobody", &o.stack(w, "nobody", "readers").Fault, backend.Internal, "not connected")
	fails("another group", &o.stack(w, "silent", "others").Fault, backend.Internal, "not connected")
	fails("nobody, directly", &o.direct(w, "nobody", "readers", "hello").Fault, backend.Internal, "not connected")
	fails("a silent one", &o.stack(w, "silent", "readers").Fault, backend.Timeout, "call remote timeout")
	fails("a silent one, directly", &o.direct(w, "silent", "readers", "hello").Fault, backend.Timeout, "call remote timeout")
	silent.settle()
	silent.halfClose()
	fails("one whose stream has ended", &o.stack(w, "silent", "readers").Fault, backend.Internal, "not connected")
}

// TestAskedClientGoes between the question and the answer, and between the question and the
// stream.
func TestAskedClientGoes(t *testing.T) {
	w := newWorld(t)
	_, c := w.consumer("a", "readers")
	o := newOperator()
	op := o.stack(w, "a", "readers")
	c.last()
	c.cancel()
	if <-o.came; !strings.Contains(op.Fault.Text, "went away") {
		t.Errorf("%+v", op.Fault)
	}
	p, _ := w.consumer("b", "readers")
	var late *backend.ConsumeDirectly
	onTurn(p.turn, func() {
		late = o.direct(w, "b", "readers", "hello")
		p.client.Close(nil)
		p.closed = true
	})
	if <-o.came; late.Fault.OK() {
		t.Error("nobody answered")
	}
}

// TestQuestionsAreBounded, and end with the service.
func TestQuestionsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.consumer("a", "readers")
	o := newOperator()
	var all []*backend.RunningInfo
	for range relaysMax {
		all = append(all, o.stack(w, "a", "readers"))
	}
	if one := o.stack(w, "a", "readers"); one.Fault.Kind != backend.Busy || !strings.Contains(one.Fault.Text, "1024") {
		t.Errorf("%+v", one.Fault)
	}
	<-o.came
	<-w.Drain()
	for range all {
		<-o.came
	}
	for _, op := range all {
		if !strings.Contains(op.Fault.Text, "shutting down") {
			t.Fatalf("%+v", op.Fault)
		}
	}
	if one := o.stack(w, "a", "readers"); one.Fault.OK() {
		t.Error("it was taken after the end")
	}
}
