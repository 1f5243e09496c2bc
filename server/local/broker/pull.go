package broker

import "rocketmq-proxy/pool"

// PullOutcome is how a pull ended.
type PullOutcome uint8

// The outcomes of a pull.
const (
	PullFound   PullOutcome = iota
	PullNone                // nothing came before Until
	PullOutside             // the queue does not reach to Offset, or no longer
	PullFull                // too many wait
)

// Pull reads up to Max messages of one queue from an offset on. It lends nothing: whoever pulls
// knows where to go on, and no group's position moves. It is the broker's from the call until
// it comes out of Pulled.
type Pull struct {
	Topic  *Topic
	Queue  int32 // one that the topic has
	Offset int64
	Filter Matcher // nil: everything
	Max    int
	Until  int64 // ms since 1970: how long to wait for a first message

	// the answer
	Outcome    PullOutcome
	Next       int64 // where to pull next
	Deliveries []Delivery
	Out        *pool.Chain // what Deliveries point into is appended here

	Carrier any // the caller's

	links[*Pull]
	measure
	slot int32 // waits when it is not 0
}

func (p *Pull) due() int64                { return p.Until }
func (p *Pull) before(other *Pull) bool   { return p.Until < other.Until }
func (p *Pull) place() *int32             { return &p.slot }
func (p *Pull) neighbours() *links[*Pull] { return &p.links }

func (p *Pull) queue() *queue { return p.Topic.queues[p.Queue] }

func (p *Pull) wants(r *record) bool { return p.Filter == nil || p.Filter.Match(r.Properties) }

// Pull begins p: it comes out of Pulled, now or when something has come.
func (b *Broker) Pull(p *Pull, now int64) {
	p.measure, p.Next = measure{limits: &b.config.Limits, most: p.Max}, p.Offset
	p.Deliveries = p.Deliveries[:0]
	if p.Topic.gone {
		b.answerPull(p, PullNone)
		return
	}
	q := p.queue()
	if p.Offset < q.first || p.Offset > q.visible {
		p.Next = min(max(p.Offset, q.first), q.visible)
		b.answerPull(p, PullOutside)
		return
	}
	b.pullOn(p)
	switch {
	case len(p.Deliveries) > 0:
		b.answerPull(p, PullFound)
	case p.Until <= now:
		b.answerPull(p, PullNone)
	case b.Waiting() >= b.config.WaitersMax || q.pulls.count >= b.config.GroupWaitersMax:
		b.answerPull(p, PullFull)
	default:
		q.pulls.push(p)
		b.pulls.add(p)
		b.lookOn(p)
	}
}

// answerPull ends a pull, whether it waited or not.
func (b *Broker) answerPull(p *Pull, outcome PullOutcome) {
	if p.slot != 0 {
		b.pulls.remove(p)
		p.queue().pulls.remove(p)
	}
	p.Outcome = outcome
	b.pulled = append(b.pulled, p)
}

// Pulled takes the pulls that have ended since the last call: their results are filled in.
func (b *Broker) Pulled() []*Pull {
	return b.pulled.take()
}

// RecyclePulled gives the memory of Pulled back.
func (b *Broker) RecyclePulled(pulled []*Pull) {
	b.pulled.recycle(pulled)
}

// rouse notes that there may be something for the pulls that wait at a queue.
func (b *Broker) rouse(q *queue) {
	if !q.roused && q.pulls.count > 0 {
		q.roused = true
		b.roused = append(b.roused, q)
	}
}

// lookOn: a pull that has looked at all it may in a turn looks on when others have had theirs.
func (b *Broker) lookOn(p *Pull) {
	if p.looked >= b.config.ScanMax {
		b.rouse(p.queue())
	}
}

// servePulls gives those who wait what has come: each of them all of it.
func (b *Broker) servePulls() {
	roused := b.roused
	b.roused = b.spareRoused[:0]
	for _, q := range roused {
		q.roused = false
		for p := q.pulls.front; p != nil; {
			next := p.next
			if b.pullOn(p); len(p.Deliveries) > 0 {
				b.answerPull(p, PullFound)
			} else {
				b.lookOn(p)
			}
			p = next
		}
	}
	clear(roused)
	b.spareRoused = roused[:0]
}

// endPulls answers the pulls of a queue that goes.
func (b *Broker) endPulls(q *queue) {
	for p := q.pulls.front; p != nil; p = q.pulls.front {
		b.answerPull(p, PullNone)
	}
}

// pullOn reads from where the pull stands.
func (b *Broker) pullOn(p *Pull) {
	p.turn()
	q := p.queue()
	p.Next = max(p.Next, q.first)
	for damage := true; damage && p.Next < q.visible && p.room(); {
		damage = b.pullFrom(p, q)
	}
}

// pullFrom reads up to the end of the queue or to what is damaged, which is left out.
func (b *Broker) pullFrom(p *Pull, q *queue) (damage bool) {
	b.key = appendMessageKey(b.key[:0], q.topic.id, q.id, p.Next)
	b.prefix = appendMessageKey(b.prefix[:0], q.topic.id, q.id, q.visible)
	more := b.cursor.Seek(b.key, b.prefix)
	for ; more && p.room(); more = b.cursor.Next() {
		p.looked++
		offset := offsetOfMessageKey(b.cursor.Key())
		var r record
		if err := r.parse(b.cursor.Value()); err != nil {
			b.report("message is damaged: it is left out", err)
		} else if p.wants(&r) {
			if !p.fits(&r) {
				break
			}
			p.take(q, offset, &r)
		}
		p.Next = offset + 1
	}
	if more || !p.room() {
		return false
	}
	p.Next, damage, p.full = b.readEnd(q, p.Next)
	if damage {
		p.looked++
	}
	return damage
}

func (p *Pull) take(q *queue, offset int64, r *record) {
	properties, body := r.copyTo(p.Out)
	p.took(r)
	p.Deliveries = append(p.Deliveries, Delivery{
		Topic: q.topic, Queue: q.id, Offset: offset, Sequence: r.Sequence, Born: r.Born, Stored: r.Stored,
		SysFlag: r.SysFlag, ReconsumeTimes: r.ReconsumeTimes,
		Properties: properties, BodyOffset: body, BodyLen: len(r.Body),
	})
}
