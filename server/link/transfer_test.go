package link

import (
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

// Whatever is sent comes back, in its order.
func TestEcho(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		conn, e := p.meet(over)
		for i := range 100 {
			text := "line " + strconv.Itoa(i)
			write(t, conn, text)
			expect(t, conn, text)
		}
		if e.link.RemoteAddr != conn.LocalAddr().String() || e.link.LocalAddr != conn.RemoteAddr().String() {
			t.Errorf("the link says %s to %s, the client %s to %s",
				e.link.RemoteAddr, e.link.LocalAddr, conn.LocalAddr(), conn.RemoteAddr())
		}
	})
}

// chopped sends every write in pieces of a size of its own.
type chopped struct {
	net.Conn
	size func() int
}

func (c chopped) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		var wrote int
		wrote, err = c.Conn.Write(b[:min(len(b), c.size())])
		n += wrote
		b = b[wrote:]
	}
	return n, err
}

// The chopping is below TLS, so that the handshake is chopped too.
func TestChopped(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, size := range map[string]func() int{
		"1 byte": func() int { return 1 },
		"random": func() int { return 1 + rng.IntN(997) },
	} {
		t.Run(name, func(t *testing.T) {
			overAll(t, func(t *testing.T, over transport) {
				p := serve(t, DefaultLimits(), nil)
				tcp := p.dialTCP()
				_ = tcp.SetNoDelay(true)
				var conn net.Conn = chopped{tcp, size}
				if over.tls != nil {
					conn = tls.Client(conn, over.tls)
				}
				want := noise(5000)
				go func() { _, _ = conn.Write(want) }()
				got := make([]byte, len(want))
				if _, err := io.ReadFull(conn, got); err != nil {
					t.Fatal(err)
				}
				sameBytes(t, got, want)
			})
		})
	}
}

// Much more than any buffer on the way, both ways at once.
func TestLarge(t *testing.T) {
	const size = 8 << 20
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		conn, _ := p.meet(over)
		want := noise(size)
		go func() { _, _ = conn.Write(want) }()
		got := make([]byte, size)
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatal(err)
		}
		sameBytes(t, got, want)
	})
}

// Views of all sizes in one write: more than go into one system call or one TLS record.
func TestManyViews(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		conn, e := p.meet(over)
		want := noise(4 << 20)
		var views [][]byte
		for rest, n := want, 1; len(rest) > 0; n = n*7%60_013 + 1 {
			n = min(n, len(rest))
			views = append(views, rest[:n])
			rest = rest[n:]
		}
		views = append(views, nil)
		for i := range 3000 { // thousands of tiny ones behind the others
			views = append(views, []byte{byte(i)})
			want = append(want, byte(i))
		}
		go e.say(views...)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatal(err)
		}
		sameBytes(t, got, want)
	})
}

// One block may be said many times, and to many.
func TestSharedBlock(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		one, first := p.meet(over)
		two, second := p.meet(over)
		body := noise(100_000)
		view := pool.Copied(body)
		for _, e := range []*echo{first, second} {
			e.onTurn(func() {
				for range 3 {
					e.out.Append(view.Share())
				}
			})
		}
		view.Release()
		for _, conn := range []net.Conn{one, two} {
			for range 3 {
				got := make([]byte, len(body))
				if _, err := io.ReadFull(conn, got); err != nil {
					t.Fatal(err)
				}
				sameBytes(t, got, body)
			}
		}
	})
}

// The machine hears of the time when it wants to, also with nothing going on.
func TestTick(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		_, e := p.meet(over)
		e.onTurn(func() { e.tick = time.Now().Add(20 * time.Millisecond) })
		eventually(t, "a tick", func() bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.ticks == 1
		})
	})
}
