package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

// Thousands of short connections, some of which end in the middle of something while others
// post to them, leave no descriptor, no goroutine and no buffer behind.
func TestCrowd(t *testing.T) {
	const crowd, abreast = 2000, 16
	configurePollers()
	before := descriptorsOpen()
	p := serve(t, DefaultLimits(), nil)
	stop, posters := make(chan struct{}), sync.WaitGroup{}
	posters.Go(func() { // says something to everybody, all the time
		for {
			select {
			case e := <-p.echoes:
				for range 3 {
					e.link.Turn().Post(act(func() {
						e.mu.Lock()
						defer e.mu.Unlock()
						if len(e.causes) == 0 {
							e.out.Append(pool.Copied([]byte("psst ")))
						}
					}))
				}
			case <-stop:
				return
			}
		}
	})
	next, clients := make(chan int), sync.WaitGroup{}
	for range abreast {
		clients.Go(func() {
			for i := range next {
				visit(t, p.Addr().String(), i)
			}
		})
	}
	for i := range crowd {
		next <- i
	}
	close(next)
	clients.Wait()
	close(stop)
	posters.Wait()
	p.end()
	eventually(t, "all descriptors were closed", func() bool { return descriptorsOpen() <= before })
}

// One connection more than ConnectionsMax is closed at once, whatever it speaks; when another has
// gone there is room again.
func TestConnectionsMax(t *testing.T) {
	limits := DefaultLimits()
	limits.ConnectionsMax = 2
	p := serve(t, limits, nil)
	plain, _ := p.meet(transports[0])
	secure, _ := p.meet(transports[2])
	refused := func(n int) {
		t.Helper()
		if _, err := p.dialTCP().Read(make([]byte, 1)); err == nil {
			t.Error("a third connection was spoken to")
		}
		eventually(t, "the refusal was told", func() bool { return len(p.failures()) == n })
		if err := p.failures()[n-1]; !errors.Is(err, errTooMany) {
			t.Error(err)
		}
	}
	room := func() {
		t.Helper()
		eventually(t, "there is room", func() bool {
			p.Listener.mu.Lock()
			defer p.Listener.mu.Unlock()
			return len(p.opening)+p.links == 1
		})
	}
	refused(1)
	_ = plain.Close()
	room()
	plain, _ = p.meet(transports[0])
	refused(2)
	_ = secure.Close()
	room()
	p.meet(transports[1])
	refused(3)
	write(t, plain, "still here")
	expect(t, plain, "still here")
}

// visit is one short connection, each kind in its turn.
func visit(t *testing.T, addr string, i int) {
	tcp, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer tcp.Close()
	_ = tcp.SetDeadline(time.Now().Add(2 * patience))
	conn := tcp
	if i%10 == 0 {
		conn = tls.Client(tcp, transports[1+i/10%2].tls)
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Error(err)
		return
	}
	switch i % 4 {
	case 0: // stays for an answer
		if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
			t.Error(err)
		}
	case 1: // leaves at once
	case 2: // resets
		_ = tcp.(*net.TCPConn).SetLinger(0)
	case 3: // goes on, and leaves in the middle of the answer
		_, _ = conn.Write(make([]byte, 100_000))
		_, _ = conn.Read(make([]byte, 1))
	}
}

// descriptorsOpen is how many the process has open.
func descriptorsOpen() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
