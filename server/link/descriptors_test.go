package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shortages are those that a front was told of.
type shortages struct {
	mu  sync.Mutex
	all []Shortage
}

func (s *shortages) tell(front *Front) {
	front.Shortage = func(one Shortage) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, one)
	}
}

func (s *shortages) told() []Shortage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Shortage(nil), s.all...)
}

// So many connections have descriptors; more are closed at once, each is counted, and the shortage is told
// of once. It is over, and that is told, when a twentieth has gone.
func TestDescriptorsMax(t *testing.T) {
	const most = 20
	var c Counters
	var s shortages
	p := serve(t, DefaultLimits(), nil, counted(&c), s.tell, func(front *Front) { front.DescriptorsMax = most })
	var conns []net.Conn
	for i := range most {
		var conn net.Conn = p.dialTCP()
		if i%2 == 0 {
			conn = tls.Client(conn, clientTLS(tls.VersionTLS13))
		}
		conns = append(conns, p.hello(conn))
	}
	for n := range 5 {
		refused(t, p.dialTCP(), &c, NoDescriptors, uint64(n+1))
	}
	if told := s.told(); len(told) != 1 || told[0].Over || told[0].Connections != most || !errors.Is(told[0].Cause, errNoDescriptors) {
		t.Errorf("told %+v", told)
	}
	write(t, conns[0], "still here")
	expect(t, conns[0], "still here")

	leave := func(now int64) {
		t.Helper()
		_ = conns[0].Close()
		conns = conns[1:]
		eventually(t, "there is room", func() bool { return c.Open.Load() == now })
	}
	leave(most - 1)
	conns = append(conns, p.hello(p.dialTCP()))
	refused(t, p.dialTCP(), &c, NoDescriptors, 6)
	leave(most - 1)
	if told := s.told(); len(told) != 1 {
		t.Errorf("told %+v though few have gone", told)
	}
	leave(most - 2)
	eventually(t, "the end was told", func() bool { return len(s.told()) == 2 })
	if last := s.told()[1]; !last.Over || last.Connections != most-2 || last.Cause != nil {
		t.Errorf("told %+v", last)
	}
	p.hello(p.dialTCP())
}

// The states of a shortage, each edge from both sides.
func TestShortage(t *testing.T) {
	begun := time.Unix(1000, 0)
	var d descriptors
	if d.left(0) || d.taken(begun) {
		t.Error("what did not begin has ended")
	}
	if !d.refused(100, begun) || d.refused(100, begun.Add(time.Second)) {
		t.Error("it does not begin once")
	}
	if d.left(95) || !d.left(94) || d.left(94) {
		t.Error("it does not end once, when a twentieth has gone")
	}
	d.refused(1, begun)
	if d.left(1) || !d.left(0) {
		t.Error("with a single connection, it does not end with that")
	}
	d.refused(0, begun)
	d.refused(0, begun.Add(time.Second))
	if d.left(0) {
		t.Error("without a connection, it ends by itself")
	}
	last := begun.Add(time.Second)
	if d.taken(last.Add(shortageLast-1)) || !d.taken(last.Add(shortageLast)) || d.taken(last.Add(shortageLast)) {
		t.Error("it does not end once, a minute after the last refusal")
	}
}

// scarce is a listener that finds no descriptors so many times.
type scarce struct {
	net.Listener
	why   syscall.Errno
	times int
}

func (s *scarce) Accept() (net.Conn, error) {
	if s.times > 0 {
		s.times--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", s.why)}
	}
	return s.Listener.Accept()
}

// Where accept finds no descriptors, it pauses and tries again, and the shortage is told of once. Who dialled meanwhile
// is served.
func TestAcceptWithoutDescriptors(t *testing.T) {
	for _, why := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var c Counters
		var s shortages
		front := Front{Speaks: func([]byte) Verdict { return Never }, Reject: func([]byte) []byte { return []byte("no") }, Counters: &c}
		s.tell(&front)
		const times = 4
		ln := newListener(&scarce{inner, why, times}, front, DefaultLimits())
		begun := time.Now()
		ln.start()
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		write(t, conn, "?")
		if said, err := io.ReadAll(conn); string(said) != "no" {
			t.Errorf("answered %q, %v", said, err)
		}
		if took, least := time.Since(begun), 15*acceptPauseMin; took < least {
			t.Errorf("%d failures took %v, less than %v", times, took, least)
		}
		if n := c.Refused[NoDescriptors].Load(); n != times {
			t.Errorf("%d were counted", n)
		}
		if told := s.told(); len(told) != 1 || told[0].Over || !errors.Is(told[0].Cause, why) {
			t.Errorf("told %+v", told)
		}
		_ = conn.Close()
		ln.Close()
	}
}

// The limit is the one that the system has, with the soft one raised to the hard one.
func TestDescriptorLimit(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if n, err := DescriptorLimit(); err != nil || n < int(min(limit.Max, 1<<30))-1 { // Go leaves one out
		t.Errorf("%d, %v, the hard limit is %d", n, err, limit.Max)
	}
}
