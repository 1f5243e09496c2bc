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
	sub     *subscription // waits there
	client  *liteClient   // or there
	slot    int32
	attempt uint64
	bytes   int
	looked  int
	limits  *Limits
}

func (p *Pop) due() int64               { return p.Until }
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

// room tells whether another message may leave.
func (p *Pop) room() bool {
	return len(p.Deliveries) < p.Max && (p.bytes < p.limits.PopBytesMax || len(p.Deliveries) == 0)
}

// Pop begins p: it comes out of Answers, now or when something has come.
func (b *Broker) Pop(p *Pop, now int64) {
	p.limits, p.bytes, p.attempt = &b.config.Limits, 0, 0
	p.Deliveries = p.Deliveries[:0]
	if p.Lite {
		b.popLite(p, now)
		return
	}
	s := b.subscribe(p.Group, p.Topic)
	if p.FIFO && len(p.Attempt) > 0 {
		p.attempt = hashOf(p.Attempt)
	}
	b.fill(s, p, now)
	switch {
	case len(p.Deliveries) > 0:
		b.answer(p, PopFound)
	case b.inflight >= b.config.InflightMax:
		b.answer(p, PopFull)
	case p.Until <= now:
		b.answer(p, PopNone)
	case b.waiting >= b.config.WaitersMax || s.waiting.count >= b.config.GroupWaitersMax:
		b.answer(p, PopFull)
	default:
		b.wait(p, s)
	}
}

func (b *Broker) wait(p *Pop, s *subscription) {
	p.sub = s
	s.waiting.push(p)
	b.waiters.add(p)
	b.waiting++
	if p.looked >= b.config.ScanMax {
		b.stir(s) // there is more to look at, when others have had their turn
	}
}

// answer ends a pop, whether it waited or not.
func (b *Broker) answer(p *Pop, outcome Outcome) {
	if p.slot != 0 {
		b.waiters.remove(p)
		b.waiting--
		if p.client != nil {
			p.client.waiting.remove(p)
		} else {
			p.sub.waiting.remove(p)
		}
	}
	p.sub, p.client = nil, nil
	p.Outcome = outcome
	b.answers = append(b.answers, p)
}

// CancelAll ends every pop that waits.
func (b *Broker) CancelAll() {
	for len(b.waiters.items) > 0 {
		b.answer(b.waiters.first(), PopNone)
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
}

// serve gives those who wait what has come.
func (b *Broker) serve(now int64) {
	dirty := b.dirty
	b.dirty = b.spareDirty[:0]
	for _, s := range dirty {
		s.stirred = false
		if s.topic.lite != nil {
			b.stirLite(s.topic)
			continue
		}
		for p := s.waiting.front; p != nil; p = s.waiting.front {
			if b.fill(s, p, now); len(p.Deliveries) == 0 {
				if p.looked >= b.config.ScanMax {
					b.stir(s)
				}
				break
			}
			b.answer(p, PopFound)
		}
	}
	clear(dirty)
	b.spareDirty = dirty[:0]
	b.serveLite(now)
}

// retryTurns is how often the messages that are delivered again come before the fresh ones:
// with every fifth pop, as a broker does on average (popFromRetryProbability, 20 %).
const retryTurns = 5

// fill delivers to p what there is for it.
func (b *Broker) fill(s *subscription, p *Pop, now int64) {
	b.pops++
	p.looked = 0
	s.turns++
	b.popAgain(s, p, now)
	if len(p.Deliveries) > 0 {
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
// consumer does not want, ends.
func (b *Broker) redeliver(p *Pop, e *entry, now int64) {
	var err error
	var found bool
	b.key = appendMessageKey(b.key[:0], e.sub.topic.id, e.queue, e.offset)
	if b.value, found, err = b.store.Get(b.value[:0], b.key); err != nil {
		b.report("message cannot be read: the rest is served", err)
	}
	var r record
	if err != nil || !found || r.parse(b.value) != nil || !p.wants(&r) {
		b.drop(e)
		return
	}
	b.giveOut(e)
	b.deliver(p, e, &r, now)
}

func (p *Pop) wants(r *record) bool { return p.Filter == nil || p.Filter.Match(r.Properties) }

// deliver hands out a message whose entry is out.
func (b *Broker) deliver(p *Pop, e *entry, r *record, now int64) {
	e.popTime = max(now, e.popTime+1) // no two deliveries of a message have the same
	e.visibleAt = now + p.Invisible
	e.attempt = p.attempt
	times := r.ReconsumeTimes + e.times
	e.times++
	b.entries.add(e)
	b.try(e)
	b.saveEntry(e)

	dst := append(p.Out.Reserve(len(r.Properties)+len(r.Body)), r.Properties...)
	at := p.Out.Len()
	p.Out.Commit(append(dst, r.Body...))
	p.bytes += len(r.Properties) + len(r.Body)
	p.Deliveries = append(p.Deliveries, Delivery{
		Topic: e.sub.topic, Queue: e.queue, Offset: e.offset, Sequence: r.Sequence, PopTime: e.popTime,
		Born: r.Born, Stored: r.Stored, SysFlag: r.SysFlag, ReconsumeTimes: times,
		Properties: dst[:len(dst):len(dst)], BodyOffset: at + len(dst), BodyLen: len(r.Body),
	})
}

// popFresh reads on in the queues: in turn from another one each time, or, where messages have
// a priority, from the last to the first.
func (b *Broker) popFresh(s *subscription, p *Pop, now int64) {
	n := len(s.topic.queues)
	s.lastRead++
	for i := range n {
		if !p.room() || b.inflight >= b.config.InflightMax || p.looked >= b.config.ScanMax {
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
	start := b.position(s, q)
	if start >= q.visible {
		return
	}
	next := start
	b.key = appendMessageKey(b.key[:0], s.topic.id, q.id, start)
	b.prefix = appendMessageKey(b.prefix[:0], s.topic.id, q.id, q.visible)
	more := b.cursor.Seek(b.key, b.prefix)
	for ; more && p.room() && p.looked < b.config.ScanMax && b.inflight < b.config.InflightMax; more = b.cursor.Next() {
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
	if err := b.cursor.Err(); err != nil {
		b.report("messages cannot be read: what comes after them is served", err)
		next++
		p.looked++
	} else if !more && p.looked < b.config.ScanMax && p.room() && b.inflight < b.config.InflightMax {
		next = q.visible // retention may have left gaps
	}
	if next != start || s.next[q.id] < start {
		b.advance(s, q.id, next)
	}
}

// meet delivers a fresh message, or holds it back behind those of its message group. It is
// false when the message must stay where it is.
func (b *Broker) meet(s *subscription, p *Pop, at spot, r *record, now int64) bool {
	key := s.lineKey(p, r)
	if key == 0 {
		b.deliverFresh(p, b.newEntry(s, at), r, now)
		return true
	}
	l := s.lines[key]
	if l.passable(b.pops) {
		e := b.newEntry(s, at)
		e.out = true
		l = s.lineOf(key)
		l.pop = b.pops
		l.join(e)
		b.deliver(p, e, r, now)
		return true
	}
	if s.topic.lite != nil || s.parked >= b.config.ParkedMax {
		return false
	}
	e := b.newEntry(s, at)
	s.lineOf(key).join(e)
	b.saveEntry(e)
	return true
}

func (b *Broker) deliverFresh(p *Pop, e *entry, r *record, now int64) {
	e.out = true
	b.deliver(p, e, r, now)
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
