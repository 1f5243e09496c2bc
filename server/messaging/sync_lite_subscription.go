package messaging

import (
	"cmp"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// syncLiteSubscription is a SyncLiteSubscription call (gRPC specification 2.14): a lite consumer
// says which lite topics it reads.
type syncLiteSubscription struct {
	unary
	request apiv2.SyncLiteSubscriptionRequest
	fetch   backend.FetchGroup
	op      backend.SyncLite
	asked   bool
}

func newSyncLiteSubscription(c *Client, s *h2.Stream) h2.Handler {
	m := &syncLiteSubscription{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message {
		return &apiv2.SyncLiteSubscriptionResponse{Status: statusOf(o)}
	}
	return m
}

// liteActions puts the API's words into the contract's.
var liteActions = map[apiv2.LiteSubscriptionAction]backend.LiteAction{
	apiv2.LiteSubscriptionAction_PARTIAL_ADD:     backend.LiteAdd,
	apiv2.LiteSubscriptionAction_PARTIAL_REMOVE:  backend.LiteRemove,
	apiv2.LiteSubscriptionAction_COMPLETE_ADD:    backend.LiteReplace,
	apiv2.LiteSubscriptionAction_COMPLETE_REMOVE: backend.LiteRemoveAll,
}

func (m *syncLiteSubscription) run(s *h2.Stream, now time.Time) {
	if o, valid := m.validate(s); !valid {
		m.fail(s, o)
		return
	}
	svc := m.client.service
	if group := svc.Backend.Group([]byte(m.op.Group), now); group != nil {
		m.groupCame(s, group, now)
		return
	}
	m.fetch = backend.FetchGroup{Exchange: m.exchange(now), Name: []byte(m.op.Group)}
	svc.Backend.FetchGroup(&m.fetch, now)
}

func (m *syncLiteSubscription) exchange(now time.Time) backend.Exchange {
	return backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(m.client.service.CallTimeout)}
}

// validate reads the request and holds it against the rules that need no backend.
func (m *syncLiteSubscription) validate(s *h2.Stream) (apiv2.Outcome, bool) {
	r := &m.request
	topic, group := r.GetTopic().GetName(), r.GetGroup().GetName()
	if o, valid := checkTopicAndGroup(topic, group); !valid {
		return o, false
	}
	action, known := liteActions[r.GetAction()]
	if !known {
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, "unknown lite subscription action: "+r.GetAction().String()), false
	}
	m.op = backend.SyncLite{
		Topic: topic, Group: group, ClientID: string(m.clientID(s)), Action: action,
		LiteTopics: r.GetLiteTopicSet(), Version: r.GetVersion(),
	}
	if action != backend.LiteAdd {
		return apiv2.Outcome{}, true
	}
	for _, name := range r.GetLiteTopicSet() {
		if o, valid := m.client.service.checkLiteName([]byte(name)); !valid {
			return o, false
		}
	}
	return m.start()
}

// start reads where the group is to begin in lite topics that it never read.
func (m *syncLiteSubscription) start() (apiv2.Outcome, bool) {
	option := m.request.GetOffsetOption()
	if option == nil {
		return apiv2.Outcome{}, true
	}
	start := &m.op.Start
	switch o := option.GetOffsetType().(type) {
	case *apiv2.OffsetOption_Policy_:
		kinds := [...]backend.LiteStartKind{backend.LiteStartLast, backend.LiteStartMin, backend.LiteStartMax}
		if o.Policy < 0 || int(o.Policy) >= len(kinds) {
			return failure(apiv2.Code_INTERNAL_SERVER_ERROR, "unknown offset policy: "+o.Policy.String()), false
		}
		start.Kind = kinds[o.Policy]
	case *apiv2.OffsetOption_Offset:
		*start = backend.LiteStart{Kind: backend.LiteStartOffset, Value: o.Offset}
	case *apiv2.OffsetOption_TailN:
		*start = backend.LiteStart{Kind: backend.LiteStartTail, Value: o.TailN}
	case *apiv2.OffsetOption_Timestamp:
		*start = backend.LiteStart{Kind: backend.LiteStartTimestamp, Value: o.Timestamp}
	default:
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, "the offset option is empty"), false
	}
	return apiv2.Outcome{}, true
}

