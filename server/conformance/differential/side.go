package differential

import (
	"context"
	"sync"

	"rocketmq-proxy/server/conformance/cluster"
)

// Side is a proxy that rows are run against.
type Side struct {
	Name     string // java, cluster or local
	Broker   string // what its broker calls itself
	Endpoint string // host:port of its gRPC server; rows speak cleartext

	// MakeTopic and MakeGroup prepare what is behind the proxy.
	MakeTopic func(ctx context.Context, name, messageType string, queues int) error
	MakeGroup func(ctx context.Context, name string, settings cluster.Group) error
	// Stored reads a message out of the broker; nil where that cannot be asked.
	Stored func(ctx context.Context, commitLogOffset int64) (*cluster.StoredMessage, error)

	mu     sync.Mutex
	topics map[string]string // that rows share, by the type of their messages
}

// sharedTopics are the placeholders of topics that all rows share, for requests that store nothing.
var sharedTopics = map[string]string{
	"normal": "NORMAL", "fifo": "FIFO", "delay": "DELAY", "transaction": "TRANSACTION", "mixed": "MIXED",
	"priority": "PRIORITY", "lite": "LITE",
}

// sharedQueues is how many queues each of them has.
const sharedQueues = 4

// shared is the name of a topic for all rows; it is made when it is first wanted.
func (s *Side) shared(ctx context.Context, kind string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name := s.topics[kind]; name != "" {
		return name, nil
	}
	name := freshName()
	if err := s.MakeTopic(ctx, name, sharedTopics[kind], sharedQueues); err != nil {
		return "", err
	}
	if s.topics == nil {
		s.topics = map[string]string{}
	}
	s.topics[kind] = name
	return name, nil
}
