package fakebroker

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
)

// line drives a remoting.Lane over a real socket, under a lock in the place of turns.
type line struct {
	tb     testing.TB
	mu     sync.Mutex
	lane   *remoting.Lane
	conn   net.Conn // of the current link
	ended  bool
	wait   sync.WaitGroup
	pushed chan *Request // requests of the server
}

func newLine(tb testing.TB, addr string) *line {
	l := &line{tb: tb, pushed: make(chan *Request, 100)}
	l.lane = remoting.NewLane(remoting.LaneConfig{
		Conn: remoting.Config{Addr: addr, OnRequest: l.onRequest},
		Dial: l.dial, Hangup: l.hangup, Rand: rand.New(rand.NewPCG(1, 1)),
	})
	l.wait.Add(1)
	go l.tick()
	tb.Cleanup(l.close)
	return l
}

func (l *line) close() {
	l.mu.Lock()
	l.ended = true
	l.lane.End(nil)
	l.mu.Unlock()
	l.wait.Wait()
}

func (l *line) onRequest(head *command.Head, body *pool.Chain) {
	r := &Request{Code: head.Code, Flag: head.Flag, Ext: map[string]string{}, Body: body.AppendTo(nil)}
	for _, field := range head.Ext {
		r.Ext[string(field.Key)] = string(field.Value)
	}
	l.pushed <- r
}

// dial runs on the turn, that is under the lock; it reports under the lock later.
func (l *line) dial() {
	l.wait.Go(func() {
		conn, err := net.DialTimeout("tcp", l.lane.Addr(), time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			l.lane.DialFailed(time.Now(), err)
			return
		}
		if !l.lane.Connected(time.Now()) {
			_ = conn.Close()
			return
		}
		l.conn = conn
		l.wait.Add(1)
		go l.read(conn)
		l.flush()
	})
}

func (l *line) hangup() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

func (l *line) read(conn net.Conn) {
	defer l.wait.Done()
	block := make([]byte, 4<<10)
	for {
		n, err := conn.Read(block)
		l.mu.Lock()
		if l.conn != conn {
			l.mu.Unlock()
			return
		}
		var in pool.Chain
		in.Write(block[:n])
		if n > 0 {
			if broken := l.lane.Feed(time.Now(), &in); broken != nil {
				err = broken
			}
		}
		in.Release()
		l.flush()
		if err != nil && l.conn == conn {
			l.hangup()
			l.lane.Close(err)
		}
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (l *line) tick() {
	defer l.wait.Done()
	for {
		time.Sleep(2 * time.Millisecond)
		l.mu.Lock()
		if l.ended {
			l.mu.Unlock()
			return
		}
		if due := l.lane.Due(); !due.IsZero() && !due.After(time.Now()) {
			l.lane.Tick(time.Now())
			l.flush()
		}
		l.mu.Unlock()
	}
}

func (l *line) flush() {
	if l.conn == nil {
		return
	}
	var out pool.Chain
	l.lane.Drain(&out)
	if out.Len() > 0 {
		_, _ = l.conn.Write(out.AppendTo(nil)) // a failure is read, too
	}
	out.Release()
}

// lineCall is one call by the general encoder.
type lineCall struct {
	remoting.Call
	code  int32
	flag  int32
	ext   map[string]string
	body  []byte
	reply Response
	err   error
	done  chan struct{}
}

func (c *lineCall) AppendFrame(out *pool.Chain, opaque int32) {
	out.Write(command.AppendRequest(nil, command.JSON, command.RequestCode(c.code), opaque, c.flag, extFields(c.ext), len(c.body)))
	out.Write(c.body)
}

func (c *lineCall) Done(reply *remoting.Reply, err error) {
	c.err = err
	if reply != nil {
		c.reply = Response{Code: reply.Head.Code, Remark: string(reply.Head.Remark), Ext: map[string]string{}, Body: reply.Body.AppendTo(nil)}
		for _, field := range reply.Head.Ext {
			c.reply.Ext[string(field.Key)] = string(field.Value)
		}
	}
	close(c.done)
}

// start begins a call.
func (l *line) start(code int32, ext map[string]string, body []byte, timeout time.Duration) *lineCall {
	c := &lineCall{code: code, ext: ext, body: body, done: make(chan struct{})}
	c.Request, c.Deadline = c, time.Now().Add(timeout)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lane.Call(time.Now(), &c.Call)
	l.flush()
	return c
}

// call makes a call that must be answered, with a code.
func (l *line) call(want, code int32, ext map[string]string, body string) Response {
	l.tb.Helper()
	c := l.start(code, ext, []byte(body), 5*time.Second)
	<-c.done
	if c.err != nil || c.reply.Code != want {
		l.tb.Fatalf("request %d: %v, code %d, remark %q; want code %d", code, c.err, c.reply.Code, c.reply.Remark, want)
	}
	return c.reply
}
