package messaging

import (
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/turn"
)

// world is the service over a fake backend, with a clock that only the test moves.
type world struct {
	testing.TB
	*Service
	fake *fake
	now  time.Time
	h2   h2.Config
}

// testConfig has the reference's defaults.
func testConfig() Config {
	return Config{
		BodyBytesMax: 4 << 20, BodyEmptyCheck: true, PropertiesBytesMax: 16384, PropertiesMax: 128,
		GroupBytesMax: 64, LiteTopicBytesMax: 64, LiteUnackedMax: 100, LiteSyncRate: 5000, DelayMax: 24 * time.Hour, RecoveryMax: time.Hour, TypeCheck: true,
		PollMin: 5 * time.Second, PollMax: 20 * time.Second,
		InvisibleDefault: time.Minute, InvisibleMin: 10 * time.Second, InvisibleMax: 12 * time.Hour,
		InvisibleWhenClear: time.Second, AutoRenew: true, Renew: session.RenewPolicy{
			AttemptsMax: 3, Ahead: 10 * time.Second, TimeMax: 3 * time.Hour, Period: 5 * time.Second,
			WhenClear: time.Second, CallTimeout: 2 * time.Second, Expiry: 2 * time.Minute,
		}, CallTimeout: 2 * time.Second, RelayTimeout: time.Minute, ServerPort: 8081,
		InflightBytesMax: 128 << 20, LongPollsMax: 10_000,
		Policy: session.Policy{
			ProducerAttemptsMax: 3, ProducerBackoffInitial: 10 * time.Millisecond, ProducerBackoffMax: time.Second,
			ProducerBackoffMultiplier: 2, ValidateMessageType: true, BodyBytesMax: 4 << 20,
			ReceiveBatchSize: 32, PollTimeout: 20 * time.Second, LiteTopicBytes: 64, MetricOn: true,
		},
	}
}

// newWorld is a world in which the topic "orders" takes every type of message, and the group
// "readers" reads. At its end every buffer must be back.
func newWorld(tb testing.TB, change ...func(*Config)) *world {
	tb.Helper()
	config := testConfig()
	for _, c := range change {
		c(&config)
	}
	w := &world{TB: tb, fake: newFake(), now: time.UnixMilli(time.Now().UnixMilli())}
	w.Service = NewService(config, w.fake, session.NewRegistry(2*time.Minute))
	w.h2.Metadata = Metadata
	w.fake.know(&backend.Topic{Name: "orders", Exists: true, Type: backend.TypeMixed})
	w.fake.knowGroup(&backend.Group{Name: "readers", Exists: true, RetryMax: 16, LiteQuota: 2000, Retry: backend.RetryPolicy{Next: []time.Duration{time.Second}}})
	live := pool.Live()
	tb.Cleanup(func() {
		onTurn(w.renewer.Turn(), func() {}) // clients that left are being taken off their lite topics there
		if n := w.fake.pending(); n > 0 {
			tb.Errorf("%d operations were never answered by the test", n)
		}
		if left := pool.Live() - live; left != 0 {
			tb.Errorf("%d buffers were not released", left)
		}
		if bytes, polls := w.inflight.Used(), w.polls.Used(); bytes != 0 || polls != 0 {
			tb.Errorf("%d bytes and %d polls are still counted", bytes, polls)
		}
	})
	return w
}

// owner is a turn's owner with nothing to do: the peer drains by hand.
type owner struct{}

func (owner) EndTurn(time.Time) {}
func (owner) Tick(time.Time)    {}
func (owner) Due() time.Time    { return time.Time{} }

// step is something done on a turn, and waited for.
type step struct {
	do   func()
	done chan struct{}
}

func (s step) OnTurn(time.Time) {
	defer close(s.done)
	s.do()
}

func onTurn(t *turn.Turn, do func()) {
	s := step{do, make(chan struct{})}
	t.Post(s)
	<-s.done
}

// settled makes a client known by its settings, as if its telemetry had come.
func (w *world) settled(clientID string, settings *apiv2.Settings) *session.Session {
	s := w.Sessions.Open([]byte(clientID), w.now)
	s.Settle(settings, w.now)
	return s
}

func resource(name string) *apiv2.Resource { return &apiv2.Resource{Name: name} }

func consumerSettings(t apiv2.ClientType, group, topic string) *apiv2.Settings {
	return &apiv2.Settings{ClientType: &t, PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{
		Group:         resource(group),
		Subscriptions: []*apiv2.SubscriptionEntry{{Topic: resource(topic), Expression: &apiv2.FilterExpression{Expression: "*"}}},
	}}}
}

func producerSettings(topics ...string) *apiv2.Settings {
	t, publishing := apiv2.ClientType_PRODUCER, &apiv2.Publishing{}
	for _, topic := range topics {
		publishing.Topics = append(publishing.Topics, resource(topic))
	}
	return &apiv2.Settings{ClientType: &t, PubSub: &apiv2.Settings_Publishing{Publishing: publishing}}
}
