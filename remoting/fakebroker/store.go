package fakebroker

import (
	"net/netip"
	"strings"

	"rocketmq-proxy/codec/message"
)

// queueKey names a queue of a broker.
type queueKey struct {
	topic string
	id    int32
}

// queue is a queue; the offset of a message is its index.
type queue struct{ messages []*stored }

// stored is a message as the broker keeps it.
type stored struct {
	record message.Record
	body   []byte
}

func (s *stored) property(name string) string {
	return string(message.Property(s.record.Properties, name))
}

// encode appends the stored layout, with other properties and another topic where given.
func (s *stored) encode(dst []byte, topic string, properties []byte) []byte {
	record := s.record
	record.Topic, record.Properties = []byte(topic), properties
	return message.AppendRecord(dst, &record, s.body)
}

// withProperty returns properties with a pair at the end.
func withProperty(properties []byte, name, value string) []byte {
	properties = append([]byte(nil), properties...)
	if n := len(properties); n > 0 && properties[n-1] != 2 {
		properties = append(properties, 2)
	}
	return append(append(append(append(properties, name...), 1), value...), 2)
}

func (b *Broker) queue(topic string, id int32) *queue {
	key := queueKey{topic, id}
	if b.queues[key] == nil {
		b.queues[key] = &queue{}
	}
	return b.queues[key]
}

// host is where the broker stores.
func (b *Broker) host() message.Host {
	addr, err := netip.ParseAddrPort(b.Addr)
	if err != nil {
		return message.Host{}
	}
	return message.Host{IP: addr.Addr(), Port: int32(addr.Port())}
}

// ip is the broker as its remarks name it.
func (b *Broker) ip() string { return b.host().IP.String() }

// log gives a message a place in the commit log.
func (b *Broker) log(s *stored) {
	s.record.StoreHost = b.host()
	s.record.StoreTimestamp = b.now()
	s.record.PhysicalOffset = b.logNext
	b.logNext += int64(len(s.encode(nil, string(s.record.Topic), s.record.Properties)))
	b.byLog[s.record.PhysicalOffset] = s
}

// put logs a message and puts it at the end of its queue; then polls and pulls look again.
func (b *Broker) put(s *stored) {
	q := b.queue(string(s.record.Topic), s.record.QueueID)
	s.record.QueueOffset = int64(len(q.messages))
	b.log(s)
	q.messages = append(q.messages, s)
	b.wake(string(s.record.Topic))
	b.wakePulls(string(s.record.Topic))
}

// copyTo returns a copy of a message for another topic, queue 0.
func (s *stored) copyTo(topic string, properties []byte) *stored {
	c := &stored{record: s.record, body: s.body}
	c.record.Topic, c.record.Properties, c.record.QueueID = []byte(topic), properties, 0
	return c
}

// Messages are the bodies of all messages of a topic on this broker, queue by queue.
func (b *Broker) Messages(topic string) []string {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	var bodies []string
	for id := int32(0); ; id++ {
		q := b.queues[queueKey{topic, id}]
		if q == nil {
			if id >= topicQueuesMax {
				return bodies
			}
			continue
		}
		for _, s := range q.messages {
			bodies = append(bodies, string(s.body))
		}
	}
}

// topicQueuesMax is how many queues of a topic Messages looks at.
const topicQueuesMax = 64

// retryTopic is the topic from which a pop group gets messages again (specification 4.4, v1).
func retryTopic(group, topic string) string { return "%RETRY%" + group + "_" + topic }

// wakes tells whether a message of a topic may end a poll for another.
func wakes(stored, polled string) bool {
	return stored == polled || strings.HasPrefix(stored, "%RETRY%") && strings.HasSuffix(stored, "_"+polled)
}
