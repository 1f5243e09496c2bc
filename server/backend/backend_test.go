package backend

import (
	"testing"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

func TestMessageTypesAreNamed(t *testing.T) {
	for kind := TypeUnspecified; kind <= TypeAny; kind++ {
		if got := ParseMessageType(kind.String()); got != kind {
			t.Errorf("%v is read as %v", kind, got)
		}
	}
	for _, name := range []string{"", "normal", "SOMETHING"} {
		if got := ParseMessageType(name); got != TypeUnspecified {
			t.Errorf("%q is read as %v", name, got)
		}
	}
}

// TestReset keeps memory and nothing else, and gives the bytes back.
func TestReset(t *testing.T) {
	live := pool.Live()
	var s Send
	s.Payload.Append(pool.Copied([]byte("body")))
	s.Messages = append(s.Messages, Message{Properties: []byte("p")})
	s.TransactionID, s.RecallHandle = append(s.TransactionID, "tx"...), append(s.RecallHandle, "r"...)
	s.Shard, s.Offset, s.Fault = []byte("s"), 9, Fault{Kind: Busy}
	s.Reset()
	if s.Payload.Len() != 0 || len(s.Messages)+len(s.TransactionID)+len(s.RecallHandle) != 0 || s.Shard != nil || s.Offset != 0 || !s.Fault.OK() {
		t.Errorf("%+v", s)
	}
	if cap(s.Messages) == 0 || s.Messages[:1][0].Properties != nil || cap(s.TransactionID) == 0 {
		t.Errorf("the memory is not kept, or keeps what it held: %+v", s.Messages[:1])
	}

	var p Pop
	p.Body.Append(pool.Copied([]byte("records")))
	p.NextMessage().QueueOffset = 7
	p.NextMessage().HandleTo = copy(append(p.Handles, make([]byte, 6)...), "handle")
	p.Handles = append(p.Handles, "handle"...)
	if got := string(p.Handle(&p.Messages[1])); got != "handle" {
		t.Errorf("handle %q", got)
	}
	p.Outcome, p.FIFO = PopFull, true
	p.Reset()
	if p.Body.Len() != 0 || len(p.Messages)+len(p.Handles) != 0 || p.Outcome != PopFound || p.FIFO || cap(p.Messages) < 2 {
		t.Errorf("%+v", p)
	}

	c := ChangeInvisible{NewHandle: []byte("h"), Known: true}
	c.Reset()
	a := Ack{Known: true}
	a.Reset()
	d := DeadLetter{MessageID: []byte("m")}
	d.Reset()
	if len(c.NewHandle) != 0 || cap(c.NewHandle) == 0 || c.Known || a.Known || d.MessageID != nil {
		t.Errorf("%+v %+v %+v", c, a, d)
	}
	if left := pool.Live() - live; left != 0 {
		t.Errorf("%d buffers were not released", left)
	}
}

type owner struct{}

func (owner) EndTurn(time.Time) {}
func (owner) Tick(time.Time)    {}
func (owner) Due() time.Time    { return time.Time{} }

type event func()

func (e event) OnTurn(time.Time) { e() }

// TestExchangesComeHome from outside any turn, and from another one.
func TestExchangesComeHome(t *testing.T) {
	here, there, came := turn.New(owner{}), turn.New(owner{}), make(chan struct{})
	x := Exchange{Home: here, Then: event(func() { came <- struct{}{} })}
	x.End(Fault{Kind: Timeout})
	<-came
	if x.Fault.OK() {
		t.Error("the fault is lost")
	}
	there.Post(event(func() { x.Reply(there) }))
	<-came
}

// TestResetPull keeps memory and nothing else.
func TestResetPull(t *testing.T) {
	live := pool.Live()
	carrier := new(int)
	p := Pull{Carrier: carrier, Offset: 7, Next: 8, SQL: true, Outcome: PullFull}
	p.Body.Append(pool.Copied([]byte("records")))
	p.NextMessage().QueueOffset = 7
	if p.NextMessage().QueueOffset = 8; p.Messages[0].QueueOffset != 7 || len(p.Messages) != 2 {
		t.Errorf("%+v", p.Messages)
	}
	p.Reset()
	if p.Body.Len() != 0 || len(p.Messages) != 0 || cap(p.Messages) < 2 || p.Carrier != any(carrier) || p.Outcome != PullFound || p.Offset+p.Next != 0 || p.SQL {
		t.Errorf("%+v", p)
	}
	if left := pool.Live() - live; left != 0 {
		t.Errorf("%d buffers were not released", left)
	}
}
