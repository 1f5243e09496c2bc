package brokertest

import (
	"fmt"
	"slices"
	"strings"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/local/broker"
)

// Pulls are held against what the queues are: a message that was pulled is there for good, at
// its offset. A group whose position is moved at random, the wanderer, is delivered this and
// that again and never what it passed over, so its deliveries are not held against the model;
// its positions are, and that nothing in the broker breaks.

// place is where a message lies.
type place struct {
	topic  string
	queue  int32
	offset int64
}

// wanderer pops from where it was moved to.
var wanderer = consumer{group: "wanderer", topic: "normal"}

// position is where the wanderer is in a queue, if that is known.
type position struct {
	next  int64
	known bool
}

// pulling is what a pull carries.
type pulling struct{ first, end int64 }

// pulledTopics are those whose queues can be pulled.
var pulledTopics = []string{"normal", "fifo", "delayed", "transactions", "priority", "%DLQ%g"}

// pull reads some queue from somewhere in it, or near.
func (p *player) pull() error {
	t := p.b.UseTopic(pulledTopics[p.rng.IntN(len(pulledTopics))])
	queue := int32(p.rng.IntN(t.Queues))
	state, known := t.QueueAt(queue)
	if _, beyond := t.QueueAt(int32(t.Queues)); !known || beyond {
		return fmt.Errorf("queue %d of %s is not as it should be", queue, t.Name)
	}
	pull := &broker.Pull{
		Topic: t, Queue: queue, Offset: state.First - 1 + p.rng.Int64N(state.End-state.First+3), Max: 1 + p.rng.IntN(4),
		Until: p.m.now + int64(p.rng.IntN(3)*p.rng.IntN(10_000)), Out: &pool.Chain{}, Carrier: pulling{state.First, state.End},
	}
	p.say("pull %s/%d from %d max %d", t.Name, queue, pull.Offset, pull.Max)
	p.b.Pull(pull, p.m.now)
	return p.after(nil)
}

// pulled holds the end of a pull against what may be.
func (p *player) pulled(pull *broker.Pull) error {
	defer pull.Out.Release()
	asked := pull.Carrier.(pulling)
	p.say("pulled %s/%d %d: %d, next %d", pull.Topic.Name, pull.Queue, pull.Outcome, len(pull.Deliveries), pull.Next)
	outside := pull.Offset < asked.first || pull.Offset > asked.end
	switch {
	case outside != (pull.Outcome == broker.PullOutside):
		return fmt.Errorf("a pull from %d of %d to %d ends with %d", pull.Offset, asked.first, asked.end, pull.Outcome)
	case (len(pull.Deliveries) > 0) != (pull.Outcome == broker.PullFound) || len(pull.Deliveries) > pull.Max:
		return fmt.Errorf("outcome %d with %d of %d messages", pull.Outcome, len(pull.Deliveries), pull.Max)
	case outside && pull.Next != min(max(pull.Offset, asked.first), asked.end) || !outside && pull.Next < pull.Offset:
		return fmt.Errorf("a pull from %d of %d to %d goes on at %d", pull.Offset, asked.first, asked.end, pull.Next)
	}
	at := pull.Offset
	for i := range pull.Deliveries {
		d := &pull.Deliveries[i]
		late := i == 0 && d.Offset > at // while it waited the queue lost messages
		if d.Offset != at && !late || d.Queue != pull.Queue || d.PopTime != 0 {
			return fmt.Errorf("a pull from %d to %d brings %d/%d", pull.Offset, pull.Next, d.Queue, d.Offset)
		}
		at = d.Offset + 1
		body := string(pull.Out.AppendRange(nil, d.BodyOffset, d.BodyLen))
		if err := p.lies(place{pull.Topic.Name, d.Queue, d.Offset}, strings.TrimRight(body, "."), d); err != nil {
			return err
		}
	}
	if len(pull.Deliveries) > 0 && pull.Next != at {
		return fmt.Errorf("a pull from %d up to %d goes on at %d", pull.Offset, at, pull.Next)
	}
	return nil
}

// lies: the message that was pulled is one that may be there, and the same as ever at its place.
func (p *player) lies(at place, id string, d *broker.Delivery) error {
	x := p.m.messages[at.topic+" "+id]
	if before, known := p.places[at]; known && before != id {
		return fmt.Errorf("at %v lies %s, and lay %s", at, id, before)
	}
	p.places[at] = id
	switch {
	case x == nil:
		return fmt.Errorf("%s was never sent to %s", id, at.topic)
	case x.presence != present && x.presence != perhaps:
		return fmt.Errorf("%s of %s was pulled, and is %v", id, at.topic, x.presence)
	case p.m.now < x.due:
		return fmt.Errorf("%s was pulled %d ms early", id, x.due-p.m.now)
	case d.ReconsumeTimes != x.base:
		return fmt.Errorf("%s was pulled with %d attempts, and was sent with %d", id, d.ReconsumeTimes, x.base)
	}
	x.presence, x.committed = present, present
	return nil
}

// wander moves the wanderer, or has it pop.
func (p *player) wander() error {
	g, t := p.b.UseGroup(wanderer.group), p.b.UseTopic(wanderer.topic)
	for queue := range p.wandered {
		next, known := g.Position(t, int32(queue))
		if w := p.wandered[queue]; w.known && (!known || next != w.next) {
			return fmt.Errorf("the wanderer is at %d in queue %d, and should be at %d", next, queue, w.next)
		}
	}
	if p.rng.IntN(2) == 0 {
		return p.pop(&wanderer, 1+p.rng.IntN(4), 0)
	}
	queue := p.rng.IntN(len(p.wandered))
	state, _ := t.QueueAt(int32(queue))
	next := p.rng.Int64N(state.End + 2)
	err := p.b.SetPosition(g, t, int32(queue), next)
	p.say("wander to %d of %d in queue %d: %v", next, state.End, queue, err)
	if (err != nil) != (next > state.End) {
		return fmt.Errorf("a move to %d of %d: %w", next, state.End, err)
	}
	if err == nil {
		p.moved(queue, position{next, true})
	}
	return p.after(nil)
}

// moved notes where the wanderer is.
func (p *player) moved(queue int, to position) {
	before := p.wandered[queue]
	p.wandered[queue] = to
	p.m.effect(effect{
		lost:  func() { p.wandered[queue] = before },
		doubt: func() { p.wandered[queue] = position{} },
	})
}

// strayed: the wanderer has popped, from wherever it was.
func (p *player) strayed(pop *broker.Pop) error {
	for queue := range p.wandered {
		p.moved(queue, position{})
	}
	for i := range pop.Deliveries {
		d := &pop.Deliveries[i]
		id := strings.TrimRight(string(pop.Out.AppendRange(nil, d.BodyOffset, d.BodyLen)), ".")
		x := p.m.messages[wanderer.topic+" "+id]
		if x == nil {
			return fmt.Errorf("%s was never sent", id)
		}
		p.held = append(p.held, held{x, wanderer.group, broker.Receipt{
			Group: wanderer.group, Topic: wanderer.topic, Queue: d.Queue, Offset: d.Offset, PopTime: d.PopTime, Sequence: d.Sequence,
		}})
	}
	return nil
}

// settle ends the wandering, so that what the wanderer never consumes takes no room.
func (p *player) settle() error {
	p.say("settle")
	p.held = slices.DeleteFunc(p.held, func(h held) bool { return h.group == wanderer.group })
	p.b.UseGroup(wanderer.group)
	return p.after(p.b.DeleteGroup(wanderer.group))
}
