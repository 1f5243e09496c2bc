// Package server wires the proxy together, and nothing but that: it hands each part its share
// of the configuration, opens the port, and ends everything in the right order.
//
// Only New, Announce and Shutdown are promised to others; this is a program, not a library.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/admin"
	"rocketmq-proxy/server/cluster"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/fleet"
	"rocketmq-proxy/server/link"
	"rocketmq-proxy/server/messaging"
	"rocketmq-proxy/server/metrics"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/tlsconf"
	"rocketmq-proxy/server/turn"
)

// Server is a running proxy.
type Server struct {
	config  config.Config
	log     zerolog.Logger
	stored  messages
	service *messaging.Service
	fleet   *fleet.Fleet // nil when the proxy is alone
	beside  beside
	tls     *tlsconf.Source // nil when TLS is disabled
	h2      h2.Config
	memory  pool.Pressure
	port    *link.Listener
	admin   *admin.Server
	sweeper *time.Ticker
	stop    chan struct{}
	swept   sync.WaitGroup

	mu      sync.Mutex
	clients map[uint64]*witnessed // by id
	lastID  uint64                // of a client
	empty   chan struct{}         // closed when the last client has gone, once somebody waits
	leaving bool                  // Shutdown was called
}

// Counters are what all machines of a Server count.
type Counters struct {
	H2       h2.Counters
	Remoting remoting.Counters
	Link     link.Counters
}

// New opens the port of a proxy. Clients are served when it returns.
func New(c config.Config, log zerolog.Logger) (*Server, error) {
	s := &Server{config: c, log: log, stop: make(chan struct{}), clients: make(map[uint64]*witnessed)}
	var err error
	if s.tls, err = certificates(&c); err != nil {
		return nil, err
	}
	counters := &Counters{}
	if s.stored, err = s.openMessages(&counters.Remoting); err != nil {
		return nil, err
	}
	if s.beside, err = newBeside(); err != nil {
		return nil, errors.Join(err, s.stored.close())
	}
	sessions := session.NewRegistry(c.Session.Expiry)
	s.h2 = h2.Config{
		Limits: h2Limits(&c), Metadata: messaging.Metadata, Counters: &counters.H2,
		Requests: pool.NewBudget(c.Limits.InflightBytesMax / 2), Memory: &s.memory, Random: rand.Float64,
	}
	if err := s.listen(sessions, &counters.Link); err != nil {
		return nil, errors.Join(err, s.stored.close())
	}
	sources := admin.Sources{Counters: counters, Ready: s.ready, Metrics: s.metrics(counters), Connections: &connections{s, counters}}
	if s.admin, err = admin.Listen(c.Operator.AdminAddr, sources); err != nil {
		s.end()
		return nil, err
	}
	s.sweeper = time.NewTicker(sweepEvery)
	s.swept.Go(func() { s.sweep(sessions) })
	s.swept.Go(s.watchMemory)
	if s.tls != nil {
		s.swept.Go(s.watchCertificates)
	}
	return s, nil
}

// listen opens the port. The service is made after it, because routes tell clients the port
// number, which the system may have chosen; connections wait for it.
func (s *Server) listen(sessions *session.Registry, counters *link.Counters) error {
	ready := make(chan struct{})
	front := link.Front{
		Speaks:       speaksHTTP2,
		Reject:       reject,
		TLSOnly:      s.config.TLS.Mode == config.TLSEnforcing,
		Relays:       relays(&s.config),
		Introduction: introduction,
		Failed:       s.connectionFailed,
		Shortage:     s.descriptorsShort,
		Memory:       &s.memory,
		Counters:     counters,
		Machine: func(l *link.Link) link.Machine {
			<-ready
			return s.newClient(l)
		},
	}
	var err error
	if front.DescriptorsMax, err = s.clientDescriptors(); err != nil {
		return err
	}
	if s.tls != nil {
		front.TLS = s.tls.Server()
	}
	port, err := link.Listen(net.JoinHostPort("", strconv.Itoa(s.config.GRPC.ServerPort)), front, linkLimits(&s.config))
	if err != nil {
		return fmt.Errorf("grpcServerPort: %w", err)
	}
	s.port = port
	share := messagingConfig(&s.config, s.Port())
	share.Memory = &s.memory
	s.service = messaging.NewService(share, s.stored, sessions)
	if s.stored.cluster != nil && s.config.Fleet.Topic != "" {
		s.fleet = fleet.New(fleetConfig(&s.config, s.Port(), s.stored.cluster, s.report), s.stored.cluster, sessions)
		s.service.Peers = s.fleet
		s.fleet.Start()
	}
	close(ready)
	return nil
}