// liteQuotaSlack is how many lite topics more than its quota a client may name: brokers have
// the last word, the proxy only keeps out what is far beyond.
const liteQuotaSlack = 300

// groupCame holds the request against its group, and asks the backend.
func (m *syncLiteSubscription) groupCame(s *h2.Stream, group *backend.Group, now time.Time) {
	svc := m.client.service
	n := len(m.op.LiteTopics)
	switch {
	case group == nil || !group.Exists:
		m.fail(s, failure(apiv2.Code_ILLEGAL_CONSUMER_GROUP, "group not found: "+m.op.Group))
	case group.LiteBindTopic != m.op.Topic:
		m.fail(s, notBound(group, m.op.Topic))
	case n > group.LiteQuota+liteQuotaSlack:
		m.fail(s, failure(apiv2.Code_LITE_SUBSCRIPTION_QUOTA_EXCEEDED, "lite subscription quota exceeded: "+strconv.Itoa(group.LiteQuota)))
	case m.op.Action == backend.LiteAdd && !svc.liteSyncs.take(now, svc.LiteSyncRate):
		m.fail(s, failure(apiv2.Code_TOO_MANY_REQUESTS, "Too many syncLiteSubscription requests, topic="+m.op.Topic+
			", group="+m.op.Group+", clientId="+m.op.ClientID))
	default:
		m.asked = true
		m.op.Exchange = m.exchange(now)
		svc.Backend.SyncLite(&m.op, now)
	}
}

// notBound is for who names another topic than the one that a lite group is bound to.
func notBound(group *backend.Group, topic string) apiv2.Outcome {
	return failure(apiv2.Code_ILLEGAL_TOPIC,
		"lite group "+group.Name+" is expected to bind topic "+cmp.Or(group.LiteBindTopic, "null")+", but actual is "+topic)
}

// OnTurn is the event of the operation that came home.
func (m *syncLiteSubscription) OnTurn(now time.Time) {
	m.client.now = now
	s := m.stream()
	switch {
	case s == nil:
	case !m.asked && !m.fetch.Fault.OK():
		m.fail(s, faultOutcome(m.fetch.Fault))
	case !m.asked:
		m.groupCame(s, m.fetch.Found, now)
	case !m.op.Fault.OK():
		m.fail(s, faultOutcome(m.op.Fault))
	default:
		m.fail(s, ok)
	}
}

// bucket is a rate: as many permits as come in a second may be taken at once.
type bucket struct {
	mu   sync.Mutex
	left float64
	at   time.Time
}

// take is false when there is no permit left; a rate of 0 or less is none.
func (b *bucket) take(now time.Time, perSecond int) bool {
	if perSecond <= 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	most := float64(perSecond)
	switch passed := now.Sub(b.at); {
	case b.at.IsZero():
		b.left, b.at = most, now
	case passed > 0:
		b.left, b.at = min(most, b.left+passed.Seconds()*most), now
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// leaveLite tells the backend that a lite consumer reads nothing any more: it has gone, or nobody
// can be heard on its stream. It may be called from anywhere.
func (svc *Service) leaveLite(s *session.Session) {
	settings := s.Settings()
	if settings.GetClientType() != apiv2.ClientType_LITE_PUSH_CONSUMER {
		return
	}
	l := &leaving{service: svc}
	l.op = backend.SyncLite{
		Topic: firstTopic(settings), Group: settings.GetSubscription().GetGroup().GetName(), ClientID: s.ID,
		Action: backend.LiteRemoveAll,
	}
	svc.renewer.Turn().Post(l)
}

// leaving is the end of all subscriptions of a client, who may have no turn any more.
type leaving struct {
	service *Service
	op      backend.SyncLite
	asked   bool
}

// OnTurn asks the backend. How that went is of interest to nobody.
func (l *leaving) OnTurn(now time.Time) {
	if l.asked {
		return
	}
	l.asked = true
	l.op.Exchange = backend.Exchange{Home: l.service.renewer.Turn(), Then: l, Deadline: now.Add(l.service.CallTimeout)}
	l.service.Backend.SyncLite(&l.op, now)
}
