// Package messaging is the gRPC service apache.rocketmq.v2.MessagingService: one file per
// method. A method reads its request, checks it, asks the backend, and answers; who the
// backend is it never sees.
//
// A call in flight is one pooled struct. It is the stream's handler, it holds the backend
// operation, and it is the event that the operation comes home with; all of it runs on the
// client connection's turn:
//
//	Open ─► Message: parse, validate ─► backend ─► OnTurn: answer ─► free
//	                                       └ Canceled meanwhile: OnTurn only frees
package messaging

import (
	"bytes"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/turn"
)

// Config is what the methods need to know. Bounds of 0 or less switch their check off where
// the reference does so.
type Config struct {
	BodyBytesMax       int
	BodyEmptyCheck     bool
	PropertiesBytesMax int
	PropertiesMax      int
	GroupBytesMax      int // a message group must stay under it
	LiteTopicBytesMax  int
	LiteUnackedMax     int // messages that a lite client may have unacknowledged
	LiteSyncRate       int // additions of lite subscriptions in a second, of all clients
	DelayMax           time.Duration
	DelayLevels        []time.Duration // by level, from 1; nil where brokers are not told levels
	RecoveryMax        time.Duration
	TypeCheck          bool

	PollMin, PollMax   time.Duration // of receives; pulls have no least one
	InvisibleDefault   time.Duration // of receives that the proxy renews
	InvisibleMin       time.Duration
	InvisibleMax       time.Duration
	InvisibleWhenClear time.Duration // of messages whose receiver is gone
	AutoRenew          bool
	Renew              session.RenewPolicy
	CallTimeout        time.Duration // of sends, acks and changes
	RelayTimeout       time.Duration // of questions that an operator asks a client

	InflightBytesMax int // of sends that wait for the backend, callBytes for each included
	LongPollsMax     int // receives and pulls that wait for the backend

	Memory *pool.Pressure // at which level there are no new receives and pulls; nil: there is always enough

	ServerPort              int // what routes tell clients to dial
	EndpointPortFromRequest bool
	Advertised              []Advertise // what some clients are told instead

	Policy session.Policy
}

// Peers are the other proxies in front of the same brokers. Its methods may be called from any turn
// and do not block.
type Peers interface {
	// Here tells them of a consumer whose settings are new; remote is its host:port.
	Here(s *session.Session, remote string, now time.Time)
	// Left tells them that it has gone.
	Left(s *session.Session)
}

// Service is what all connections share.
type Service struct {
	Config
	Backend  backend.Backend
	Sessions *session.Registry
	Peers    Peers // nil when there are none; set before the first connection

	views    apiv2.Limits
	levels   delayLevels
	inflight *pool.Budget // nil where the limit is 0
	polls    *pool.Budget // counts calls
	renewer  *session.Renewer

	offices   chan struct{} // taken by work that is done elsewhere
	liteSyncs bucket
	relays    relays
}

// NewService returns the service over b, and names it to b as the one who knows the clients.
func NewService(config Config, b backend.Backend, sessions *session.Registry) *Service {
	svc := &Service{Config: config, Backend: b, Sessions: sessions, views: apiv2.DefaultLimits()}
	svc.levels, svc.offices = newDelayLevels(config.DelayLevels), newOffices()
	svc.Advertised = sortAdvertised(config.Advertised)
	if config.InflightBytesMax > 0 {
		svc.inflight = pool.NewBudget(config.InflightBytesMax)
	}
	if config.LongPollsMax > 0 {
		svc.polls = pool.NewBudget(config.LongPollsMax)
	}
	svc.renewer = session.NewRenewer(config.Renew, b)
	sessions.Gone = svc.gone
	b.Attach(svc)
	return svc
}

// Budgets are what the calls of all clients hold together, for who counts: bytes of sends, and polls.
// Either is nil where there is no limit.
func (svc *Service) Budgets() (sends, polls *pool.Budget) { return svc.inflight, svc.polls }

// gone is the end of a client: nobody will acknowledge what it had received, nor read on.
func (svc *Service) gone(s *session.Session, _ time.Time) {
	svc.renewer.Clear(s)
	if svc.Peers != nil {
		svc.Peers.Left(s)
	}
	if !s.Remote() { // else its own proxy cares for that
		svc.leaveLite(s)
	}
}

// Drain hands back what clients have received and not acknowledged, when their connections are
// gone for good. What it returns is closed when that is done.
func (svc *Service) Drain() <-chan struct{} {
	svc.relays.end()
	return svc.renewer.Drain()
}

// The request headers that methods read, by their index in Metadata.
const (
	headerClientID = iota
	headerLanguage
	headerClientVersion
	headers
)

// Metadata lists the request headers that methods read, for h2.Config.
var Metadata = []string{
	headerClientID:      "x-mq-client-id",
	headerLanguage:      "x-mq-language",
	headerClientVersion: "x-mq-client-version",
}

// Name is the service's full name.
const Name = "apache.rocketmq.v2.MessagingService"

const servicePrefix = "/" + Name + "/"

// methods are the calls that are served: each makes the handler of one call.
var methods = map[string]func(c *Client, s *h2.Stream) h2.Handler{
	"QueryRoute":              newQueryRoute,
	"QueryAssignment":         newQueryAssignment,
	"SendMessage":             newSendMessage,
	"ReceiveMessage":          newReceiveMessage,
	"AckMessage":              newAckMessage,
	"ChangeInvisibleDuration": newChangeInvisible,
	"Heartbeat":               newHeartbeat,
	"Telemetry":               newTelemetry,
	"NotifyClientTermination": newNotifyClientTermination,

	"PullMessage":  newPullMessage,
	"UpdateOffset": newUpdateOffset,
	"GetOffset":    newGetOffset,
	"QueryOffset":  newQueryOffset,

	"SyncLiteSubscription":            newSyncLiteSubscription,
	"EndTransaction":                  newEndTransaction,
	"RecallMessage":                   newRecallMessage,
	"ForwardMessageToDeadLetterQueue": newForwardToDeadLetterQueue,
}

