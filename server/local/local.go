// Package local is the backend of Local mode: an embedded broker (server/local/broker) over a
// durable store (server/local/store), on one turn.
//
//	client turn ──Forward──► broker's turn: the operation writes into the open batch
//	                             │ EndTurn: no commit under way? seal, hand to the committer
//	                         committer: one commit of the whole batch, synced
//	                             │ Post
//	client turn ◄─Forward── broker's turn: Committed, and everything that waited goes home
//
// While one batch is being committed the next one fills: that is the group commit. A send, an
// acknowledgement, whatever changes something, comes home when its batch is on disk. A pop comes
// home at once, because losing the note of a delivery only means to deliver once more; so does
// a pull, which changes nothing.
//
// When a commit fails nothing is acknowledged any more: what the broker has in memory is ahead
// of the disk, so both are given up. If it was for want of space, both are made anew from what
// is on disk, as often as it takes; otherwise the process has to be started again.
package local

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/store"
	"rocketmq-proxy/server/turn"
)

// Config is how Local mode is set up.
type Config struct {
	Store  store.Config
	Broker broker.Config

	// Sync has every commit reach the disk before it is answered for. Without it that happens
	// every FlushInterval, and a crash of the machine, not of the process, loses what came since.
	Sync          bool
	FlushInterval time.Duration

	StoreBytesMax  int64 // of the store on disk; the oldest messages go when it is reached; 0: no bound
	AppendBytesMax int   // waiting for the disk; sends are refused when it is reached

	BrokerName string         // in routes and receipt handles; without spaces
	StoreHost  netip.AddrPort // what messages are said to be stored on

	// Report hears of what an operator should know. It must not block.
	Report func(event string, err error)
}

// Local implements backend.Backend with an embedded broker.
type Local struct {
	config  Config
	turn    *turn.Turn
	topics  backend.Table[backend.Topic] // as client turns see them
	groups  backend.Table[backend.Group]
	clients atomic.Pointer[backend.Clients] // nil without a proxy around

	commits   chan commit // to the committer
	committer chan struct{}

	// the turn's
	clock     clock
	now       int64 // of this batch of events, the broker's time
	store     *store.Store
	broker    *broker.Broker
	cursor    *store.Cursor // the broker's
	open      *store.Batch
	spare     *store.Batch
	waiting   []*backend.Exchange // for the open batch
	sealed    []*backend.Exchange // for the batch that is being committed
	busy      bool                // a commit is under way
	unsynced  bool
	lastSync  time.Time
	lastSpace time.Time
	failed    error // why nothing is taken any more
	retryAt   time.Time
	closing   chan struct{} // somebody waits for the end
}

var _ backend.Backend = (*Local)(nil)

// New opens the store and serves it.
func New(config Config) (*Local, error) {
	l := &Local{config: config, commits: make(chan commit, 1), committer: make(chan struct{})}
	l.config.Broker.Report = l.report
	l.config.Broker.Compile = compileSQL
	l.config.Store.Report = l.report
	opened, err := l.reopen(nil)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	l.clock = newClock(now)
	l.now, l.lastSync, l.lastSpace = l.clock.ms, now, now
	l.turn = turn.New(l)
	l.use(opened)
	go l.commitLoop()
	return l, nil
}

// Attach implements backend.Backend.
func (l *Local) Attach(c backend.Clients) { l.clients.Store(&c) }

// errClosed is why everything fails after Close.
var errClosed = errors.New("the proxy is shutting down")

// Close writes what is open and gives the store back. Operations that come later fail.
func (l *Local) Close() error {
	done := make(chan struct{})
	l.turn.Post(event(func(time.Time) {
		l.closing = done
		if l.failed == nil {
			l.broker.CancelAll()
		}
	}))
	<-done
	<-l.committer
	if l.store == nil {
		return nil
	}
	if l.cursor != nil {
		l.cursor.Close()
	}
	return l.store.Close()
}

// event is something done on a turn.
type event func(now time.Time)

// OnTurn implements turn.Event.
func (e event) OnTurn(now time.Time) { e(now) }

// Tick implements turn.Owner.
func (l *Local) Tick(now time.Time) {
	l.now = l.clock.at(now)
	if l.failed == nil {
		l.broker.Begin(l.open)
		l.broker.Tick(l.now)
	}
	if now.Sub(l.lastSpace) >= spaceEvery {
		l.lastSpace = now
		l.watchSpace()
	}
}

// EndTurn implements turn.Owner: deliveries go home, and what was written is committed.
func (l *Local) EndTurn(now time.Time) {
	switch {
	case l.failed == nil:
		l.sendHome()
		l.seal(now)
	case !l.busy && !l.retryAt.IsZero() && !now.Before(l.retryAt):
		l.retry()
	}
	if l.closing != nil && !l.busy {
		close(l.commits)
		close(l.closing)
		l.closing = nil
		l.failed = errClosed
		l.retryAt = time.Time{}
		l.turn.Stop()
	}
}

// Due implements turn.Owner.
func (l *Local) Due() time.Time {
	if l.failed != nil {
		return l.retryAt
	}
	due := l.lastSpace.Add(spaceEvery)
	if at := l.broker.Due(); at < l.now+spaceEvery.Milliseconds() {
		due = earlier(due, l.clock.when(at))
	}
	if l.unsynced && !l.busy {
		due = earlier(due, l.lastSync.Add(l.config.FlushInterval))
	}
	return due
}

func earlier(x, y time.Time) time.Time {
	if x.Before(y) {
		return x
	}
	return y
}

// sendHome gives pops and pulls that have ended, and questions to producers, to whom they are for.
func (l *Local) sendHome() {
	answers := l.broker.Answers()
	for _, p := range answers {
		call := p.Carrier.(*popCall)
		l.turn.Forward(call.op.Home, call)
	}
	l.broker.Recycle(answers)
	pulled := l.broker.Pulled()
	for _, p := range pulled {
		call := p.Carrier.(*pullCall)
		l.turn.Forward(call.op.Home, call)
	}
	l.broker.RecyclePulled(pulled)
	for _, c := range l.broker.Asks() {
		l.ask(c)
	}
}

// after has an exchange come home when the open batch is on disk.
func (l *Local) after(x *backend.Exchange) { l.waiting = append(l.waiting, x) }

// settle ends an exchange: at once with a fault, and else when the open batch is on disk. While
// nothing is taken there is no batch to wait for.
func (l *Local) settle(x *backend.Exchange, f backend.Fault) {
	if f.OK() {
		l.after(x)
		return
	}
	x.Fault = f
	x.Reply(l.turn)
}

// spaceEvery is how often the disk is looked at.
const spaceEvery = time.Second

// watchSpace keeps the store inside its bounds.
func (l *Local) watchSpace() {
	if l.failed != nil {
		return
	}
	l.store.CheckSpace()
	l.cursor.Rest() // of old tables that nobody needs any more
	if most := l.config.StoreBytesMax; most > 0 && l.store.Usage().DiskBytes > most {
		l.broker.DropOldest()
	}
}

func (l *Local) report(event string, err error) {
	if l.config.Report != nil {
		l.config.Report(event, err)
	}
}
