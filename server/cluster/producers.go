package cluster

import (
	"slices"
	"sync"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// Brokers ask about half messages whoever sent them heartbeats as a producer of the group,
// which is the topic. So the proxy is a producer of every topic of transactions that its
// clients publish to, at every broker of the topic (gRPC specification 7.3). It differs from
// the reference: topics of mixed types count too, heartbeats are answered, so that a dead
// connection is noticed, and brokers of the cluster that the topic does not live on get none.

// producerClientID is how the proxy calls itself, all proxies alike.
const producerClientID = "rmq-proxy-producer-client"

// Attach implements backend.Backend.
func (c *Cluster) Attach(clients backend.Clients) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clients = clients
	if !c.closed {
		c.beater = time.AfterFunc(c.config.ProducerBeat, c.beat)
	}
}

// beat begins a round of heartbeats.
func (c *Cluster) beat() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.beater.Reset(c.config.ProducerBeat)
	c.mu.Unlock()
	topics := c.clients.Published()
	slices.Sort(topics) // batches are the same from round to round
	round := &beatRound{cluster: c, left: len(topics), groups: make(map[*peer][]string)}
	for _, topic := range topics {
		c.withRoute(topic, func(r *route, _ backend.Fault) { round.add(topic, r) })
	}
}

// beatRound gathers who is to be told of which groups: the routes come from any turn.
type beatRound struct {
	cluster *Cluster

	mu     sync.Mutex
	left   int
	groups map[*peer][]string
}

func (b *beatRound) add(topic string, r *route) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r != nil && r.Exists && (r.Type == backend.TypeTransaction || r.Type == backend.TypeMixed) {
		for i := range r.brokers {
			if addr := readAddr(&r.brokers[i]); addr != "" {
				p := b.cluster.peer(addr)
				b.groups[p] = append(b.groups[p], topic)
			}
		}
	}
	if b.left--; b.left > 0 {
		return
	}
	for p, groups := range b.groups {
		for batch := range slices.Chunk(groups, b.cluster.config.ProducerBatch) {
			b.cluster.heartbeat(p, batch)
		}
	}
}

// heartbeat tells a broker which producer groups it may ask.
func (c *Cluster) heartbeat(p *peer, groups []string) {
	beat := command.Heartbeat{ClientID: producerClientID}
	for _, group := range groups {
		beat.Producers = append(beat.Producers, command.HeartbeatProducer{Group: group})
	}
	body := command.AppendHeartbeatBody(nil, &beat)
	encode := func(dst []byte, opaque int32) []byte {
		return append(command.AppendHeartbeat(dst, opaque, len(body)), body...)
	}
	ask(p.lane(clientLane), c.config.MetadataTimeout, encode, func(_ command.ResponseCode, _ string, _ []byte, err error) {
		if err != nil {
			c.report("heartbeat failed", p.addr, err)
		}
	})
}

// checked passes the question what became of a half message on to a producer. Nobody being
// there to ask is no fault: the broker asks again.
func (c *Cluster) checked(p *peer, head *command.Head, body *pool.Chain) {
	asked, err := command.ParseCheckTransaction(head)
	if err != nil {
		c.report("bad transaction check", p.addr, err)
		return
	}
	check := &backend.TransactionCheck{}
	check.Body.AppendChain(body)
	records := message.NewReader(&check.Body)
	if !records.Next(&check.Record) {
		c.report("bad transaction check", p.addr, records.Err())
		check.Release()
		return
	}
	id := asked.TransactionID
	if len(id) == 0 {
		id = message.Property(check.Record.Properties, message.NameUniqKey)
	}
	group := message.Property(check.Record.Properties, message.NameProducerGroup)
	check.Topic, check.TransactionID = string(group), string(id)
	now := time.Now()
	c.halves.put(&transaction{
		key: transactionKey(group, id), broker: string(asked.BrokerName), peer: p,
		stateOffset: asked.TranStateTableOffset, logOffset: asked.CommitLogOffset,
		expires: now.Add(c.config.TransactionExpiry),
	}, now, c.config.TransactionsPerKeyMax)
	c.clients.CheckTransaction(check)
}
