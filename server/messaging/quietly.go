package messaging

import (
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// looseDelivery names a delivery that no client waits for. Its views are borrowed for the
// call only.
type looseDelivery struct {
	group, topic, liteTopic, handle []byte
}

func looseOf(d *backend.Delivery) looseDelivery {
	return looseDelivery{d.Group, d.Topic, d.LiteTopic, d.HandleText}
}

// own copies the names, because the operation outlives what they were borrowed from. ok is
// false for a handle that cannot be read.
func (d looseDelivery) own() (backend.Delivery, bool) {
	text := append([]byte(nil), d.handle...)
	h, err := handle.Parse(text)
	return backend.Delivery{
		Group: append([]byte(nil), d.group...), Topic: append([]byte(nil), d.topic...),
		LiteTopic: append([]byte(nil), d.liteTopic...), HandleText: text, Handle: h,
	}, err == nil
}

// quiet is an operation whose outcome is of interest to nobody: a message that it could not
// help comes back when its invisible time is over.
type quiet struct {
	ack    backend.Ack
	change backend.ChangeInvisible
	dead   backend.DeadLetter
	held   *session.Held       // what change is of, when it was renewed
	of     *Client             // of those that wait for a renewal
	then   func(now time.Time) // after a success
}

// OnTurn takes note of the end.
func (q *quiet) OnTurn(now time.Time) {
	if q.held != nil {
		q.of.service.renewer.Free(q.held)
	}
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
		q := &quiet{of: m.client}
		q.change = backend.ChangeInvisible{Delivery: delivery, Invisible: svc.InvisibleWhenClear, Suspend: true}
		var holder *session.Session
		if m.renews() {
			holder = m.who
		}
		var wait bool
		if q.held, wait = m.client.claim(holder, &q.change.Delivery, (*quietClaimed)(q)); !wait {
			q.handBack(m.client.now)
		}
	}
}

// quietClaimed is the event of a delivery whose newest handle is known now.
type quietClaimed quiet

// OnTurn hands the message back.
func (c *quietClaimed) OnTurn(now time.Time) {
	q := (*quiet)(c)
	q.held.Delivery(&q.change.Delivery)
	q.handBack(now)
}

func (q *quiet) handBack(now time.Time) {
	q.of.now = now
	q.change.Exchange = q.of.service.exchange(q.of, q)
	q.of.service.Backend.ChangeInvisible(&q.change, now)
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