// metrics is the page that Prometheus reads.
func (s *Server) metrics(c *Counters) func(io.Writer) error {
	sources := metrics.Sources{Link: &c.Link, H2: &c.H2, Remoting: &c.Remoting, Requests: s.h2.Requests, Memory: &s.memory}
	sources.Sends, sources.Polls = s.service.Budgets()
	return sources.Write
}

// Port is the TCP port that clients dial.
func (s *Server) Port() int { return s.port.Addr().(*net.TCPAddr).Port }

// Announce says that the proxy serves: in Local mode to a person, on out, with what can be
// typed next, where program is what they called; then in the words that scripts wait for.
func (s *Server) Announce(out io.Writer, program string) {
	told := s.log.Info()
	if told.Enabled() && s.config.Proxy.Mode == config.ModeLocal {
		_, _ = io.WriteString(out, banner(&s.config, s.Port(), program))
		told.Str("store", s.config.Local.StorePath).Str("flush", string(s.config.Local.Flush))
	}
	if s.config.Proxy.Advertise != "" {
		told.Str("clientsAreTold", s.config.Proxy.Advertise)
	}
	if s.config.GRPC.ProxyProtocolTrusted != "" {
		told.Str("proxyProtocolTrusted", s.config.GRPC.ProxyProtocolTrusted)
	}
	told.Str("name", s.config.Proxy.Name).Str("mode", string(s.config.Proxy.Mode)).Str("nameServers", s.config.NameServer.Addr).
		Str("clientsDial", net.JoinHostPort(s.config.Proxy.LocalAddr, strconv.Itoa(s.Port()))).
		Bool("selfSigned", s.config.TLS.TestMode).Str("admin", s.admin.Addr()).
		Msg("rocketmq-proxy startup successfully")
}

func (s *Server) newClient(l *link.Link) link.Machine {
	w := &witnessed{server: s, link: l}
	w.Client = s.service.NewClient(&s.h2, l.Turn(), l.RemoteAddr, l.Since, func() { s.forget(w) }, w.openBeside)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	w.id = s.lastID
	s.clients[w.id] = w
	if s.leaving { // it was being accepted when all others were asked to go
		l.Turn().Post(w.Client.Shutdown())
	}
	return w
}

// witnessed is a client whose end is looked at.
type witnessed struct {
	*messaging.Client
	server *Server
	link   *link.Link
	id     uint64 // among all clients of the server, in the order of their coming; the first is 1
}

// Close implements link.Machine.
func (w *witnessed) Close(cause error) {
	level := zerolog.DebugLevel // of every day: the client or the network ended it
	if _, broken := errors.AsType[h2.ConnError](cause); broken || errors.Is(cause, link.ErrSlowPeer) {
		level = zerolog.InfoLevel
	}
	w.server.log.WithLevel(level).EmbedObject(otherEnd{w.link}).Err(cause).Msg("connection ended")
	w.Client.Close(cause)
}

// otherEnd is who a link is with, for a log.
type otherEnd struct{ *link.Link }

// MarshalZerologObject implements zerolog.LogObjectMarshaler.
func (o otherEnd) MarshalZerologObject(line *zerolog.Event) {
	line.Str("client", o.RemoteAddr)
	if o.Relay != "" {
		line.Str("relay", o.Relay).Str("relaySaid", o.RelayNote)
	}
	if o.Certificate != nil {
		line.Stringer("certificate", o.Certificate.Subject)
	}
}

func (s *Server) forget(w *witnessed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, w.id)
	if len(s.clients) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// Shutdown ends gracefully: nobody is sent here any more, no new connections, GOAWAY on the old
// ones, time for the calls in flight, and receipt handles go back. It is over by the deadline of
// ctx, without which it waits for as long as it takes.
func (s *Server) Shutdown(ctx context.Context) {
	s.leave()
	s.port.Refuse()
	calls, handles, cancel := shutdownTimes(ctx)
	defer cancel()
	select {
	case <-s.drain():
	case <-calls.Done():
		s.log.Warn().Msg("calls in flight did not end in grpcShutdownTimeSeconds: closing their connections")
	}
	s.handBack(handles)
	s.end()
	s.log.Info().Msg("rocketmq-proxy shut down")
}

// leave tells those who ask that the proxy is not ready any more.
func (s *Server) leave() {
	s.mu.Lock()
	s.leaving = true
	open := len(s.clients)
	s.mu.Unlock()
	s.beside.health.Shutdown()
	s.log.Info().Int("connections", open).Msg("draining: not ready any more, connections end when their calls have")
}

var errDraining = errors.New("draining: the proxy is shutting down")

