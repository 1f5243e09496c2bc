package cluster

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/server/backend"
)

// route is what is known of a topic: what the methods may see, and which lanes lead to its
// queues. It is immutable but for its atomics.
type route struct {
	backend.Topic

	writable []writeQueue // sorted by broker name and queue id
	readable []readBroker // sorted by broker name
	brokers  []command.RouteBroker

	knowledge
	typed      time.Time   // when the type was asked for
	doubted    atomic.Bool // an answer contradicted it: renew at the next use
	writeTurns atomic.Uint32
	readTurns  atomic.Uint32
}

// writeQueue is one queue that may be sent to: on a master.
type writeQueue struct {
	broker string
	peer   *peer
	index  int // of the broker among those of the route
	id     int32
}

// readBroker is one broker that may be popped from.
type readBroker struct {
	name string
	peer *peer
}

// newRoute makes a route of a name server's answer. answer is nil for a topic that does not
// exist; a topic without queues or brokers does not either.
func (c *Cluster) newRoute(name string, answer *command.TopicRoute, now time.Time) *route {
	r := &route{Topic: backend.Topic{Name: name}, knowledge: knowledge{loaded: now}, typed: now}
	r.lastUsed.Store(now.Unix())
	r.Route = r
	if answer == nil || len(answer.Queues) == 0 || len(answer.Brokers) == 0 {
		return r
	}
	r.Exists = true
	r.brokers = answer.Brokers
	r.writeTurns.Store(rand.Uint32())
	r.readTurns.Store(rand.Uint32())
	c.learnMasters(answer.Brokers)
	for _, queues := range answer.Queues {
		r.addQueues(c, answer, queues)
	}
	slices.SortStableFunc(r.writable, func(a, b writeQueue) int {
		return cmp.Or(cmp.Compare(a.broker, b.broker), cmp.Compare(a.id, b.id))
	})
	slices.SortFunc(r.readable, func(a, b readBroker) int { return cmp.Compare(a.name, b.name) })
	return r
}

func (r *route) addQueues(c *Cluster, answer *command.TopicRoute, q command.RouteQueues) {
	broker := findBroker(answer.Brokers, q.BrokerName)
	if broker == nil {
		return
	}
	ids := make([]int64, 0, len(broker.Addrs))
	for id := range broker.Addrs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	q.Read, q.Write = sane(q.Read), sane(q.Write)
	r.Queues = append(r.Queues, backend.BrokerQueues{
		Broker: q.BrokerName, BrokerIDs: ids, Read: int(q.Read), Write: int(q.Write),
		Readable: q.Perm.Readable(), Writable: q.Perm.Writable(),
	})
	if q.Perm.Readable() && q.Read > 0 {
		if addr := readAddr(broker); addr != "" {
			r.readable = append(r.readable, readBroker{name: q.BrokerName, peer: c.peer(addr)})
		}
	}
	if q.Perm.Writable() && broker.Master() != "" {
		master := c.peer(broker.Master())
		for id := range writeQueues(answer.OrderTopicConf, q) {
			r.writable = append(r.writable, writeQueue{broker: q.BrokerName, peer: master, index: len(r.Queues), id: int32(id)})
		}
	}
}

// writeQueues is how many queues of a broker may be written: an order configuration
// ("broker:queues;...") overrides the announced number, and leaves other brokers out.
func writeQueues(orderConf string, q command.RouteQueues) int {
	if strings.TrimSpace(orderConf) == "" {
		return int(q.Write)
	}
	for entry := range strings.SplitSeq(orderConf, ";") {
		broker, count, _ := strings.Cut(strings.TrimSpace(entry), ":")
		if n, err := strconv.ParseInt(count, 10, 32); err == nil && broker == q.BrokerName {
			return int(sane(int32(n)))
		}
	}
	return 0
}

// queuesMax is far more queues than a topic has on one broker. A name server that says more, or
// less than none, must not cost us the memory.
const queuesMax = 1 << 14

func sane(queues int32) int32 { return min(max(queues, 0), queuesMax) }

func findBroker(brokers []command.RouteBroker, name string) *command.RouteBroker {
	for i := range brokers {
		if brokers[i].BrokerName == name {
			return &brokers[i]
		}
	}
	return nil
}

// readAddr is the master's address, else that of the replica with the lowest id.
func readAddr(b *command.RouteBroker) string {
	if master := b.Master(); master != "" {
		return master
	}
	lowest, found := int64(0), ""
	for id, addr := range b.Addrs {
		if found == "" || id < lowest {
			lowest, found = id, addr
		}
	}
	return found
}

// learnMasters notes where the masters of brokers are, for receipt handles that name them.
func (c *Cluster) learnMasters(brokers []command.RouteBroker) {
	for i := range brokers {
		b := &brokers[i]
		if b.Master() == "" {
			continue
		}
		p := c.peer(b.Master())
		if c.masters.Get([]byte(b.BrokerName)) != p {
			c.masters.Put(b.BrokerName, p, c.config.Routes.Max)
		}
	}
}

// Topic implements backend.Backend.
func (c *Cluster) Topic(name []byte, now time.Time) *backend.Topic {
	r := c.route(name, now)
	if r == nil {
		return nil
	}
	return &r.Topic
}

// route returns what is known, nil when it must be fetched, and renews what is old.
func (c *Cluster) route(name []byte, now time.Time) *route {
	r := c.routes.Get(name)
	if r == nil {
		return nil
	}
	age := r.use(now)
	if !r.Exists && age > c.config.NegativeFor {
		return nil
	}
	old := age > c.config.Routes.Refresh || now.Sub(r.typed) > c.config.Types.Refresh
	if (old || r.doubted.Load()) && r.claim() {
		c.loadTopic(r.Name, now)
	}
	return r
}

// doubt makes the next use of r renew it.
func (r *route) doubt() { r.doubted.Store(true) }

// readBroker chooses the broker of a pop: the named one if it can be read, else the next in turn.
func (r *route) readBroker(name []byte) (readBroker, bool) {
	for _, b := range r.readable {
		if b.name == string(name) {
			return b, true
		}
	}
	n := len(r.readable)
	if n == 0 {
		return readBroker{}, false
	}
	return r.readable[int(r.readTurns.Add(1)%uint32(n))], true
}

// readQueue finds the broker of a queue that is named. A queue that is not known puts the route
// in doubt: the topic may have grown.
func (r *route) readQueue(q *backend.Queue) (readBroker, backend.Fault) {
	for i := range r.Queues {
		b := &r.Queues[i]
		if b.Broker != string(q.Broker) {
			continue
		}
		broker, known := r.readBroker(q.Broker)
		switch {
		case !known:
			return readBroker{}, backend.Fault{Kind: backend.NoReadableQueue, Text: "no readable queue"}
		case q.ID < 0 || int(q.ID) >= b.Read:
			r.doubt()
			return readBroker{}, backend.Fault{Kind: backend.BadQueue, Text: "queue id " + strconv.Itoa(int(q.ID)) + " is illegal: broker " +
				b.Broker + " has " + strconv.Itoa(b.Read) + " queues of topic " + r.Name}
		}
		return broker, backend.Fault{}
	}
	r.doubt()
	return readBroker{}, noMaster(backend.Fault{}, backend.BadBroker, q.Broker)
}

// routeOf finds the route behind a topic that was handed out.
func routeOf(t *backend.Topic) *route {
	r, _ := t.Route.(*route)
	return r
}