// Client is the service of one connection: a link's machine around h2.Conn.
type Client struct {
	service *Service
	conn    *h2.Conn
	turn    *turn.Turn
	remote  string // host:port of the peer
	now     time.Time
	scratch []byte // for answers; borrowed by h2 for the length of a call
	session *session.Session
	closed  func()
	others  func(s *h2.Stream) h2.Handler // of the calls to other services; nil: there are none
	waiting map[drainer]struct{}          // calls that go on until something happens

	advertised *Advertise // what this client is told to dial; nil: as the reference does it

	// of the last call: the next one is mostly of the same method
	lastPath  []byte
	lastBegin func(c *Client, s *h2.Stream) h2.Handler
}

// drainer is a call that would go on after everybody has been asked to leave.
type drainer interface {
	// drain ends the call now, as if it had come to nothing.
	drain(now time.Time)
}

// NewClient returns the machine of a new connection. closed, which may be nil, is told when
// the connection has ended. others, which may be nil too, begins the calls to services that are
// mounted beside this one, and returns nil for what is none.
func (svc *Service) NewClient(config *h2.Config, t *turn.Turn, remote string, now time.Time, closed func(), others func(*h2.Stream) h2.Handler) *Client {
	c := &Client{service: svc, turn: t, remote: remote, now: now, closed: closed, others: others}
	c.advertised = svc.advertised(remote)
	c.conn = h2.New(config, c, now)
	return c
}

// Feed implements link.Machine.
func (c *Client) Feed(now time.Time, in *pool.Chain) error {
	c.now = now
	return c.conn.Feed(now, in)
}

// Drain implements link.Machine.
func (c *Client) Drain(out *pool.Chain) { c.conn.Drain(out) }

// Tick implements link.Machine. A connection that has become too old ends as at a shutdown.
func (c *Client) Tick(now time.Time) {
	c.now = now
	stayed := !c.conn.Leaving()
	c.conn.Tick(now)
	if stayed && c.conn.Leaving() {
		c.drainCalls(now)
	}
}

// Due implements link.Machine.
func (c *Client) Due() time.Time { return c.conn.Due() }

// Done implements link.Machine.
func (c *Client) Done() bool { return c.conn.Done() }

// Close implements link.Machine.
func (c *Client) Close(cause error) {
	c.conn.Close(cause)
	if c.closed != nil {
		c.closed()
	}
}

// scratchBytesKept is how large an answer's memory may be to be kept for the next one.
const scratchBytesKept = 64 << 10

// keep takes the memory of an answer that h2 has taken over, for the next one.
func (c *Client) keep(encoded []byte) {
	c.scratch = nil
	if cap(encoded) <= scratchBytesKept {
		c.scratch = encoded[:0]
	}
}

// Shutdown is the event that asks a connection to end when its calls have: Post it to the
// connection's turn.
func (c *Client) Shutdown() turn.Event { return (*shutdown)(c) }

type shutdown Client

// OnTurn sends GOAWAY, and ends what would go on for long: polls find nothing, telemetry is
// over, and clients look for another proxy.
func (s *shutdown) OnTurn(now time.Time) {
	c := (*Client)(s)
	c.now = now
	c.conn.Shutdown(now)
	c.drainCalls(now)
}

func (c *Client) drainCalls(now time.Time) {
	for call := range c.waiting {
		call.drain(now)
	}
}

// await files a call that goes on until something happens, from now on. One that the client began
// before it knew that it should leave is drained like the others, when it has begun.
func (c *Client) await(call drainer) {
	if c.waiting == nil {
		c.waiting = make(map[drainer]struct{})
	}
	c.waiting[call] = struct{}{}
	if c.conn.Leaving() {
		c.turn.Post(c.Shutdown())
	}
}

// Open implements h2.Service.
func (c *Client) Open(s *h2.Stream) (h2.Handler, grpc.Status) {
	path := s.Path()
	if c.lastBegin != nil && bytes.Equal(path, c.lastPath) {
		return c.lastBegin(c, s), grpc.Status{}
	}
	if len(path) < len(servicePrefix) || string(path[:len(servicePrefix)]) != servicePrefix {
		if c.others != nil {
			if handler := c.others(s); handler != nil {
				return handler, grpc.Status{}
			}
		}
		return nil, methodNotFound(path)
	}
	begin := methods[string(path[len(servicePrefix):])]
	if begin == nil {
		return nil, methodNotFound(path)
	}
	c.lastPath, c.lastBegin = append(c.lastPath[:0], path...), begin
	return begin(c, s), grpc.Status{}
}

func methodNotFound(path []byte) grpc.Status {
	return grpc.Status{Code: grpc.Unimplemented, Message: "Method not found: " + trimSlash(path)}
}

func trimSlash(path []byte) string {
	if len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	return string(path)
}

// sessionOf finds the session of a client id, nil when the client is not known, and notes that the
// client lives. What was found is remembered, so that the calls of one client on one connection
// share no lock with others.
func (c *Client) sessionOf(id []byte) *session.Session {
	if s := c.session; s == nil || s.ID != string(id) || s.Ended() {
		c.session = c.service.Sessions.Find(id)
	}
	if c.session != nil {
		c.session.Heard(c.now)
	}
	return c.session
}
