// Package fleet lets the proxies in front of one cluster know each other's consumers, in the words
// of the Java proxy (gRPC specification 5.5): each tells of its own in messages of one topic, and
// reads what the others say. So a client whose telemetry stream is at one proxy may call another,
// as happens behind a balancer that looks at single calls, and when a fleet is swapped proxy by
// proxy.
//
// It differs from the Java proxy: a consumer is announced every Every, spread evenly, and not with
// each of its heartbeats; and nothing waits for the topic: without it this proxy serves alone.
package fleet

import (
	"bytes"
	"hash/maphash"
	"sync"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/turn"
)

// Config is what a Fleet needs to know.
type Config struct {
	Topic  string // through which the proxies speak
	Group  string // by whose name they read it
	Self   string // tells this proxy from the others
	Addr   string // of this proxy, without a port
	Listen string // host:port that clients dial

	Every       time.Duration // how often each consumer is announced again
	LookEvery   time.Duration // how often the topic's route is looked at
	Poll        time.Duration // how long brokers hold a pull that finds nothing
	PauseMax    time.Duration // the longest pause after a failure; the first is a fiftieth of it
	CallTimeout time.Duration

	// Create makes the topic on the cluster's brokers, and calls done once, on any turn.
	Create func(topic string, done func(error))
	// Report hears of what an operator may want to know; it must not block.
	Report func(event, addr string, err error)
}

// Store is where the topic is.
type Store interface {
	FetchTopic(op *backend.FetchTopic, now time.Time)
	Send(op *backend.Send, now time.Time)
	Pull(op *backend.Pull, now time.Time)
	QueryOffset(op *backend.QueryOffset, now time.Time)
}

// Fleet is this proxy among the others.
type Fleet struct {
	config   Config
	store    Store
	sessions *session.Registry
	turn     *turn.Turn
	grain    time.Duration // from one slot to the next
	mark     []byte        // in what this proxy says

	mu    sync.Mutex
	slots [slotsMax][]*consumer // by when they are announced
	all   map[*session.Session]*consumer

	// the turn's
	known   extensions
	text    bytes.Buffer   // of the announcement that is being written
	topic   *backend.Topic // nil: not known yet
	fetch   backend.FetchTopic
	look    schedule // at the topic
	speak   time.Time
	slot    int
	alone   bool // without a topic, which was reported
	readers map[place]*reader
	deaf    map[string]int // readers that fail, by broker
	flying  int            // announcements
	failed  bool           // the last announcement
	puzzled bool
	ended   bool
}

// slotsMax is into how many parts Every is cut.
const slotsMax = 100

// flyingMax is how many announcements may be under way; more are left out until their next turn.
const flyingMax = 1024

// consumer is one of our own.
type consumer struct {
	session *session.Session
	remote  string // host:port; it names the consumer to the others, and so it stays
}

var seed = maphash.MakeSeed()

// New returns a Fleet that does nothing before Start.
func New(config Config, store Store, sessions *session.Registry) *Fleet {
	f := &Fleet{
		config: config, store: store, sessions: sessions, grain: max(config.Every/slotsMax, time.Millisecond), mark: mark(config.Self),
		all: make(map[*session.Session]*consumer), readers: make(map[place]*reader), deaf: make(map[string]int),
	}
	f.turn = turn.New(f)
	return f
}

// Start looks for the topic.
func (f *Fleet) Start() { f.turn.Post((*started)(f)) }

type started Fleet

// OnTurn begins.
func (s *started) OnTurn(now time.Time) {
	f := (*Fleet)(s)
	f.speak = now.Add(f.grain)
	f.seek(now)
}

// Close ends it. What is under way comes home to nobody.
func (f *Fleet) Close() {
	done := make(chan struct{})
	f.turn.Post(&closed{f, done})
	<-done
}

type closed struct {
	fleet *Fleet
	done  chan<- struct{}
}

// OnTurn ends the fleet.
func (c *closed) OnTurn(time.Time) {
	c.fleet.ended = true
	c.fleet.turn.Stop()
	close(c.done)
}

