package broker

import (
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// Outcome is how a pop ended.
type Outcome uint8

// The outcomes.
const (
	PopFound Outcome = iota
	PopNone          // nothing came before Until
	PopFull          // too many wait, or too many messages are out
)

// Pop takes up to Max messages of a topic for a group. It is the broker's from the call until
// it comes out of Answers.
type Pop struct {
	Topic     *Topic
	Group     *Group
	Filter    Matcher // nil: everything
	FIFO      bool
	Attempt   []byte // names a receive that may be tried again; FIFO only
	ClientID  []byte // of a lite pop
	Lite      bool
	Max       int
	Invisible int64 // ms
	Until     int64 // ms since 1970: how long to wait for a first message

	// the answer
	Outcome    Outcome
	Deliveries []Delivery
	Out        *pool.Chain // what Deliveries point into is appended here

	Carrier any // the caller's

	links[*Pop]
	measure
	at      *waitingRoom // waits there when slot is not 0
	slot    int32
	attempt uint64
}

func (p *Pop) due() int64               { return p.Until }
func (p *Pop) before(other *Pop) bool   { return p.Until < other.Until }
func (p *Pop) place() *int32            { return &p.slot }
func (p *Pop) neighbours() *links[*Pop] { return &p.links }

// Delivery is one message that left.
type Delivery struct {
	Topic               *Topic
	Queue               int32
	Offset              int64
	Sequence            uint64
	PopTime             int64 // with Queue and Offset it names the delivery
	Born, Stored        int64
	SysFlag             int32
	ReconsumeTimes      int32
	Properties          []byte // borrowed from Pop.Out
	BodyOffset, BodyLen int    // in Pop.Out
}

// Pop begins p: it comes out of Answers, now or when something has come.
func (b *Broker) Pop(p *Pop, now int64) {
	p.measure, p.attempt = measure{limits: &b.config.Limits, most: p.Max}, 0
	p.Deliveries = p.Deliveries[:0]
	if p.Topic.gone || p.Group.gone {
		b.answers, p.Outcome = append(b.answers, p), PopNone
		return
	}
	if (p.FIFO || p.Lite) && len(p.Attempt) > 0 {
		p.attempt = hashOf(p.Attempt)
	}
	if p.Lite {
		p.at = &b.liteClient(p.Group, string(p.ClientID)).room
	} else {
		p.at = &b.subscribe(p.Group, p.Topic).room
	}
	b.fill(p, now)
	switch {
	case len(p.Deliveries) > 0:
		b.answer(p, PopFound)
	case b.inflight >= b.config.InflightMax:
		b.answer(p, PopFull)
	case p.Until <= now:
		b.answer(p, PopNone)
	case b.Waiting() >= b.config.WaitersMax || p.at.waiting.count >= b.config.GroupWaitersMax:
		b.answer(p, PopFull)
	default:
		p.at.waiting.push(p)
		b.waiters.add(p)
		b.waiting++
		b.goOn(p)
	}
}

// answer ends a pop, whether it waited or not.
func (b *Broker) answer(p *Pop, outcome Outcome) {
	at := p.at
	if p.slot != 0 {
		b.waiters.remove(p)
		b.waiting--
		at.waiting.remove(p)
	}
	p.at, p.Outcome = nil, outcome
	b.answers = append(b.answers, p)
	if at.client != nil {
		b.forgetIdle(at.client)
	}
}

// CancelAll ends every pop and every pull that waits.
func (b *Broker) CancelAll() {
	for len(b.waiters.items) > 0 {
		b.answer(b.waiters.first(), PopNone)
	}
	for len(b.pulls.items) > 0 {
		b.answerPull(b.pulls.first(), PullNone)
	}
}

// Cancel ends a pop that waits and that nobody wants any more. It is false, and nothing has
// happened, when it does not wait.
func (b *Broker) Cancel(p *Pop) bool {
	if p.slot == 0 {
		return false
	}
	b.answer(p, PopNone)
	return true
}

// endPolls answers those who have waited long enough.
func (b *Broker) endPolls(now int64) {
	for b.waiters.due() <= now {
		b.answer(b.waiters.first(), PopNone)
	}
	for b.pulls.due() <= now {
		b.answerPull(b.pulls.first(), PullNone)
	}
}

// waitingRoom is where pops wait: at a subscription, or at a client of lite topics.
type waitingRoom struct {
	sub     *subscription
	client  *liteClient
	waiting list[*Pop]
	stirred bool // in Broker.dirty
}

// wake notes that there may be something for those who wait here.
func (b *Broker) wake(at *waitingRoom) {
	if !at.stirred && at.waiting.count > 0 {
		at.stirred = true
		b.dirty = append(b.dirty, at)
	}
}

// goOn: a waiter that has looked at all it may in a turn looks on when others have had theirs.
func (b *Broker) goOn(p *Pop) {
	if p.looked >= b.config.ScanMax {
		b.wake(p.at)
	}
}

// serve gives those who wait what has come.
func (b *Broker) serve(now int64) {
	b.feedStarving()
	dirty := b.dirty
	b.dirty = b.spareDirty[:0]
	for _, at := range dirty {
		at.stirred = false
		for p := at.waiting.front; p != nil; p = at.waiting.front {
			if b.fill(p, now); len(p.Deliveries) == 0 {
				b.goOn(p)
				break
			}
			b.answer(p, PopFound)
		}
	}
	clear(dirty)
	b.spareDirty = dirty[:0]
	b.servePulls()
}

// feedStarving wakes all who wait when InflightMax has kept messages from some of them and
// there is room again.
func (b *Broker) feedStarving() {
	if !b.starving || b.inflight >= b.config.InflightMax {
		return
	}
	b.starving = false
	for _, p := range b.waiters.items {
		b.wake(p.at)
	}
}

// fill delivers to p what there is for it.
func (b *Broker) fill(p *Pop, now int64) {
	p.turn()
	if p.at.client != nil {
		b.fillLite(p.at.client, p, now)
	} else {
		b.fillFrom(p.at.sub, p, now)
	}
	if b.inflight >= b.config.InflightMax {
		b.starving = true
	}
}

// retryTurns is how often the messages that are delivered again come before the fresh ones:
// with every fifth pop, as a broker does on average (popFromRetryProbability, 20 %).
const retryTurns = 5

// fillFrom delivers from one subscription.
func (b *Broker) fillFrom(s *subscription, p *Pop, now int64) {
	b.pops++
	s.turns++
	before := len(p.Deliveries)
	b.popAgain(s, p, now)
	if len(p.Deliveries) > before {
		return
	}
	b.popLines(s, p, now)
	if s.turns%retryTurns == 0 && !s.topic.prioritized {
		b.popExpired(s, p, now)
	}
	b.popFresh(s, p, now)
	b.popExpired(s, p, now)
}

// popExpired delivers messages whose last delivery came to nothing.
func (b *Broker) popExpired(s *subscription, p *Pop, now int64) {
	for s.expired.front != nil && p.room() {
		b.redeliver(p, s.expired.front, now)
	}
}

// redeliver delivers a message that has an entry. One that retention has taken, or that this
// consumer does not want, ends. One that cannot leave now stays, and the pop is full.
func (b *Broker) redeliver(p *Pop, e *entry, now int64) {
	p.looked++
	b.key = appendMessageKey(b.key[:0], e.sub.topic.id, e.queue, e.offset)
	value, found, err := b.store.Get(b.value[:0], b.key)
	b.value = value
	var r record
	switch {
	case err != nil && !isDamage(err):
		b.report("message cannot be read: it is tried again", err)
		p.full = true
		return
	case err != nil:
		b.report("message is damaged: it is left out", err)
		found = false
	case found:
		if err = r.parse(value); err != nil {
			b.report("message is damaged: it is left out", err)
			found = false
		}
	}
	if !found || !p.wants(&r) {
		b.drop(e)
		return
	}
	if p.fits(&r) {
		b.giveOut(e)
		b.deliver(p, e, &r, now)
	}
}

func (p *Pop) wants(r *record) bool { return p.Filter == nil || p.Filter.Match(r.Properties) }

// deliver hands out a message whose entry is out.
func (b *Broker) deliver(p *Pop, e *entry, r *record, now int64) {
	again := e.attempt != 0 && e.attempt == p.attempt
	if e.counts && !again {
		e.times++
	}
	e.popTime = max(now, e.popTime+1) // no two deliveries of a message have the same
	e.visibleAt = now + p.Invisible
	e.counts = true
	if !again {
		b.untry(e)
		b.try(e, p.attempt)
	}
	b.entries.moved(e)
	b.saveEntry(e)

	properties, body := r.copyTo(p.Out)
	p.took(r)
	p.Deliveries = append(p.Deliveries, Delivery{
		Topic: e.sub.topic, Queue: e.queue, Offset: e.offset, Sequence: r.Sequence, PopTime: e.popTime,
		Born: r.Born, Stored: r.Stored, SysFlag: r.SysFlag, ReconsumeTimes: r.ReconsumeTimes + e.times,
		Properties: properties, BodyOffset: body, BodyLen: len(r.Body),
	})
}

// popFresh reads on in the queues: in turn from another one each time, or, where messages have
// a priority, from the last to the first.
func (b *Broker) popFresh(s *subscription, p *Pop, now int64) {
	n := len(s.topic.queues)
	s.lastRead++
	for i := range n {
		if !p.room() || b.inflight >= b.config.InflightMax {
			return
		}
		q := s.topic.queues[(s.lastRead+i)%n]
		if s.topic.prioritized {
			q = s.topic.queues[n-1-i]
		}
		b.read(s, p, q, now)
	}
}

// read delivers from one queue.
func (b *Broker) read(s *subscription, p *Pop, q *queue, now int64) {
	start := max(s.next[q.id], q.first)
	next, damage := start, true
	for damage && next < q.visible && p.room() {
		next, damage = b.readOn(s, p, q, next, now)
	}
	if next != start {
		b.advance(s, q.id, next)
	}
}

// readOn delivers from one queue up to its end or to what is damaged, which is left out. It
// returns where to read on.
func (b *Broker) readOn(s *subscription, p *Pop, q *queue, next, now int64) (on int64, damage bool) {
	b.key = appendMessageKey(b.key[:0], s.topic.id, q.id, next)
	b.prefix = appendMessageKey(b.prefix[:0], s.topic.id, q.id, q.visible)
	more := b.cursor.Seek(b.key, b.prefix)
	for ; more && p.room() && b.inflight < b.config.InflightMax; more = b.cursor.Next() {
		p.looked++
		at := spot{q.id, offsetOfMessageKey(b.cursor.Key())}
		var r record
		if err := r.parse(b.cursor.Value()); err != nil {
			b.report("message is damaged: it is left out", err)
		} else if p.wants(&r) && !b.meet(s, p, at, &r, now) {
			break // it must wait, and what comes after it too
		}
		next = at.offset + 1
	}
	if more || !p.room() || b.inflight >= b.config.InflightMax {
		return next, false
	}
	next, damage, p.full = b.readEnd(q, next)
	if damage {
		p.looked++
	}
	return next, damage
}

// readEnd tells why the cursor went no further in a queue, and where to read on: behind it,
// because there may be gaps; behind what is damaged; or, after a fault that may pass, at the
// same place another time.
func (b *Broker) readEnd(q *queue, next int64) (on int64, damage, fault bool) {
	switch err := b.cursor.Err(); {
	case err == nil:
		return q.visible, false, false
	case isDamage(err):
		b.report("message is damaged: it is left out", err)
		return next + 1, true, false
	default:
		b.report("messages cannot be read: they are tried again", err)
		return next, false, true
	}
}

// meet delivers a fresh message, or holds it back behind those of its message group. It is
// false when the message must stay where it is.
func (b *Broker) meet(s *subscription, p *Pop, at spot, r *record, now int64) bool {
	key := s.lineKey(p, r)
	passes := key == 0 || s.lines[key].passable(b.pops)
	switch {
	case passes && !p.fits(r):
		return false
	case !passes && (s.topic.lite != nil || s.parked >= b.config.ParkedMax):
		return false
	}
	e := b.newEntry(s, at)
	e.out = passes
	if key != 0 {
		l := s.lineOf(key)
		l.join(e)
		if passes {
			l.pop = b.pops
		}
	}
	if passes {
		b.deliver(p, e, r, now)
	} else {
		b.saveEntry(e)
	}
	return true
}

// liteLine is the one line of a lite topic.
const liteLine = 1

// lineKey tells which line a message belongs to, 0 for none.
func (s *subscription) lineKey(p *Pop, r *record) uint64 {
	switch {
	case s.topic.lite != nil:
		return liteLine
	case !p.FIFO:
		return 0
	}
	if group := message.Property(r.Properties, message.NameShardingKey); len(group) > 0 {
		return hashOf(group)
	}
	return 0
}
