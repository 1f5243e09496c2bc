// Package turn is the promise that one goroutine at a time runs what belongs together.
//
// A [Turn] has an inbox of events and, when somebody posts to it, a goroutine that empties
// it. Everything a connection's machine owns is touched on its turn only, so nothing in a
// machine is locked. The inbox is the only thing that two turns share, and the lock around
// it is held for an append.
//
// A turn never runs inside another one: Post and Forward schedule, they do not call. A goroutine
// that reads from sockets may run turns itself, between its reads: see [Turn.PostHere] and [Round].
package turn

import (
	"runtime"
	"sync"
	"time"
)

// Event is one entry of an inbox. Its type says what happened; OnTurn runs on the turn that
// it was posted to, with the time at which that run began.
//
// It is an alias, so that packages which must not know this one can still be posted to it.
type Event = interface{ OnTurn(now time.Time) }

// Owner is what a turn is run for.
type Owner interface {
	// EndTurn runs after each batch of events: answers leave here, together.
	EndTurn(now time.Time)
	// Tick runs before each batch, and so also when the time that Due named has come. It is
	// cheap when nothing is due.
	Tick(now time.Time)
	// Due is when Tick is next wanted; the zero time means never. It is read after each
	// batch.
	Due() time.Time
}

// Turn is an inbox with at most one goroutine emptying it.
//
//	idle ──Post──► running ──inbox empty──► idle
//	                 │ ▲
//	                 └─┘ Post: the running goroutine takes it in its next batch
type Turn struct {
	mu      sync.Mutex
	inbox   []Event
	running bool // a goroutine empties the inbox, or is about to
	noticed bool // a deliver has it on its list of turns to wake

	// of a turn that readers wake
	round    *Round
	waits    bool  // running, but only once its round is run or who has woken it calls Hasten
	voices   int   // turns that have put events since it was woken; one may count again after another
	last     *Turn // of them
	passing  int   // how often it does not wait in round
	patience int   // what passing began with

	// the running goroutine's, always
	owner   Owner
	loop    func()  // run, bound once: starting it then allocates nothing
	batch   []Event // the inbox of the run before, to be used again
	forward []posting
	wake    []*Turn
	here    bool    // the batch is run by a reader, not by a goroutine of its own
	onward  []*Turn // to be run by it next

	timer *time.Timer
	armed time.Time // when timer fires; zero: it does not
}

type posting struct {
	to    *Turn
	event Event
}

// New returns an idle turn that is run for owner.
func New(owner Owner) *Turn {
	t := &Turn{owner: owner}
	t.loop = t.run
	return t
}

// In has the turn wait in round when a reader wakes it. Its owner must not block at all: it then
// shares the reader's goroutine with others.
func (t *Turn) In(round *Round) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.round = round
}

// Post puts events into the inbox and schedules a run when none is under way. It may be
// called from anywhere.
func (t *Turn) Post(events ...Event) {
	t.mu.Lock()
	t.inbox = append(t.inbox, events...)
	start := t.start()
	t.mu.Unlock()
	if start {
		Go(t.loop)
	}
}

// PostHere is Post from a goroutine that reads for the turn and is inside none: when no run
// is under way, it runs one batch itself, which saves the start of a goroutine on the way in.
// What has come meanwhile is left to a goroutine of its own, so the reader is soon back.
func (t *Turn) PostHere(event Event) {
	t.mu.Lock()
	t.inbox = append(t.inbox, event)
	start := t.start()
	t.mu.Unlock()
	if start {
		t.runHere()
	}
}

// runHere runs one batch of a claimed turn, and one of those that it wakes and whose rounds do not
// keep them. What they say to this turn waits: it is still claimed.
func (t *Turn) runHere() {
	t.here = true
	more := t.runBatch()
	t.here = false
	for i, next := range t.onward {
		t.onward[i] = nil
		next.Hasten()
	}
	t.onward = t.onward[:0]
	if more && t.more() {
		Go(t.loop)
	}
}

// Forward posts event to another turn when the current batch of t is done. It must be called
// on t. All that one batch forwards is delivered first and woken after, so that what arrived
// together travels on together.
func (t *Turn) Forward(to *Turn, event Event) {
	t.forward = append(t.forward, posting{to, event})
}

