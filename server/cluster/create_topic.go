package cluster

import (
	"errors"
	"sync"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/server/backend"
)

// CreateTopic makes a topic with so many queues on every master of a cluster, or changes it where it
// is. done is called once, on any turn, with the first error.
func (c *Cluster) CreateTopic(topic, cluster string, queues int32, done func(error)) {
	c.withRoute(cluster, func(r *route, f backend.Fault) {
		var masters []string
		if r != nil {
			for i := range r.brokers {
				if addr := r.brokers[i].Master(); addr != "" {
					masters = append(masters, addr)
				}
			}
		}
		switch {
		case !f.OK():
			done(errors.New(f.Text))
		case len(masters) == 0:
			done(errors.New("no broker of cluster " + cluster + " is known"))
		default:
			c.createTopic(&command.UpdateTopic{
				Topic: topic, ReadQueues: queues, WriteQueues: queues, Perm: command.PermRead | command.PermWrite,
			}, masters, done)
		}
	})
}

func (c *Cluster) createTopic(update *command.UpdateTopic, masters []string, done func(error)) {
	var (
		mu    sync.Mutex
		left  = len(masters)
		first error
	)
	for _, addr := range masters {
		encode := func(dst []byte, opaque int32) []byte { return command.AppendUpdateTopic(dst, opaque, update, 0) }
		ask(c.peer(addr).lane(metadataLane), c.config.MetadataTimeout, encode, func(code command.ResponseCode, remark string, _ []byte, err error) {
			if err == nil && code != command.ResponseSuccess {
				err = errors.New("broker " + addr + " answered " + code.String() + ": " + remark)
			}
			mu.Lock()
			if first == nil {
				first = err
			}
			left--
			last, err := left == 0, first
			mu.Unlock()
			if last {
				done(err)
			}
		})
	}
}
