package messaging

import (
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

// What the backend asks of clients goes to their telemetry streams, each on the turn of its
// connection.
var _ backend.Clients = (*Service)(nil)

// producersAskedMax is how many producers are tried, should their streams just have ended.
const producersAskedMax = 3

// CheckTransaction implements backend.Clients. Producers that did not name the topic in their
// settings are not found, as with the reference.
func (svc *Service) CheckTransaction(check *backend.TransactionCheck) bool {
	o := &orphan{service: svc, check: check}
	return o.ask()
}

// orphan is a half message whose producer is being asked.
type orphan struct {
	service *Service
	check   *backend.TransactionCheck
	asked   int
	stream  *telemetry
}

// ask posts the question to the next producer.
func (o *orphan) ask() bool {
	if who := o.service.Sessions.Producer(o.check.Topic); who != nil && o.asked < producersAskedMax {
		if stream, is := who.Stream().(*telemetry); is {
			o.asked++
			o.stream = stream
			stream.client.turn.Post(o)
			return true
		}
	}
	o.check.Release()
	return false
}

// OnTurn puts the question on the producer's stream, or tries another one's.
func (o *orphan) OnTurn(now time.Time) {
	m := o.stream
	s := m.stream()
	if s == nil {
		o.ask()
		return
	}
	m.client.now = now
	if half := showRecord(&o.check.Record, &o.check.Body, now); half != nil {
		m.write(s, &apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_RecoverOrphanedTransactionCommand{
			RecoverOrphanedTransactionCommand: &apiv2.RecoverOrphanedTransactionCommand{Message: half, TransactionId: o.check.TransactionID},
		}})
	}
	o.check.Release()
}

// Published implements backend.Clients.
func (svc *Service) Published() []string { return svc.Sessions.Published() }

// Unsubscribed implements backend.Clients.
func (svc *Service) Unsubscribed(clientID, group, liteTopic string) {
	who := svc.Sessions.Find([]byte(clientID))
	if who == nil || who.Settings().GetSubscription().GetGroup().GetName() != group {
		return
	}
	if stream, is := who.Stream().(*telemetry); is {
		stream.client.turn.Post(&unsubscribed{stream, liteTopic})
	}
}

// unsubscribed is a lite topic that a client no longer has.
type unsubscribed struct {
	stream    *telemetry
	liteTopic string
}

// OnTurn tells the client.
func (u *unsubscribed) OnTurn(now time.Time) {
	m := u.stream
	if s := m.stream(); s != nil {
		m.client.now = now
		m.write(s, &apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_NotifyUnsubscribeLiteCommand{
			NotifyUnsubscribeLiteCommand: &apiv2.NotifyUnsubscribeLiteCommand{LiteTopic: u.liteTopic},
		}})
	}
}
