// Package stub is the other side of a benchmark: a name server, brokers, and a
// gRPC server for the byte relay, all of which answer at once.
//
// It is meant to cost much less than anything it is the backend of: it reads as
// much as there is, looks at opaque, code and a few fields, answers from
// prebuilt parts, and writes once for each read. It stores nothing, and it
// allocates nothing for a message. Only pops of a [PollTopic] wait until one is sent.
package stub

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what the stub serves.
type Config struct {
	BodyBytes int  // body of each message that a pop returns; 256 when 0
	Brokers   int  // number of brokers, each with its own listener; 1 when 0
	GRPC      bool // also serve the gRPC stub, for the relay
}

const bodyBytesDefault = 256

// Server is a running stub.
type Server struct {
	NameServer string   // address of the name server
	Brokers    []string // addresses of the brokers, in the order of their names
	GRPC       string   // address of the gRPC stub, "" when it is not served

	body    []byte
	sent    atomic.Uint64 // messages stored, also the next queue offset
	popped  atomic.Uint64
	acked   atomic.Uint64
	other   atomic.Uint64
	polls   polls
	answers *grpcAnswers

	mu        sync.Mutex
	listeners []net.Listener
	conns     map[net.Conn]struct{}
	closed    bool
	wg        sync.WaitGroup
}

// Counters is what the stub has answered since it began.
type Counters struct {
	Sent, Popped, Acked, Other uint64
}

// Counters reads the counters; they are safe to read at any time.
func (s *Server) Counters() Counters {
	return Counters{s.sent.Load(), s.popped.Load(), s.acked.Load(), s.other.Load()}
}

// Start listens on loopback ports of its own choosing and serves until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.BodyBytes == 0 {
		cfg.BodyBytes = bodyBytesDefault
	}
	s := &Server{conns: map[net.Conn]struct{}{}, body: make([]byte, cfg.BodyBytes), polls: newPolls()}
	for i := range s.body {
		s.body[i] = byte('a' + i%26)
	}
	var err error
	if s.NameServer, err = s.listen(s.serveRemoting); err != nil {
		return nil, err
	}
	for range max(1, cfg.Brokers) {
		addr, err := s.listen(s.serveRemoting)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.Brokers = append(s.Brokers, addr)
	}
	if cfg.GRPC {
		s.answers = newGRPCAnswers(s.body)
		if s.GRPC, err = s.listen(s.serveGRPC); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close stops listening, closes every connection and waits for their ends.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		close(s.polls.end)
	}
	s.closed = true
	for _, l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *Server) listen(serve func(net.Conn)) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	s.wg.Go(func() { s.accept(l, serve) })
	return l.Addr().String(), nil
}

func (s *Server) accept(l net.Listener, serve func(net.Conn)) {
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(time.Millisecond) // out of descriptors, most likely
			continue
		}
		if !s.track(nc) {
			nc.Close()
			return
		}
		s.wg.Go(func() {
			defer s.untrack(nc)
			serve(nc)
		})
	}
}

func (s *Server) track(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[nc] = struct{}{}
	return true
}

func (s *Server) untrack(nc net.Conn) {
	nc.Close()
	s.mu.Lock()
	delete(s.conns, nc)
	s.mu.Unlock()
}
