package fakebroker

import (
	"fmt"
	"slices"
)

// order is what a FIFO group has of a queue (specification 4.8).
type order struct {
	popTime   int64 // ms since 1970
	invisible int64 // ms
	start     int64
	offsets   []int64
	acked     map[int64]bool
	until     map[int64]int64 // ms since 1970: changed invisible times
	counts    map[int64]int   // deliveries that ran out
	attempt   string
}

func (o *order) open() []int64 {
	return slices.DeleteFunc(slices.Clone(o.offsets), func(offset int64) bool { return o.acked[offset] })
}

// blocked tells whether a delivery still has time.
func (o *order) blocked(now int64) bool {
	return slices.ContainsFunc(o.open(), func(offset int64) bool {
		until, changed := o.until[offset]
		if !changed {
			until = o.popTime + o.invisible
		}
		return until > now
	})
}

// takeOrder pops from one queue of a FIFO group: what was not acked again, else what is new,
// else nothing, because an earlier delivery is not over.
func (b *Broker) takeOrder(p *pop, found *popResult, id int32) {
	q := b.queues[queueKey{p.topic, id}]
	if q == nil || found.n >= p.most {
		return
	}
	sub := subscription{p.group, p.topic, id}
	old := b.orders[sub]
	o := &order{
		popTime: found.now, invisible: p.invisible, attempt: p.attempt, start: b.reads[sub],
		acked: map[int64]bool{}, until: map[int64]int64{}, counts: map[int64]int{},
	}
	switch open := openOf(old); {
	case len(open) == 0:
		o.offsets = b.readOrder(p, q, sub, p.most-found.n)
	case !old.blocked(found.now):
		for _, offset := range open {
			old.counts[offset]++
		}
		o.offsets, o.counts, o.start = open, old.counts, open[0]
	case p.attempt != "" && p.attempt == old.attempt:
		o.offsets, o.counts, o.start = open, old.counts, open[0]
	}
	if len(o.offsets) == 0 {
		return
	}
	b.orders[sub] = o
	for _, offset := range o.offsets {
		s := q.messages[offset]
		found.body = s.encode(found.body, p.topic, s.record.Properties)
		if o.counts[offset] > 0 {
			found.counts = append(found.counts, fmt.Sprintf("0 qo%d%%%d %d", id, offset, o.counts[offset]))
		}
	}
	found.n += len(o.offsets)
	found.add(len(q.messages)-int(b.reads[sub]), 0, id, o.start, o.offsets)
}

func openOf(o *order) []int64 {
	if o == nil {
		return nil
	}
	return o.open()
}

func (b *Broker) readOrder(p *pop, q *queue, sub subscription, most int) []int64 {
	var offsets []int64
	next := b.reads[sub]
	for ; next < int64(len(q.messages)) && len(offsets) < most; next++ {
		if p.matches(q.messages[next]) {
			offsets = append(offsets, next)
		}
	}
	b.reads[sub] = next
	return offsets
}

func (b *Broker) ackOrder(sub subscription, offset, popTime int64) Response {
	o := b.orders[sub]
	if o == nil || o.popTime != popTime {
		return Response{}
	}
	if !slices.Contains(o.offsets, offset) {
		return fail(13, "the offset is not in the order block")
	}
	o.acked[offset] = true
	if len(o.open()) == 0 {
		b.wake(sub.topic)
	}
	return Response{}
}

func (b *Broker) changeOrder(sub subscription, offset, popTime, invisible int64) Response {
	o := b.orders[sub]
	if o == nil || o.popTime != popTime || !slices.Contains(o.offsets, offset) {
		return changed(0, 0, 0)
	}
	now := b.now()
	o.until[offset] = now + invisible
	return changed(o.popTime, now+invisible-o.popTime, reviveOrder)
}
