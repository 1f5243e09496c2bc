package link

import (
	"errors"
	"net"
	"testing"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

// lane is the owner of a turn that outlives its links.
type lane struct{ link *Link }

func (l *lane) EndTurn(now time.Time) {
	if l.link != nil {
		l.link.EndTurn(now)
	}
}
func (l *lane) Tick(time.Time)     {}
func (l *lane) Due() (t time.Time) { return t }

func do(t *turn.Turn, what func()) {
	did := make(chan struct{})
	t.Post(act(func() { defer close(did); what() }))
	<-did
}

// A dialled link talks, ends, and leaves its turn to the next one.
func TestDial(t *testing.T) {
	p := serve(t, DefaultLimits(), nil)
	owner := &lane{}
	home := turn.New(owner)
	for range 3 {
		e := newEcho()
		e.mute = true
		l, err := Dial(p.Addr().String(), patience, home, e, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		e.link = l
		do(home, func() { owner.link = l })
		e.say([]byte("hello"), noise(100_000))
		far := p.accepted()
		eventually(t, "the echo was heard", func() bool {
			fed, _ := e.look()
			return fed == len("hello")+100_000
		})
		far.link.Close(errTestOver)
		if cause := p.causeOf(e); !errors.Is(cause, ErrPeerClosed) {
			t.Errorf("closed for %v", cause)
		}
		if l.RemoteAddr != p.Addr().String() {
			t.Errorf("dialled %s, the link says %s", p.Addr(), l.RemoteAddr)
		}
	}
	p.end()
	eventually(t, "all buffers released", func() bool { return pool.Live() == 0 })
}

func TestDialNobody(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	e := newEcho()
	l, err := Dial(addr, patience, turn.New(&lane{}), e, DefaultLimits())
	if l != nil || err == nil {
		t.Errorf("dialled a closed port: %v, %v", l, err)
	}
	if _, err := Dial("nowhere", patience, turn.New(&lane{}), e, DefaultLimits()); err == nil {
		t.Error("dialled an address that is none")
	}
	if len(e.causes) > 0 {
		t.Error("a machine that was never linked was closed")
	}
}

// Who is closed before the dial is told to the lane is gone all the same.
func TestDialAndLose(t *testing.T) {
	p := serve(t, DefaultLimits(), nil)
	owner := &lane{}
	home := turn.New(owner)
	for range 50 {
		e := newEcho()
		l, err := Dial(p.Addr().String(), patience, home, e, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		l.Close(errTestOver)
		if cause := p.causeOf(e); !errors.Is(cause, errTestOver) {
			t.Errorf("closed for %v", cause)
		}
	}
}
