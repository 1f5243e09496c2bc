package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
)

// notifyClientTermination is a NotifyClientTermination call (gRPC specification 2.12): a
// client that goes.
type notifyClientTermination struct {
	unary
	request apiv2.NotifyClientTerminationRequest
}

func newNotifyClientTermination(c *Client, s *h2.Stream) h2.Handler {
	m := &notifyClientTermination{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message {
		return &apiv2.NotifyClientTerminationResponse{Status: statusOf(o)}
	}
	return m
}

func (m *notifyClientTermination) run(s *h2.Stream, now time.Time) {
	who := m.client.sessionOf(m.clientID(s))
	if who == nil || who.Settings() == nil {
		m.fail(s, failure(apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, "cannot find client settings for this client"))
		return
	}
	m.client.service.Sessions.End(who, now)
	if o, valid := checkClient(who.Settings(), m.request.GetGroup().GetName()); !valid {
		m.fail(s, o)
		return
	}
	m.fail(s, ok)
}