// start claims the right to run. The lock is held.
func (t *Turn) start() bool {
	if t.running {
		return false
	}
	t.running = true
	return true
}

// run empties the inbox. Before each batch it lets others run who are ready: what they post is
// in the batch then, and one write more is spared. Where nobody is ready that costs nothing.
func (t *Turn) run() {
	for {
		runtime.Gosched()
		if !t.runBatch() {
			return
		}
	}
}

// more tells whether another batch waits; when none does, the turn is idle again.
func (t *Turn) more() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = len(t.inbox) > 0
	return t.running
}

// runBatch runs what the inbox holds; when it holds nothing the turn is idle again and the
// answer is false.
func (t *Turn) runBatch() bool {
	t.mu.Lock()
	if len(t.inbox) == 0 {
		t.running = false
		t.mu.Unlock()
		return false
	}
	batch := t.inbox
	t.inbox = t.batch
	t.mu.Unlock()

	now := time.Now()
	t.owner.Tick(now)
	for _, event := range batch {
		event.OnTurn(now)
	}
	clear(batch)
	t.batch = keep(batch)
	t.deliver()
	t.owner.EndTurn(now)
	t.deliver()
	t.arm(now)
	return true
}

// batchEventsKept is how large an emptied inbox may be to be kept for the next run: a burst
// must not pin its memory.
const batchEventsKept = 4096

func keep(batch []Event) []Event {
	if cap(batch) > batchEventsKept {
		return nil
	}
	return batch[:0]
}

// deliver posts what the batch forwarded: first every inbox is filled, then every turn that
// was idle is woken.
func (t *Turn) deliver() {
	if len(t.forward) == 0 {
		return
	}
	for _, p := range t.forward {
		if p.to.put(t, p.event) {
			t.wake = append(t.wake, p.to)
		}
	}
	for _, to := range t.wake {
		if to.rouse(t.here) {
			t.onward = append(t.onward, to)
		}
	}
	clear(t.forward)
	clear(t.wake)
	t.forward, t.wake = t.forward[:0], t.wake[:0]
}

// put appends without waking and tells whether the caller has to wake.
func (t *Turn) put(from *Turn, event Event) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inbox = append(t.inbox, event)
	if from != t.last {
		t.last = from
		t.voices++
	}
	if t.running || t.noticed {
		return false
	}
	t.noticed = true
	t.voices = 1
	return true
}

// rouse has what was put run: by a goroutine or, when a reader has put it, in the turn's round. It
// is true when the reader is to call Hasten.
func (t *Turn) rouse(read bool) bool {
	t.mu.Lock()
	t.noticed = false
	start := len(t.inbox) > 0 && t.start()
	round := t.round
	t.waits = start && read && round != nil || t.waits
	now := t.passing > 0
	if t.waits && now {
		t.passing--
	}
	wait := t.waits && start
	t.mu.Unlock()
	switch {
	case wait && now:
		return true
	case wait:
		round.add(t)
	case start:
		Go(t.loop)
	}
	return false
}

// arm sets the timer when the owner wants to hear of the time earlier than it is set for. A
// timer that fires too early costs one Tick and is set anew; it is never moved back, so a
// steady stream of calls with one timeout sets it once a timeout, not once a call.
func (t *Turn) arm(now time.Time) {
	due := t.owner.Due()
	if due.IsZero() || (!t.armed.IsZero() && !due.Before(t.armed)) {
		return
	}
	t.armed = due
	wait := max(due.Sub(now), 0)
	if t.timer == nil {
		t.timer = time.AfterFunc(wait, func() { t.Post((*tick)(t)) })
		return
	}
	t.timer.Reset(wait)
}

// OwnedBy tells whether owner is whom the turn is run for.
func (t *Turn) OwnedBy(owner Owner) bool { return t.owner == owner }

// Stop ends the timer of a turn whose owner is gone. It must be called on t.
func (t *Turn) Stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// tick is the event of a timer that fired.
type tick Turn

// OnTurn has the timer set anew: being a batch is all that it takes to tell the time.
func (k *tick) OnTurn(time.Time) { (*Turn)(k).armed = time.Time{} }