// ready is what the admin port says of readiness.
func (s *Server) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return errDraining
	}
	return nil
}

// shutdownTimes are when it is time to stop waiting for calls, and then for receipt handles. Calls
// that do not end leave an eighth of the time, a second at most: brokers that answer need some
// milliseconds of it to take handles back, and the rest is for the end of everything.
func shutdownTimes(ctx context.Context) (calls, handles context.Context, cancel context.CancelFunc) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return ctx, ctx, func() {}
	}
	kept := min(time.Until(deadline)/8, time.Second)
	handles, cancelHandles := context.WithDeadline(ctx, deadline.Add(-kept/4))
	calls, cancelCalls := context.WithDeadline(handles, deadline.Add(-kept))
	return calls, handles, func() {
		cancelCalls()
		cancelHandles()
	}
}

// handBack makes visible what clients received and will not acknowledge through this proxy, as
// far as brokers answer in time.
func (s *Server) handBack(ctx context.Context) {
	select {
	case <-s.service.Drain():
	case <-ctx.Done():
		s.log.Warn().Msg("receipt handles did not all go back in grpcShutdownTimeSeconds: their messages come again when they become visible")
	}
}

// errShutdown is what connections are closed with that did not end by themselves.
var errShutdown = errors.New("the proxy is shutting down")

// drain asks every client to go and returns what is closed when they have.
func (s *Server) drain() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := make(chan struct{})
	if len(s.clients) == 0 {
		close(gone)
		return gone
	}
	s.empty = gone
	for _, w := range s.clients {
		w.link.Turn().Post(w.Shutdown())
	}
	return gone
}

func (s *Server) end() {
	s.port.Close()
	s.mu.Lock()
	var left []*link.Link
	for _, w := range s.clients {
		left = append(left, w.link)
	}
	s.mu.Unlock()
	for _, l := range left {
		l.Close(errShutdown)
	}
	if s.fleet != nil {
		s.fleet.Close()
	}
	if err := s.stored.close(); err != nil {
		s.log.Error().Err(err).Msg("the store did not close cleanly: it is looked through at the next start")
	}
	s.admin.Close()
	if s.sweeper != nil {
		s.sweeper.Stop()
		close(s.stop)
		s.swept.Wait()
	}
}

// sweepEvery is how often clients are looked for that are gone.
const sweepEvery = 10 * time.Second

func (s *Server) sweep(sessions *session.Registry) {
	memory := newIdleMemory()
	for {
		select {
		case now := <-s.sweeper.C:
			sessions.Sweep(now)
			memory.look(s.h2.Counters.StreamsOpened.Load())
		case <-s.stop:
			return
		}
	}
}

func (s *Server) report(event, addr string, err error) {
	s.log.Warn().Str("addr", addr).Err(err).Msg(event)
}

// nameServersChanged tells when no name server answers any more, or one does again.
func (s *Server) nameServersChanged(err error) {
	if err == nil {
		s.log.Info().Str("nameServers", s.config.NameServer.Addr).Msg("a name server answers again")
		return
	}
	s.log.Warn().Str("nameServers", s.config.NameServer.Addr).Err(err).
		Msg("no name server answers: check that one runs, and the addresses in namesrvAddr; trying on, topics that are known serve meanwhile")
}

// domainChanged tells when the HTTP server of namesrvDomain gives no list any more, or does again.
func (s *Server) domainChanged(err error) {
	if err == nil {
		s.log.Info().Str("domain", s.config.NameServer.Domain).Msg("namesrvDomain answers again")
		return
	}
	s.log.Warn().Str("domain", s.config.NameServer.Domain).Err(err).
		Msg("no list of name servers from namesrvDomain: trying on, those that are known serve meanwhile")
}

func (s *Server) connectionFailed(remote string, err error) {
	level := zerolog.DebugLevel // anybody can make these
	if errors.Is(err, link.ErrIntroduction) {
		level = zerolog.WarnLevel // these come from a load balancer that is ours
	}
	s.log.WithLevel(level).Str("client", remote).Err(err).Msg("connection not accepted")
}

// dial joins the cluster's wish for a connection with the sockets: TLS ones, where secret is not nil.
func dial(limits link.Limits, secret *tls.Config) cluster.Dialer {
	return func(addr string, timeout time.Duration, t *turn.Turn, m cluster.Machine) (l cluster.Socket, err error) {
		if secret != nil {
			l, err = link.DialTLS(addr, timeout, t, m, limits, secret)
		} else {
			l, err = link.Dial(addr, timeout, t, m, limits)
		}
		if err != nil {
			return nil, err // not a nil link in an interface
		}
		return l, nil
	}
}
