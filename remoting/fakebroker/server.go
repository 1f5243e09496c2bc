package fakebroker

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"
)

// Server is one listening address: a name server or a broker.
type Server struct {
	Addr string // host:port; the same after a Restart

	tb     testing.TB
	tls    *tls.Config // nil: cleartext
	handle func(*Request) Response

	mu       sync.Mutex
	thawed   sync.Cond // frozen has changed
	listener net.Listener
	clients  map[*Client]struct{}
	controls map[int32][]*control
	requests map[int32]int
	accepted int
	frozen   bool
	running  sync.WaitGroup
}

// control is a test's own handling of one request code.
type control struct {
	handle func(*Request) (Response, bool)
}

func newServer(tb testing.TB, c *Cluster, handle func(*Request) Response) *Server {
	s := &Server{
		tb: tb, tls: c.tls, handle: handle, clients: map[*Client]struct{}{},
		controls: map[int32][]*control{}, requests: map[int32]int{},
	}
	s.thawed.L = &s.mu
	s.listen(net.JoinHostPort(c.host, "0"))
	if s.listener != nil {
		s.Addr = s.listener.Addr().String()
	}
	tb.Cleanup(s.Stop)
	return s
}

func (s *Server) listen(addr string) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		s.tb.Errorf("fakebroker: %v", err)
		return
	}
	if s.tls != nil {
		listener = tls.NewListener(listener, s.tls)
	}
	s.mu.Lock()
	s.listener = listener
	s.running.Add(1)
	s.mu.Unlock()
	go s.accept(listener)
}

func (s *Server) accept(listener net.Listener) {
	defer s.running.Done()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.listener != listener {
			s.mu.Unlock()
			_ = conn.Close()
			return
		}
		client := newClient(s, conn)
		s.clients[client] = struct{}{}
		s.accepted++
		s.running.Add(2)
		s.mu.Unlock()
		go client.read()
		go client.write()
	}
}

// Stop closes the port and every connection, as a crash does. What is stored stays.
func (s *Server) Stop() {
	s.mu.Lock()
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
	}
	s.frozen = false
	s.thawed.Broadcast()
	s.mu.Unlock()
	s.CloseConnections()
	s.running.Wait()
}

// Restart listens on the same port again after Stop.
func (s *Server) Restart() { s.listen(s.Addr) }

// CloseConnections closes every connection; the port stays open.
func (s *Server) CloseConnections() {
	for _, client := range s.Clients() {
		client.Close()
	}
}

// Freeze stops reading and answering, as SIGSTOP does: connections stay open, new ones are
// taken by the kernel. Thaw ends it.
func (s *Server) Freeze() { s.setFrozen(true) }

// Thaw handles everything that came meanwhile.
func (s *Server) Thaw() { s.setFrozen(false) }

func (s *Server) setFrozen(frozen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = frozen
	s.thawed.Broadcast()
}

// Control lets the test handle requests of a code. When handle returns false, earlier controls
// and then the server do. The returned function ends it.
func (s *Server) Control(code int32, handle func(*Request) (Response, bool)) (remove func()) {
	c := &control{handle}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.controls[code] = append([]*control{c}, s.controls[code]...)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.handle = func(*Request) (Response, bool) { return Response{}, false }
	}
}

// Fail answers the next n requests of a code with a response; n below 0 is all of them.
func (s *Server) Fail(code int32, n int, response Response) {
	var mu sync.Mutex
	s.Control(code, func(*Request) (Response, bool) {
		mu.Lock()
		defer mu.Unlock()
		if n == 0 {
			return Response{}, false
		}
		n--
		return response, true
	})
}

// Requests is how many requests of a code have come.
func (s *Server) Requests(code int32) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[code]
}

// Accepted is how many connections there ever were.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Clients are the connections that are open.
func (s *Server) Clients() []*Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	clients := make([]*Client, 0, len(s.clients))
	for client := range s.clients {
		clients = append(clients, client)
	}
	return clients
}

// Push sends a oneway request to every connection and tells to how many.
func (s *Server) Push(code int32, ext map[string]string, body []byte) int {
	clients := s.Clients()
	for _, client := range clients {
		client.Push(code, ext, body)
	}
	return len(clients)
}

// serve handles one request, by a control or by the server.
func (s *Server) serve(r *Request) {
	s.mu.Lock()
	for s.frozen {
		s.thawed.Wait()
	}
	s.requests[r.Code]++
	controls := s.controls[r.Code]
	handles := make([]func(*Request) (Response, bool), len(controls))
	for i, c := range controls {
		handles[i] = c.handle
	}
	s.mu.Unlock()
	for _, handle := range handles {
		if response, handled := handle(r); handled {
			r.Answer(response)
			return
		}
	}
	r.Answer(s.handle(r))
}

func (s *Server) forget(client *Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, client)
}

var errGarbage = errors.New("fakebroker: the client sent something that is no frame")
