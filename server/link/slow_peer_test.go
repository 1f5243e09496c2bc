package link

import (
	"errors"
	"io"
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

// tooMuch is more than the kernel takes for a peer that does not read.
const tooMuch = 24 << 20

// stall has the machine say more than the kernel takes, in some views.
func stall(e *echo, body []byte) {
	var views [][]byte
	for len(body) > 0 {
		n := min(len(body), 300_000)
		views = append(views, body[:n])
		body = body[n:]
	}
	e.say(views...)
}

// A peer that stops reading does not block the turn, and the machine keeps what it has to say
// until the peer reads on.
func TestSlowPeer(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		conn, e := p.meet(over)
		want := noise(tooMuch)
		stall(e, want)

		e.onTurn(func() {}) // a later turn: the end of the one before has passed
		_, drains := e.look()
		for range 10 {
			e.say([]byte("and")) // returns: the turn has run
			write(t, conn, "?")  // and it still hears
		}
		eventually(t, "the questions were heard", func() bool {
			fed, _ := e.look()
			return fed == len("hello")+10
		})
		if _, now := e.look(); now != drains {
			t.Errorf("the machine was drained %d times while the peer was stuck", now-drains)
		}

		got := make([]byte, tooMuch)
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatal(err)
		}
		sameBytes(t, got, want)
		rest := make([]byte, 10*len("and?"))
		if _, err := io.ReadFull(conn, rest); err != nil {
			t.Fatal(err)
		}
		write(t, conn, "on we go")
		expect(t, conn, "on we go")
	})
}

// A peer that reads nothing for WriteTimeout is closed; what it was to be told is released.
func TestWriteTimeout(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, Limits{InboxBytesMax: 1 << 20, WriteTimeout: 100 * time.Millisecond}, nil)
		_, e := p.meet(over)
		stall(e, noise(tooMuch))
		if cause := p.causeOf(e); !errors.Is(cause, ErrSlowPeer) {
			t.Errorf("closed for %v", cause)
		}
		eventually(t, "the output was released", func() bool { return pool.Live() == 0 })
	})
}

// A peer that reads slowly but steadily takes longer than WriteTimeout for all of it, and is not
// closed: it never takes nothing for that long.
func TestSteadyPeer(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, Limits{InboxBytesMax: 1 << 20, WriteTimeout: 2 * time.Second}, nil)
		conn, e := p.meet(over)
		stall(e, noise(tooMuch))
		left := tooMuch
		for begun := time.Now(); time.Since(begun) < 3*time.Second; time.Sleep(100 * time.Millisecond) {
			n, err := io.CopyN(io.Discard, conn, 600<<10)
			if left -= int(n); err != nil {
				t.Fatalf("%v after %v", err, time.Since(begun))
			}
		}
		if _, err := io.CopyN(io.Discard, conn, int64(left)); err != nil {
			t.Fatal(err)
		}
	})
}
