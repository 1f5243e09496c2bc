package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// telemetry is a Telemetry stream (gRPC specification 5): a client tells what it is, again
// and again, and is told how to behave. The stream stays open for as long as the client lives.
type telemetry struct {
	call
	session *session.Session // nil before the first settings
}

func newTelemetry(c *Client, s *h2.Stream) h2.Handler {
	m := &telemetry{}
	m.begin(c, s)
	s.SendHeaders() // some clients are not started before they have seen them
	c.await(m)
	return m
}

// ClientStreams implements h2.Handler.
func (m *telemetry) ClientStreams() bool { return true }

// Message implements h2.Handler.
func (m *telemetry) Message(s *h2.Stream, msg *pool.Chain) {
	command := &apiv2.TelemetryCommand{}
	if !m.parse(s, msg, telemetryBytesMax, command) {
		m.unbind()
		return
	}
	if o, valid := m.identified(s); !valid {
		m.write(s, &apiv2.TelemetryCommand{Status: statusOf(o)})
		m.finish(s, grpc.Status{})
		return
	}
	switch c := command.GetCommand().(type) {
	case *apiv2.TelemetryCommand_Settings:
		m.settings(s, c.Settings, m.client.now)
	case *apiv2.TelemetryCommand_ThreadStackTrace:
		m.answer(c.ThreadStackTrace.GetNonce(), command)
	case *apiv2.TelemetryCommand_VerifyMessageResult:
		m.answer(c.VerifyMessageResult.GetNonce(), command)
	}
}

// HalfClosed implements h2.Handler.
func (m *telemetry) HalfClosed(s *h2.Stream) {
	m.ended = true
	s.Finish(grpc.Status{})
	if m.unbind() {
		m.client.service.renewer.Lost(m.session, m.client.now)
	}
}

// Canceled implements h2.Handler. The session lives on: a client whose stream broke comes
// back, and its other calls need its settings meanwhile. Only its lite topics go, so that others
// of its group get their messages; it names them again when it is back. And what it works on goes
// back a little later, unless it is heard of.
func (m *telemetry) Canceled(*h2.Stream, error) {
	m.ended = true
	if m.unbind() {
		m.client.service.leaveLite(m.session)
		m.client.service.renewer.Lost(m.session, m.client.now)
	}
}

// drain implements drainer. Newer clients connect anew when they are told so; older ones when
// the stream has ended.
func (m *telemetry) drain(time.Time) {
	if s := m.stream(); s != nil {
		m.write(s, &apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_ReconnectEndpointsCommand{
			ReconnectEndpointsCommand: &apiv2.ReconnectEndpointsCommand{Nonce: m.client.service.relays.nonce()},
		}})
		m.finish(s, grpc.Status{})
	}
}

// unbind tells whether the stream was the one on which the client is told things.
func (m *telemetry) unbind() bool {
	delete(m.client.waiting, m)
	for _, r := range m.client.service.relays.of(m) {
		r.fail(backend.Fault{Kind: backend.Internal, Text: "the client went away before it answered"})
	}
	return m.session != nil && m.session.Unbind(m)
}

func (m *telemetry) finish(s *h2.Stream, status grpc.Status) {
	m.ended = true
	s.Finish(status)
	m.unbind()
}

func (m *telemetry) write(s *h2.Stream, command *apiv2.TelemetryCommand) {
	encoded, err := proto.MarshalOptions{}.MarshalAppend(m.client.scratch[:0], command)
	if err != nil {
		m.finish(s, grpc.Status{Code: grpc.Internal, Message: err.Error()})
		return
	}
	s.Write(encoded)
	m.client.keep(encoded)
}

// abort ends the stream for settings that cannot be taken. A client's fault is told apart from
// ours by the number of its code.
func (m *telemetry) abort(s *h2.Stream, o apiv2.Outcome) {
	code := grpc.Internal
	if o.Code >= 40000 && o.Code < 50000 {
		code = grpc.InvalidArgument
	}
	m.finish(s, grpc.Status{Code: code, Message: "process client telemetryCommand failed. " + o.Message})
}

// settings takes what a client says of itself. The stream is bound before anything is fetched,
// so that a receive which overtakes the answer waits for it.
func (m *telemetry) settings(s *h2.Stream, settings *apiv2.Settings, now time.Time) {
	if settings.GetPubSub() == nil {
		m.finish(s, grpc.Status{Code: grpc.InvalidArgument, Message: "there is no publishing or subscription data in settings"})
		return
	}
	if o, valid := checkSettings(settings); !valid {
		m.abort(s, o)
		return
	}
	svc := m.client.service
	if m.session == nil || m.session.Ended() {
		m.session = svc.Sessions.Open(m.clientID(s), now)
	}
	m.session.Bind(m)
	subscription := settings.GetSubscription()
	if subscription == nil {
		m.settle(s, settings, nil, now)
		return
	}
	name := []byte(subscription.GetGroup().GetName())
	if group := svc.Backend.Group(name, now); group != nil {
		m.subscribe(s, settings, group, now)
		return
	}
	arrival := &groupArrival{telemetry: m, settings: settings}
	arrival.fetch = backend.FetchGroup{Name: name}
	arrival.fetch.Exchange = backend.Exchange{Home: m.client.turn, Then: arrival, Deadline: now.Add(svc.CallTimeout)}
	svc.Backend.FetchGroup(&arrival.fetch, now)
}

