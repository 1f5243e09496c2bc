package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
)

// heartbeat is a Heartbeat call (gRPC specification 2.11): a client that is still there.
// Nothing is sent to brokers: popping needs no registration with them.
type heartbeat struct {
	unary
	request apiv2.HeartbeatRequest
}

func newHeartbeat(c *Client, s *h2.Stream) h2.Handler {
	m := &heartbeat{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.HeartbeatResponse{Status: statusOf(o)} }
	return m
}

func (m *heartbeat) run(s *h2.Stream, _ time.Time) {
	who := m.client.sessionOf(m.clientID(s))
	if who == nil || who.Settings() == nil {
		m.fail(s, failure(apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, "cannot find client settings for this client"))
		return
	}
	if o, valid := checkClient(who.Settings(), m.request.GetGroup().GetName()); !valid {
		m.fail(s, o)
		return
	}
	m.fail(s, ok)
}

// checkClient holds a client that speaks of itself against what it said in its settings. group
// is what a consumer names now.
func checkClient(settings *apiv2.Settings, group string) (apiv2.Outcome, bool) {
	switch t := settings.GetClientType(); t {
	case apiv2.ClientType_PRODUCER:
		return apiv2.Outcome{}, true
	case apiv2.ClientType_PUSH_CONSUMER, apiv2.ClientType_SIMPLE_CONSUMER, apiv2.ClientType_PULL_CONSUMER,
		apiv2.ClientType_LITE_PUSH_CONSUMER:
		return checkGroup(group)
	default:
		return failure(apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, clientTypeName(t)), false
	}
}

// clientTypeName names also the types of a later version.
func clientTypeName(t apiv2.ClientType) string {
	if apiv2.ClientType_name[int32(t)] == "" {
		return "UNRECOGNIZED"
	}
	return t.String()
}
