// Package cluster is the backend over remote brokers. It knows where topics live, chooses a
// queue or a broker for each operation, turns the operation into a Remoting request on the
// right lane, and the answer into the operation's reply.
//
//	client turn                       lane's turn                       client turn
//	Send: route ─► queue ─► peer ──► sendCall.OnTurn ─► Conn … Done ──► op.Then
//
// Nothing on that way is locked or allocated: routes are immutable snapshots behind atomic
// pointers, an operation carries its call, and the two posts are the only hand-offs.
package cluster

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// Config is what the cluster backend needs to know.
type Config struct {
	// NameServers are host:port; UpdateNameServers may say otherwise later.
	NameServers []string
	// ClusterName is the topic, named like the cluster, through which the brokers are found
	// that know consumer groups.
	ClusterName string

	CallTimeout     time.Duration // of sends, acks and changes: the reference's 2 s
	MetadataTimeout time.Duration // of routes and of topic and group settings

	Routes Memory // of topics
	Types  Memory // of the settings of topics; both are in one entry, whose bounds are the lower ones
	Groups Memory // of the settings of groups

	NegativeFor time.Duration // how long a topic that was not found is believed missing

	ProducerBeat          time.Duration // how often brokers hear which producers may be asked
	ProducerBatch         int           // groups in one heartbeat
	TransactionExpiry     time.Duration // how long a half message may be ended
	TransactionsPerKeyMax int           // half messages that are remembered of one id

	Faults Faults

	ProbeAfter time.Duration // the first pause before name servers are asked again of which none answers
	ProbeMax   time.Duration // the longest

	Lanes    remoting.Limits
	Counters *remoting.Counters

	// Dial opens a connection; it blocks.
	Dial Dialer
	// Report hears of what an operator may want to know: event says what, addr where. It is
	// called from any turn and must not block.
	Report func(event, addr string, err error)
	// NameServersChanged hears, with an error, that no name server answers, and with nil that
	// one does again: once each time. It is called like Report, and may be nil.
	NameServersChanged func(err error)
}

// Defaults returns the reference's timeouts and cache rules.
func Defaults() Config {
	remembers := Memory{Refresh: 20 * time.Second, Expiry: 300 * time.Second, Max: 20_000}
	return Config{
		ClusterName:     "DefaultCluster",
		CallTimeout:     2 * time.Second,
		MetadataTimeout: 3 * time.Second,
		Routes:          remembers,
		Types:           remembers,
		Groups:          remembers,
		NegativeFor:     2 * time.Second,
		ProbeAfter:      time.Second,
		ProbeMax:        30 * time.Second,

		Faults: Faults{DetectTimeout: 200 * time.Millisecond, DetectEvery: 2 * time.Second},

		ProducerBeat: 20 * time.Second, ProducerBatch: 100,
		TransactionExpiry: 30 * time.Second, TransactionsPerKeyMax: 15,
	}
}

// Cluster implements backend.Backend over remote brokers.
type Cluster struct {
	config   Config
	counters *remoting.Counters

	routes  backend.Table[route]
	groups  backend.Table[group]
	masters backend.Table[peer] // by broker name
	filters backend.Table[understood]
	halves  transactions

	topicFlights flights[func(*route, backend.Fault)]
	groupFlights flights[*backend.FetchGroup]
	servers      nameServers

	mu      sync.Mutex // the following, none of it touched for a message
	peers   map[string]*peer
	names   *remoting.NameServers
	closed  bool
	sweeper *time.Timer
	clients backend.Clients // set once, before any operation
	beater  *time.Timer     // nil until clients is set
}

var _ backend.Backend = (*Cluster)(nil)

// errClosed is why everything fails after Close.
var errClosed = errors.New("the proxy is shutting down")

// New returns a Cluster that knows nothing yet. It connects when it is first asked.
func New(config Config) *Cluster {
	c := &Cluster{
		config: config, counters: config.Counters,
		peers: make(map[string]*peer),
		names: remoting.NewNameServers(dialables(config.NameServers), newRand()),
	}
	if c.counters == nil {
		c.counters = new(remoting.Counters)
	}
	c.sweeper = time.AfterFunc(sweepEvery, c.sweep)
	return c
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }

// Close ends every lane; operations in flight come home with a fault.
func (c *Cluster) Close() {
	c.servers.end()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.sweeper.Stop()
	if c.beater != nil {
		c.beater.Stop()
	}
	for _, p := range c.peers {
		p.end(errClosed)
	}
}

// sweepEvery is how often knowledge that nobody uses is looked for.
const sweepEvery = 30 * time.Second

func (c *Cluster) sweep() {
	c.forget(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.sweeper.Reset(sweepEvery)
	}
}

// forget drops what nobody has used for long.
func (c *Cluster) forget(now time.Time) {
	topics := min(c.config.Routes.Expiry, c.config.Types.Expiry)
	c.routes.Prune(func(r *route) bool { return now.Sub(r.used()) > topics })
	c.groups.Prune(func(g *group) bool { return now.Sub(g.used()) > c.config.Groups.Expiry })
	c.halves.prune(now)
}

// peer returns the lanes to an address, made at its first use.
func (c *Cluster) peer(addr string) *peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	addr = dialable(addr)
	p := c.peers[addr]
	if p == nil {
		p = newPeer(c, addr)
		c.peers[addr] = p
		if c.closed {
			p.end(errClosed)
		}
	}
	return p
}

func (c *Cluster) report(event, addr string, err error) {
	if c.config.Report != nil {
		c.config.Report(event, addr, err)
	}
}

// carrier returns the backend's memory that an operation carries, made at its first use.
func carrier[T any](slot *any) *T {
	if c, made := (*slot).(*T); made {
		return c
	}
	c := new(T)
	*slot = c
	return c
}
