package messaging

import (
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// looseDelivery names a delivery that no client waits for. Its views are borrowed for the
// call only.
type looseDelivery struct {
	group, topic, handle []byte
}

// own copies the names, because the operation outlives what they were borrowed from. ok is
// false for a handle that cannot be read.
func (d looseDelivery) own() (backend.Delivery, bool) {
	text := append([]byte(nil), d.handle...)
	h, err := handle.Parse(text)
	return backend.Delivery{
		Group: append([]byte(nil), d.group...), Topic: append([]byte(nil), d.topic...),
		HandleText: text, Handle: h,
	}, err == nil
}

// quiet is an operation whose outcome is of interest to nobody: a message that it could not
// help comes back when its invisible time is over.
type quiet struct {
	ack    backend.Ack
	change backend.ChangeInvisible
	dead   backend.DeadLetter
	then   func(now time.Time) // after a success
}

// OnTurn takes note of the end.
func (q *quiet) OnTurn(now time.Time) {
	if q.then != nil && q.dead.Fault.OK() {
		q.then(now)
	}
}

func (svc *Service) exchange(c *Client, q *quiet) backend.Exchange {
	return backend.Exchange{Home: c.turn, Then: q, Deadline: c.now.Add(svc.CallTimeout)}
}

// ackQuietly ends a delivery that the receiver did not want.
func (svc *Service) ackQuietly(c *Client, d looseDelivery) {
	if delivery, valid := d.own(); valid {
		q := &quiet{}
		q.ack = backend.Ack{Exchange: svc.exchange(c, q), Delivery: delivery}
		svc.Backend.Ack(&q.ack, c.now)
	}
}

// deadLetterQuietly moves a message that was delivered too often to the dead letters and, when
// that is done, ends its delivery.
func (svc *Service) deadLetterQuietly(c *Client, d looseDelivery, messageID []byte) {
	delivery, valid := d.own()
	if !valid || delivery.Handle.CommitLogOffset < 0 {
		return
	}
	q := &quiet{}
	q.then = func(now time.Time) {
		q.then, c.now = nil, now
		q.ack = backend.Ack{Exchange: svc.exchange(c, q), Delivery: delivery}
		svc.Backend.Ack(&q.ack, c.now)
	}
	q.dead = backend.DeadLetter{Exchange: svc.exchange(c, q), Delivery: delivery, MessageID: append([]byte(nil), messageID...)}
	svc.Backend.DeadLetter(&q.dead, c.now)
}

// handBack makes the kept messages from index from on visible again, without counting the
// delivery: their receiver is gone (gRPC specification 2.5 step 13).
func (m *receiveMessage) handBack(from int) {
	svc := m.client.service
	for _, i := range m.kept[from:] {
		delivery, valid := m.deliveryOf(&m.op.Messages[i]).own()
		if !valid {
			continue
		}
		q := &quiet{}
		q.change = backend.ChangeInvisible{
			Exchange: svc.exchange(m.client, q), Delivery: delivery,
			Invisible: svc.InvisibleWhenClear, Suspend: true,
		}
		svc.Backend.ChangeInvisible(&q.change, m.client.now)
	}
}

// undelivered is the index of the first kept message that had not left whole.
func (m *receiveMessage) undelivered(s *h2.Stream) int {
	if len(m.delivered) == 0 {
		return len(m.kept)
	}
	left := m.delivered[len(m.delivered)-1] + m.tail - s.Unsent()
	for i, end := range m.delivered {
		if end > left {
			return i
		}
	}
	return len(m.kept)
}
