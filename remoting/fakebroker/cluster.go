package fakebroker

import (
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
)

// Cluster is a name server and its brokers.
type Cluster struct {
	Name       string
	NameServer *NameServer
	Brokers    []*Broker

	autoTopic, autoGroup bool
	brokers              int
	host                 string
	tls                  *tls.Config // nil: cleartext
	now                  func() time.Time

	mu     sync.Mutex // topics, groups, and everything in the brokers
	topics map[string]*Topic
	groups map[string]*command.GroupConfig
}

// NameServer answers for the routes.
type NameServer struct{ *Server }

// Topic is what a test says of a topic; zero fields mean 4 queues, perm 6, type NORMAL, on
// every broker.
type Topic struct {
	Name    string
	Queues  int32
	Perm    command.Perm
	Type    string   // UNSPECIFIED, NORMAL, FIFO, DELAY, TRANSACTION, PRIORITY, LITE, MIXED
	Brokers []string // names
}

const topicQueues = 4

// Option changes how a Cluster starts.
type Option func(*Cluster)

// WithBrokers starts n brokers, fake-0 and so on, in the place of one.
func WithBrokers(n int) Option { return func(c *Cluster) { c.brokers = n } }

// WithHost listens on this loopback address in the place of 127.0.0.1.
func WithHost(host string) Option { return func(c *Cluster) { c.host = host } }

// WithTLS speaks TLS in the place of cleartext.
func WithTLS(config *tls.Config) Option { return func(c *Cluster) { c.tls = config } }

// WithClock makes long polls, invisible times and delays follow a test's clock. They then end
// only when the test calls Tick.
func WithClock(now func() time.Time) Option { return func(c *Cluster) { c.now = now } }

// WithoutAutoCreate refuses unknown topics (17) and groups (26), as strict brokers do.
func WithoutAutoCreate() Option {
	return func(c *Cluster) { c.autoTopic, c.autoGroup = false, false }
}

// Start starts a cluster, which ends with the test.
func Start(tb testing.TB, options ...Option) *Cluster {
	c := &Cluster{
		Name: "DefaultCluster", brokers: 1, host: "127.0.0.1", autoTopic: true, autoGroup: true,
		topics: map[string]*Topic{}, groups: map[string]*command.GroupConfig{},
	}
	for _, option := range options {
		option(c)
	}
	ticks := c.now == nil
	if ticks {
		c.now = time.Now
	}
	for i := range c.brokers {
		c.Brokers = append(c.Brokers, newBroker(tb, c, fmt.Sprint("fake-", i)))
	}
	// Behind the brokers, because it is asked for them as soon as it listens.
	c.NameServer = &NameServer{}
	c.NameServer.Server = newServer(tb, c, c.serveName)
	if ticks {
		c.tickForever(tb)
	}
	return c
}

// tickEvery is how late the real clock may be noticed.
const tickEvery = 5 * time.Millisecond

func (c *Cluster) tickForever(tb testing.TB) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	tb.Cleanup(func() {
		close(stop)
		<-stopped
	})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(tickEvery)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				c.Tick()
			}
		}
	}()
}

// Tick does what time asks for: ends polls, revives messages, delivers delayed ones.
func (c *Cluster) Tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.Brokers {
		b.tick(c.now())
	}
}

// SetTopic creates or changes a topic.
func (c *Cluster) SetTopic(topic Topic) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setTopic(topic)
}

func (c *Cluster) setTopic(topic Topic) *Topic {
	if topic.Queues == 0 {
		topic.Queues = topicQueues
	}
	if topic.Perm == 0 {
		topic.Perm = command.PermRead | command.PermWrite
	}
	c.topics[topic.Name] = &topic
	return &topic
}

// DeleteTopic removes a topic; its messages stay out of reach.
func (c *Cluster) DeleteTopic(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.topics, name)
}

// SetGroup creates or changes a group; change may be nil.
func (c *Cluster) SetGroup(name string, change func(*command.GroupConfig)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	group := c.group(name, true)
	if change != nil {
		change(group)
	}
}

// group finds a group, or makes it with the settings that brokers give it.
func (c *Cluster) group(name string, create bool) *command.GroupConfig {
	group := c.groups[name]
	if group == nil && create {
		group = &command.GroupConfig{
			GroupName: name, Attributes: map[string]string{}, RetryPolicy: command.RetryPolicy{Type: "CUSTOMIZED"},
			SlowBrokerID: 1, RetryMaxTimes: 16, RetryQueues: 1, ConsumeTimeoutMinutes: 15, ConsumeEnable: true,
			ConsumeFromMinEnable: true, ConsumeBroadcastEnable: true, NotifyConsumerIDsEnable: true,
		}
		c.groups[name] = group
	}
	return group
}

// topic finds a topic of a broker, or makes it as a send to an unknown topic does.
func (c *Cluster) topic(name, broker string, create bool) *Topic {
	topic := c.topics[name]
	if topic == nil && create && name != "" {
		topic = c.setTopic(Topic{Name: name})
	}
	if topic != nil && topic.Brokers != nil && !slices.Contains(topic.Brokers, broker) {
		return nil
	}
	return topic
}
