package session

import (
	"hash/maphash"
	"math"
	"sync"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/turn"
)

// RenewPolicy is how deliveries are kept invisible (gRPC specification 6).
type RenewPolicy struct {
	AttemptsMax int           // how often a renewal that failed is tried again
	Ahead       time.Duration // how long before the end of a delivery it is renewed
	TimeMax     time.Duration // how long a message is renewed altogether
	Period      time.Duration // how often each client's deliveries are looked at
	WhenClear   time.Duration // how long those of a client that is gone stay invisible
	CallTimeout time.Duration
	Expiry      time.Duration // a client that is silent for that long is taken for gone
	LostAfter   time.Duration // the same for one whose stream broke
}

// renewFor is for how long each renewal of a delivery is; the last repeats.
var renewFor = [...]time.Duration{time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// Renewer keeps deliveries invisible until their client acknowledges them. Clients are looked
// at one after the other, spread evenly over the period, on a turn of the renewer's own; that
// is also where renewals come home. A message costs its client's lock, twice, and no timer.
type Renewer struct {
	policy  RenewPolicy
	backend backend.Backend
	turn    *turn.Turn
	grain   time.Duration // from one slot to the next

	mu      sync.Mutex
	slots   [][]*Session // clients that may hold something, by when they are looked at
	listed  int          // in all slots
	stopped bool

	// the turn's
	slot   int
	next   time.Time // when slot is looked at; zero: nobody is listed
	claims []*Held   // scratch
	lost   []*lost   // clients that may be gone, in order of time
	spare  []*renewal
	flying int
	idle   []chan<- struct{} // closed when nothing is flying
}

// renewGrain is how fine the period is cut, so that renewals leave in a steady flow.
const renewGrain = 100 * time.Millisecond

// renewBatchMax is how many renewals of one client leave at once; more follow a slot later.
const renewBatchMax = 512

// NewRenewer returns a Renewer that holds nothing. Its turn is idle until something is held.
func NewRenewer(policy RenewPolicy, b backend.Backend) *Renewer {
	r := &Renewer{policy: policy, backend: b, slots: make([][]*Session, max(1, int(policy.Period/renewGrain)))}
	r.grain = max(policy.Period/time.Duration(len(r.slots)), time.Millisecond)
	r.turn = turn.New(r)
	return r
}

// Turn is where renewals come home; what happens to clients that have no turn any more may too.
func (r *Renewer) Turn() *turn.Turn { return r.turn }

// Hold keeps a delivery to s invisible from now on. d is borrowed; attempts is how often the
// message was delivered before. It is false when the client is gone: then nobody will
// acknowledge the message.
func (r *Renewer) Hold(s *Session, d *backend.Delivery, attempts int32) bool {
	taken, list := s.held.hold(s, d, attempts)
	if list {
		r.list(s)
	}
	return taken
}

// Take ends the renewal of a delivery that the client is done with and returns what is known of
// it, nil when nothing is. With wait a renewal is just under way: then runs on home when it has
// ended, and only after that is e the caller's.
func (r *Renewer) Take(s *Session, d *backend.Delivery, home *turn.Turn, then turn.Event) (e *Held, wait bool) {
	if s.held.count.Load() == 0 {
		return nil, false
	}
	return s.held.take(d, home, then)
}

// Free forgets a delivery that was taken.
func (r *Renewer) Free(e *Held) {
	h := &e.of.held
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reuse(e)
}

// Restore holds a delivery again that was taken: its end did not succeed.
func (r *Renewer) Restore(e *Held) {
	h := &e.of.held
	h.mu.Lock()
	closed := h.closed
	list := false
	if !closed {
		if other := h.find(e.key, e.hash); other != nil {
			h.reuse(e) // it was delivered again meanwhile
		} else {
			e.renewing, e.taker, e.takerHome = false, nil, nil
			h.link(e)
			h.soonest = 0
			list = !h.listed
			h.listed = true
		}
	}
	h.mu.Unlock()
	if closed {
		r.turn.Post(&restored{r, e})
	} else if list {
		r.list(e.of)
	}
}

// restored is a delivery that was taken, not ended, and whose client has gone meanwhile.
type restored struct {
	renewer *Renewer
	held    *Held
}

// OnTurn hands it back.
func (e *restored) OnTurn(now time.Time) { e.renewer.change(e.held, toClear, now) }

// Clear hands everything back that is held for a client that is gone.
func (r *Renewer) Clear(s *Session) {
	s.held.mu.Lock()
	s.held.closed = true
	empty := len(s.held.all) == 0
	s.held.mu.Unlock()
	if !empty {
		r.turn.Post(&cleared{r, s})
	}
}

// cleared is a client that is gone.
type cleared struct {
	renewer *Renewer
	session *Session
}

// OnTurn hands back what was held for it.
func (e *cleared) OnTurn(now time.Time) { e.renewer.clear(e.session, now) }

func (r *Renewer) clear(s *Session, now time.Time) {
	s.held.mu.Lock()
	r.claims = s.held.clear(r.claims[:0])
	s.held.mu.Unlock()
	r.changeAll(toClear, now)
}

// Lost tells that the stream of a client has broken, or ended without a word. When nothing is
// heard of the client, what is held for it is handed back, long before its session expires: its
// process died, and others are to have the messages.
func (r *Renewer) Lost(s *Session, now time.Time) {
	if s.Held() > 0 {
		r.turn.Post(&lost{r, s, now.UnixMilli(), now.Add(r.policy.LostAfter)})
	}
}

// lost is a client whose stream broke.
type lost struct {
	renewer *Renewer
	session *Session
	since   int64 // ms since 1970
	due     time.Time
}

// OnTurn has it looked at later.
func (e *lost) OnTurn(time.Time) { e.renewer.lost = append(e.renewer.lost, e) }

// giveUp hands back what is held for clients that were lost and did not come back.
func (r *Renewer) giveUp(now time.Time) {
	for len(r.lost) > 0 && !now.Before(r.lost[0].due) {
		e := r.lost[0]
		r.lost = r.lost[1:]
		if e.session.Ended() || e.session.Live() || e.session.heard.Load() > e.since {
			continue
		}
		r.clear(e.session, now)
		if e.session.Held() > 0 { // renewals are under way, and end in time
			e.due = now.Add(r.policy.LostAfter)
			r.lost = append(r.lost, e)
		}
	}
}

// Drain hands everything back, of all clients, and holds nothing any more. What it returns is
// closed when the backend has answered.
func (r *Renewer) Drain() <-chan struct{} {
	done := make(chan struct{})
	r.turn.Post(&drained{r, done})
	return done
}

// drained is the end of all holding.
type drained struct {
	renewer *Renewer
	done    chan<- struct{}
}

// OnTurn hands everything back.
func (e *drained) OnTurn(now time.Time) {
	r := e.renewer
	r.mu.Lock()
	r.stopped = true
	var all []*Session
	for i, slot := range r.slots {
		all = append(all, slot...)
		r.slots[i] = nil
	}
	r.listed = 0
	r.mu.Unlock()
	for _, s := range all {
		s.held.mu.Lock()
		s.held.closed = true
		s.held.mu.Unlock()
		r.clear(s, now)
	}
	r.idle = append(r.idle, e.done)
	r.rest()
}

// rest tells those who wait for it that nothing is flying.
func (r *Renewer) rest() {
	if r.flying > 0 {
		return
	}
	for _, done := range r.idle {
		close(done)
	}
	r.idle = nil
}

// list has a client looked at from now on.
func (r *Renewer) list(s *Session) {
	at := int(maphash.String(seed, s.ID) % uint64(len(r.slots)))
	r.mu.Lock()
	if r.stopped {
		r.mu.Unlock()
		r.Clear(s)
		return
	}
	r.slots[at] = append(r.slots[at], s)
	r.listed++
	first := r.listed == 1
	r.mu.Unlock()
	if first {
		r.turn.Post((*woken)(r))
	}
}

// woken is the event of the first client that is listed.
type woken Renewer

// OnTurn begins to look.
func (e *woken) OnTurn(now time.Time) {
	if e.next.IsZero() {
		e.next = now.Add(e.grain)
	}
}

// EndTurn implements turn.Owner.
func (r *Renewer) EndTurn(time.Time) {}

// Due implements turn.Owner.
func (r *Renewer) Due() time.Time {
	if len(r.lost) > 0 && (r.next.IsZero() || r.lost[0].due.Before(r.next)) {
		return r.lost[0].due
	}
	return r.next
}

// Tick implements turn.Owner: it looks at the slots whose time has come.
func (r *Renewer) Tick(now time.Time) {
	r.giveUp(now)
	if r.next.IsZero() || now.Before(r.next) {
		return
	}
	steps := min(int64(now.Sub(r.next)/r.grain)+1, int64(len(r.slots)))
	for range steps {
		r.look(now)
	}
	r.next = now.Add(r.grain)
	r.mu.Lock()
	if r.listed == 0 {
		r.next = time.Time{}
	}
	r.mu.Unlock()
}

// look goes through the clients of the next slot.
func (r *Renewer) look(now time.Time) {
	at := r.slot
	r.slot = (r.slot + 1) % len(r.slots)
	r.mu.Lock()
	sessions := r.slots[at]
	r.slots[at] = nil
	r.mu.Unlock()
	if len(sessions) == 0 {
		return
	}
	var busy []*Session
	stay := sessions[:0]
	left := 0
	for _, s := range sessions {
		switch r.visit(s, now) {
		case visitedEmpty:
			left++
		case visitedBusy:
			busy = append(busy, s)
		default:
			stay = append(stay, s)
		}
	}
	clear(sessions[len(stay):])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slots[at] = append(stay, r.slots[at]...)
	r.slots[r.slot] = append(r.slots[r.slot], busy...)
	r.listed -= left
}

// visited is what came of a visit.
type visited uint8

const (
	visitedDone  visited = iota
	visitedEmpty         // nothing is held, and the client is not listed any more
	visitedBusy          // there is more to renew
)

// visit renews what is due of a client. What is held for one that was silent for too long is
// handed back: its stream may be open, but nobody works behind it.
func (r *Renewer) visit(s *Session, now time.Time) visited {
	h := &s.held
	silent := r.policy.Expiry > 0 && now.UnixMilli()-s.heard.Load() > r.policy.Expiry.Milliseconds()
	h.mu.Lock()
	if len(h.all) == 0 {
		h.listed = false
		h.mu.Unlock()
		return visitedEmpty
	}
	if silent {
		r.claims = h.clear(r.claims[:0])
		h.mu.Unlock()
		r.changeAll(toClear, now)
		return visitedDone
	}
	var more bool
	r.claims, more = h.due(r.claims[:0], now, &r.policy, renewBatchMax)
	h.mu.Unlock()
	r.changeAll(toRenew, now)
	if more {
		return visitedBusy
	}
	return visitedDone
}

// purpose is why the invisible time of a delivery is changed.
type purpose uint8

const (
	toRenew purpose = iota
	toLet           // it was renewed for long enough: the message rests like one that failed
	toClear         // its client is gone
)

// renewal is a change of an invisible time on its way.
type renewal struct {
	renewer *Renewer
	held    *Held
	purpose purpose
	op      backend.ChangeInvisible
}

func (r *Renewer) changeAll(p purpose, now time.Time) {
	for _, e := range r.claims {
		r.change(e, p, now)
	}
	clear(r.claims)
	r.claims = r.claims[:0]
}

// change sends the change of a delivery that is claimed.
func (r *Renewer) change(e *Held, p purpose, now time.Time) {
	x := &renewal{}
	if n := len(r.spare); n > 0 {
		x, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	x.op.Reset()
	var d backend.Delivery
	if !e.Delivery(&d) {
		return // its text was read before it was held
	}
	invisible := r.policy.WhenClear
	if p == toRenew {
		invisible = renewFor[min(e.renewals, len(renewFor)-1)]
		if now.UnixMilli()-e.since >= r.policy.TimeMax.Milliseconds() {
			p = toLet
			invisible = retryDelay(r.backend.Group(d.Group, now), e.attempts)
		}
	}
	x.renewer, x.held, x.purpose = r, e, p
	x.op.Exchange = backend.Exchange{Home: r.turn, Then: x, Deadline: now.Add(r.policy.CallTimeout)}
	x.op.Delivery, x.op.Invisible = d, invisible
	r.flying++
	r.backend.ChangeInvisible(&x.op, now)
}

// retryDelay is how long a message rests that was delivered so often.
func retryDelay(group *backend.Group, attempts int32) time.Duration {
	if group == nil || !group.Exists {
		group = &backend.DefaultGroup
	}
	retry := &group.Retry
	if retry.Exponential {
		d := float64(retry.Initial) * math.Pow(float64(retry.Multiplier), float64(attempts))
		return time.Duration(min(d, float64(retry.Max)))
	}
	if len(retry.Next) == 0 {
		return 0
	}
	return retry.Next[min(int(attempts)+2, len(retry.Next)-1)]
}

// sparesMax is how many operations are kept for the next renewals.
const sparesMax = 1024

// OnTurn is the event of a change that came home.
func (x *renewal) OnTurn(now time.Time) {
	r, e := x.renewer, x.held
	r.flying--
	if x.purpose == toClear {
		r.Free(e)
	} else {
		r.came(e, x, now)
	}
	x.held = nil
	if len(r.spare) < sparesMax {
		r.spare = append(r.spare, x)
	}
	r.rest()
}

// came decides what becomes of a delivery whose renewal is home.
func (r *Renewer) came(e *Held, x *renewal, now time.Time) {
	h := &e.of.held
	h.mu.Lock()
	e.renewing = false
	goesOn := e.learn(x) && x.purpose == toRenew
	closed, taker, home := h.closed, e.taker, e.takerHome
	if taker != nil || closed || !goesOn {
		h.unlink(e)
	} else {
		h.soonest = min(h.soonest, e.until)
	}
	if taker == nil && !goesOn {
		h.reuse(e)
	}
	h.mu.Unlock()
	switch {
	case taker != nil:
		home.Post(taker)
	case closed && goesOn:
		r.change(e, toClear, now)
	}
}

// learn takes the outcome of a renewal into e and tells whether there is still something to
// renew.
func (e *Held) learn(x *renewal) bool {
	switch f := x.op.Fault; {
	case f.Kind == backend.BadHandle:
		return false
	case !f.OK():
		e.failures++
		return true
	case !x.op.Known:
		return false
	}
	e.text = append(e.text[:0], x.op.NewHandle...)
	fresh, err := handle.Parse(e.text)
	if err != nil {
		return false
	}
	e.until = fresh.RetrieveTime + fresh.InvisibleTime
	e.failures = 0
	e.renewals++
	return true
}