// Here tells the others of a consumer whose settings are new. remote is its address. It may be
// called from any turn.
func (f *Fleet) Here(s *session.Session, remote string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.all[s]
	if c == nil && !s.Ended() {
		c = &consumer{session: s, remote: remote}
		f.all[s] = c
		at := maphash.String(seed, s.ID) % slotsMax
		f.slots[at] = append(f.slots[at], c)
	}
	if c != nil {
		f.turn.Post(&announcement{fleet: f, kind: kindRegister, consumer: c})
	}
}

// Left tells the others of a consumer that has gone. It may be called from any turn.
func (f *Fleet) Left(s *session.Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.all[s]; c != nil {
		delete(f.all, s)
		f.turn.Post(&announcement{fleet: f, kind: kindUnregister, consumer: c})
	}
}

// announcement is what is said of a consumer, on its way to the topic.
type announcement struct {
	fleet    *Fleet
	kind     string
	consumer *consumer
	op       backend.Send
}

// OnTurn sends it.
func (a *announcement) OnTurn(now time.Time) {
	f, s := a.fleet, a.consumer.session
	settings := s.Settings()
	if f.ended || f.topic == nil || f.flying >= flyingMax || settings.GetSubscription() == nil {
		return // it is announced again
	}
	if err := a.encode(settings, now); err != nil {
		f.config.Report("a consumer cannot be announced to other proxies", s.ID, err)
		return
	}
	a.op.Exchange = backend.Exchange{Home: f.turn, Then: (*announced)(a), Deadline: now.Add(f.config.CallTimeout)}
	a.op.Topic = f.topic
	a.op.Messages = []backend.Message{{BodyLen: f.text.Len(), BornTimestamp: now.UnixMilli()}}
	a.op.Payload.Write(f.text.Bytes())
	f.flying++
	f.store.Send(&a.op, now)
}

// encode leaves the announcement in the fleet's text.
func (a *announcement) encode(settings *apiv2.Settings, now time.Time) error {
	f := a.fleet
	extension, err := f.known.of(settings)
	if err != nil {
		return err
	}
	where := channel{ProxyAddr: f.config.Addr, Remote: a.consumer.remote, Local: f.config.Listen}
	return encode(&f.text, a.kind, a.consumer.session.ID, settings, where, extension, f.config.Self, now)
}

// announced is the event of an announcement that was stored, or not.
type announced announcement

// OnTurn reports the first failure of many.
func (a *announced) OnTurn(time.Time) {
	f, fault := a.fleet, a.op.Fault
	f.flying--
	if !fault.OK() && !f.failed {
		f.config.Report("other proxies do not hear of this one's consumers", f.config.Topic, failure(fault))
	}
	f.failed = !fault.OK()
	a.op.Reset()
}

// EndTurn implements turn.Owner.
func (f *Fleet) EndTurn(time.Time) {}

// Due implements turn.Owner.
func (f *Fleet) Due() time.Time {
	if f.ended || f.speak.IsZero() {
		return time.Time{}
	}
	due := f.speak
	if f.look.waits() && f.look.due.Before(due) {
		due = f.look.due
	}
	for _, r := range f.readers {
		if r.rest.waits() && r.rest.due.Before(due) {
			due = r.rest.due
		}
	}
	return due
}

// Tick implements turn.Owner: it does what is due.
func (f *Fleet) Tick(now time.Time) {
	if f.ended || f.speak.IsZero() {
		return
	}
	if f.look.over(now) {
		f.seek(now)
	}
	for _, r := range f.readers {
		if r.rest.over(now) {
			r.read(now)
		}
	}
	if now.Before(f.speak) {
		return
	}
	steps := min(int(now.Sub(f.speak)/f.grain)+1, slotsMax)
	for range steps {
		f.announce(now)
	}
	f.speak = now.Add(f.grain)
}

// announce tells of the consumers of the next slot.
func (f *Fleet) announce(now time.Time) {
	f.mu.Lock()
	slot := f.slots[f.slot]
	stay := slot[:0]
	for _, c := range slot {
		if f.all[c.session] == c {
			stay = append(stay, c)
		}
	}
	clear(slot[len(stay):])
	f.slots[f.slot] = stay
	due := append([]*consumer(nil), stay...)
	f.mu.Unlock()
	f.slot = (f.slot + 1) % slotsMax
	for _, c := range due {
		if !c.session.Remote() { // else it has moved, and others speak of it
			(&announcement{fleet: f, kind: kindRegister, consumer: c}).OnTurn(now)
		}
	}
}