// groupArrival is the event of the group that a consumer's settings waited for.
type groupArrival struct {
	telemetry *telemetry
	settings  *apiv2.Settings
	fetch     backend.FetchGroup
}

// OnTurn goes on with the settings.
func (a *groupArrival) OnTurn(now time.Time) {
	m := a.telemetry
	m.client.now = now
	s := m.stream()
	switch {
	case s == nil:
	case a.fetch.Found == nil:
		m.abort(s, groupMissing(a.settings))
	default:
		m.subscribe(s, a.settings, a.fetch.Found, now)
	}
}

func groupMissing(settings *apiv2.Settings) apiv2.Outcome {
	return failure(apiv2.Code_ILLEGAL_CONSUMER_GROUP, "group not found: "+settings.GetSubscription().GetGroup().GetName())
}

// subscribe registers a consumer whose group is known.
func (m *telemetry) subscribe(s *h2.Stream, settings *apiv2.Settings, group *backend.Group, now time.Time) {
	if o, valid := checkSubscriber(settings, group); !valid {
		m.abort(s, o)
		return
	}
	m.settle(s, settings, group, now)
}

// settle stores the settings and answers with what is to be.
func (m *telemetry) settle(s *h2.Stream, settings *apiv2.Settings, group *backend.Group, now time.Time) {
	policy := &m.client.service.Policy
	stored := policy.Stored(settings)
	m.session.Settle(stored, now)
	if peers := m.client.service.Peers; peers != nil && stored.GetSubscription() != nil {
		peers.Here(m.session, m.client.remote, now)
	}
	m.write(s, &apiv2.TelemetryCommand{
		Status:  statusOf(ok),
		Command: &apiv2.TelemetryCommand_Settings{Settings: policy.Merged(stored, group)},
	})
}

// checkSettings holds settings against the rules that need no backend.
func checkSettings(settings *apiv2.Settings) (apiv2.Outcome, bool) {
	switch {
	case settings.GetPublishing() != nil:
		for _, topic := range settings.GetPublishing().GetTopics() {
			if o, valid := checkTopic(topic.GetName()); !valid {
				return o, false
			}
		}
	case settings.GetSubscription() != nil:
		if o, valid := checkGroup(settings.GetSubscription().GetGroup().GetName()); !valid {
			return o, false
		}
		return checkFilters(settings.GetSubscription())
	}
	return apiv2.Outcome{}, true
}

func checkFilters(subscription *apiv2.Subscription) (apiv2.Outcome, bool) {
	var filter tagFilter
	for _, entry := range subscription.GetSubscriptions() {
		expression := entry.GetExpression()
		sound := expression.GetExpression() != ""
		if expression.GetType() != apiv2.FilterType_SQL {
			sound = filter.parse([]byte(expression.GetExpression()))
		}
		if !sound {
			return failure(apiv2.Code_ILLEGAL_FILTER_EXPRESSION, "expression format is not correct"), false
		}
	}
	return apiv2.Outcome{}, true
}

// checkSubscriber holds a consumer against its group (gRPC specification 5.1). Those who pull are
// let in, which the reference has no calls for.
func checkSubscriber(settings *apiv2.Settings, group *backend.Group) (apiv2.Outcome, bool) {
	lite := false
	switch t := settings.GetClientType(); t {
	case apiv2.ClientType_PUSH_CONSUMER, apiv2.ClientType_SIMPLE_CONSUMER, apiv2.ClientType_PULL_CONSUMER:
	case apiv2.ClientType_LITE_PUSH_CONSUMER:
		lite = true
	default:
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, "Client type is not consumer, type: "+clientTypeName(t)), false
	}
	switch bound := group.LiteBindTopic; {
	case !group.Exists:
		return groupMissing(settings), false
	case bound != "" && !lite:
		return failure(apiv2.Code_ILLEGAL_CONSUMER_GROUP, "lite group must use LITE mode: "+group.Name), false
	case bound == "" && lite:
		return failure(apiv2.Code_ILLEGAL_CONSUMER_GROUP, "regular group cannot use LITE mode: "+group.Name), false
	case lite && firstTopic(settings) != bound:
		return notBound(group, firstTopic(settings)), false
	}
	return apiv2.Outcome{}, true
}

func firstTopic(settings *apiv2.Settings) string {
	for _, entry := range settings.GetSubscription().GetSubscriptions() {
		return entry.GetTopic().GetName()
	}
	return ""
}
