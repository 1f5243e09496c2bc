package messaging

import (
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// answer sorts what was popped and streams what is left: status first, then the messages in
// the broker's order, then the time of delivery (gRPC specification 2.5 step 11).
func (m *receiveMessage) answer(s *h2.Stream, now time.Time) {
	switch m.op.Outcome {
	case backend.PopFull:
		m.refuse(s, failure(apiv2.Code_TOO_MANY_REQUESTS, "polling full"), true)
		return
	case backend.PopNone:
		m.refuse(s, nothingNew, true)
		return
	}
	m.sort()
	if len(m.kept) == 0 {
		m.refuse(s, noMatch, true)
		return
	}
	if m.renews() && m.who.Ended() {
		m.handBack(0)
		m.refuse(s, m.disconnected(apiv2.Code_MESSAGE_NOT_FOUND), true)
		return
	}
	m.ended = true
	m.writeStatus(s, ok)
	sent := 0
	for _, i := range m.kept {
		sent += m.write(s, &m.op.Messages[i], now)
		m.delivered = append(m.delivered, sent)
	}
	if m.renews() {
		m.hold()
	}
	m.finish(s, true)
}

// renews tells whether the client wants its deliveries kept invisible.
func (m *receiveMessage) renews() bool { return m.view.AutoRenew && m.client.service.AutoRenew }

// hold begins to renew what was delivered.
func (m *receiveMessage) hold() {
	for _, i := range m.kept {
		popped := &m.op.Messages[i]
		loose := m.deliveryOf(popped)
		d := backend.Delivery{Group: loose.group, Topic: loose.topic, LiteTopic: loose.liteTopic, HandleText: loose.handle}
		var err error
		if d.Handle, err = handle.Parse(loose.handle); err == nil {
			m.client.service.renewer.Hold(m.who, &d, popped.ReconsumeTimes)
		}
	}
}

func (m *receiveMessage) disconnected(code apiv2.Code) apiv2.Outcome {
	return failure(code, "The client ["+m.who.ID+"] is disconnected.")
}

// nothingNew is a poll that ended without a message.
var nothingNew = apiv2.Outcome{Code: apiv2.Code_MESSAGE_NOT_FOUND, Message: "no new message"}

// noMatch is a poll whose messages were all for others.
var noMatch = apiv2.Outcome{Code: apiv2.Code_MESSAGE_NOT_FOUND, Message: "no match message"}

// sort keeps the messages that are for the receiver. One whose tag only had the same hash is
// acknowledged on the group's behalf, one that was delivered too often becomes a dead letter.
func (m *receiveMessage) sort() {
	attemptsMax := int32(m.group.Found.RetryMax + 1)
	for i := range m.op.Messages {
		popped := &m.op.Messages[i]
		switch {
		case !m.filter.matches(popped.Properties):
			m.client.service.ackQuietly(m.client, m.deliveryOf(popped))
		case popped.ReconsumeTimes >= attemptsMax:
			m.client.service.deadLetterQuietly(m.client, m.deliveryOf(popped), message.Property(popped.Properties, message.NameUniqKey))
		default:
			m.kept = append(m.kept, i)
		}
	}
}

func (m *receiveMessage) deliveryOf(popped *backend.Popped) looseDelivery {
	d := looseDelivery{group: m.view.Group.Name, topic: m.view.Topic.Name, handle: m.op.Handle(popped)}
	if m.op.Lite {
		d.liteTopic = message.Property(popped.Properties, message.NameLiteTopic)
	}
	return d
}

// write streams one message: its head encoded, its body shared. It returns the bytes of the
// element on the stream.
func (m *receiveMessage) write(s *h2.Stream, popped *backend.Popped, now time.Time) int {
	m.shown.convert(m.view.Topic.Name, &popped.Record, &m.op.Body, now)
	m.shown.message.ReceiptHandle = m.op.Handle(popped)
	total := m.shown.appendTo(&m.element, popped.BodyOffset, popped.BodyLen, &m.op.Body)
	s.Send(&m.element)
	return grpc.PrefixBytes + total
}
