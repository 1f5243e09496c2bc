// Package health is the gRPC service grpc.health.v1.Health: balancers and orchestrators ask it
// whether the proxy serves, or watch until it does not.
package health

import (
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/health"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

// Name is the service's full name.
const Name = "grpc.health.v1.Health"

// Service is what all connections share. It serves from the beginning to Shutdown.
type Service struct {
	names []string // of the services that are as the server is; "" is the server

	mu       sync.Mutex
	leaving  bool
	watching map[*watch]struct{}
}

// New returns the service of a server that serves, and has services of these names.
func New(names ...string) *Service {
	return &Service{names: append(names, ""), watching: make(map[*watch]struct{})}
}

// Shutdown tells everybody who asks, and those who watch at once, that the server is leaving. The
// streams of the latter end with UNAVAILABLE, so that no connection waits for them.
func (svc *Service) Shutdown() {
	svc.mu.Lock()
	watching := svc.watching
	svc.leaving, svc.watching = true, nil
	svc.mu.Unlock()
	for w := range watching {
		w.turn.Post((*departure)(w))
	}
}

// status is how a service is now.
func (svc *Service) status(name string) health.HealthCheckResponse_ServingStatus {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	switch {
	case !slices.Contains(svc.names, name):
		return health.HealthCheckResponse_SERVICE_UNKNOWN
	case svc.leaving:
		return health.HealthCheckResponse_NOT_SERVING
	}
	return health.HealthCheckResponse_SERVING
}

// Open begins a call of a connection with this turn; nil: there is no such method.
func (svc *Service) Open(method string, t *turn.Turn, s *h2.Stream) h2.Handler {
	switch method {
	case "Check":
		return check{svc}
	case "Watch":
		return &watch{service: svc, turn: t, conn: s.Conn(), key: s.Key()}
	}
	return nil
}

// asked reads the name that a request asks for. On a malformed one the call has ended.
func asked(s *h2.Stream, msg *pool.Chain) (name string, valid bool) {
	var request health.HealthCheckRequest
	if err := proto.Unmarshal(msg.AppendTo(nil), &request); err != nil {
		s.Finish(grpc.Status{Code: grpc.Internal, Message: "Invalid protobuf byte sequence: " + err.Error()})
		return "", false
	}
	return request.GetService(), true
}

func answer(status health.HealthCheckResponse_ServingStatus) []byte {
	b, _ := proto.Marshal(&health.HealthCheckResponse{Status: status}) // an enum encodes always
	return b
}

// check is a call of Check.
type check struct{ service *Service }

// ClientStreams implements h2.Handler.
func (check) ClientStreams() bool { return false }

// Message implements h2.Handler.
func (c check) Message(s *h2.Stream, msg *pool.Chain) {
	name, valid := asked(s, msg)
	if !valid {
		return
	}
	status := c.service.status(name)
	if status == health.HealthCheckResponse_SERVICE_UNKNOWN {
		s.Finish(grpc.Status{Code: grpc.NotFound, Message: "unknown service"})
		return
	}
	s.Reply(answer(status))
}

// HalfClosed implements h2.Handler.
func (check) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler.
func (check) Canceled(*h2.Stream, error) {}

// watch is a call of Watch. It is told the status at once, and again when it changes, which it
// does once. A service that is not known may come to be, says the protocol, so that the stream of
// one stays open as well.
type watch struct {
	service *Service
	turn    *turn.Turn
	conn    *h2.Conn
	key     h2.Key
	known   bool // the service that is watched
}

// ClientStreams implements h2.Handler.
func (w *watch) ClientStreams() bool { return false }

// Message implements h2.Handler.
func (w *watch) Message(s *h2.Stream, msg *pool.Chain) {
	name, valid := asked(s, msg)
	if !valid {
		return
	}
	// Filed before the status is read: what changes in between is then told twice, not never.
	w.known = slices.Contains(w.service.names, name)
	staying := w.service.file(w)
	s.Write(answer(w.service.status(name)))
	if !staying {
		s.Finish(leaving)
	}
}

// file puts a watch among those that Shutdown tells; false: that has been.
func (svc *Service) file(w *watch) bool {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if svc.leaving {
		return false
	}
	svc.watching[w] = struct{}{}
	return true
}

// HalfClosed implements h2.Handler.
func (w *watch) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler.
func (w *watch) Canceled(*h2.Stream, error) {
	w.service.mu.Lock()
	defer w.service.mu.Unlock()
	delete(w.service.watching, w)
}

var leaving = grpc.Status{Code: grpc.Unavailable, Message: "the server is shutting down"}

// departure is the event of Shutdown for one watch.
type departure watch

// OnTurn tells the client, if it is still there.
func (d *departure) OnTurn(time.Time) {
	s := d.conn.Stream(d.key)
	if s == nil {
		return
	}
	if d.known {
		s.Write(answer(health.HealthCheckResponse_NOT_SERVING))
	}
	s.Finish(leaving)
}
