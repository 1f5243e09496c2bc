package brokertest

import (
	"fmt"
	"slices"

	"rocketmq-proxy/server/local/broker"
)

// model is what must be true of a broker, in as few words as possible: for each message
// whether it is there, and for each group how far it is with it. It knows nothing of queues,
// positions, entries or keys.
//
// What an operation did holds when its batch is committed. Until then it is taken back by a
// crash; and after a commit that failed it may be so or so, until a later answer tells.
type model struct {
	now      int64
	retain   int64 // age at which messages may be missing; 0: never
	checks   int   // questions about a half message before it is given up
	messages map[string]*sent
	order    map[string][]*sent // of a message group or a lite topic, as they were sent
	list     []*sent

	open, sealed []effect
}

// effect is what becomes of an operation. All of them may be nil.
type effect struct{ kept, lost, doubt func() }

// presence tells whether a message can be delivered.
type presence uint8

const (
	unseen  presence = iota // sent, not committed
	half                    // undecided
	present                 // there for good
	perhaps                 // the commit failed
	gone                    // rolled back, recalled, lost, deleted
)

// sent is one message.
type sent struct {
	id, topic, key string // key: of its order; empty: none
	tag            string
	base           int32 // attempts that it was sent with
	presence       presence
	committed      presence // what a crash makes of it
	due            int64    // not before
	since          int64    // when it could be delivered first
	asked          int
	loose          bool // its topic may be deleted
	groups         map[string]*progress
}

// progress is how far a group is with a message.
type progress struct {
	last
	acked   bool // and that is not lost
	perhaps bool // that may be lost
}

// last is the last delivery.
type last struct {
	popTime int64
	until   int64
	attempt string
	times   int32 // told
	low     int32 // what the next delivery must tell, at least
	high    int32 // and at most
	doubt   bool  // it may not have been written
}

func (m *model) effect(e effect) { m.open = append(m.open, e) }

func (m *model) seal() { m.sealed, m.open = m.open, nil }

// kept: the sealed batch is committed.
func (m *model) kept() {
	for _, e := range m.sealed {
		run(e.kept)
	}
	m.sealed = nil
}

// crash takes back what was not committed; doubt tells that the sealed batch may have been.
func (m *model) crash(doubt bool) {
	for _, e := range slices.Backward(m.open) {
		run(e.lost)
	}
	for _, e := range slices.Backward(m.sealed) {
		if doubt {
			run(e.doubt)
		} else {
			run(e.lost)
		}
	}
	m.open, m.sealed = nil, nil
}

func run(f func()) {
	if f != nil {
		f()
	}
}

// send tells that a message was sent; then is what it is once that is committed.
func (m *model) send(x *sent, then presence) {
	x.groups, x.since, x.committed = map[string]*progress{}, max(m.now, x.due), gone
	m.messages[x.topic+" "+x.id] = x
	m.list = append(m.list, x)
	if x.key != "" {
		m.order[x.topic+" "+x.key] = append(m.order[x.topic+" "+x.key], x)
	}
	m.turn(x, unseen, then)
}

// turn makes a message something else: now, and when that is committed.
func (m *model) turn(x *sent, now, then presence) {
	x.presence = now
	m.effect(effect{
		kept: func() {
			if x.committed = then; x.presence == now {
				x.presence = then
			}
		},
		lost:  func() { x.presence = x.committed },
		doubt: func() { x.committed, x.presence = perhaps, perhaps },
	})
}

func (m *model) progress(x *sent, group string) *progress {
	p := x.groups[group]
	if p == nil {
		p = &progress{}
		x.groups[group] = p
	}
	return p
}

// delivered holds one delivery against what may be; with are those of the same pop before it.
func (m *model) delivered(topic, group, id, attempt string, d *broker.Delivery, invisible int64, with []*sent) (*sent, error) {
	x := m.messages[topic+" "+id]
	if x == nil {
		return nil, fmt.Errorf("%s of %s was never sent", id, topic)
	}
	p := m.progress(x, group)
	times := d.ReconsumeTimes - x.base
	again := attempt != "" && p.attempt == attempt && p.times == times
	low, high := p.low, p.high
	if again {
		low = min(low, p.times)
	}
	switch {
	case x.presence != present && x.presence != perhaps:
		return nil, fmt.Errorf("%s of %s was delivered, and is %v", id, topic, x.presence)
	case m.now < x.due:
		return nil, fmt.Errorf("%s was delivered at %d, %d ms early", id, m.now, x.due-m.now)
	case p.acked:
		return nil, fmt.Errorf("%s was delivered to %s again after it was consumed", id, group)
	case m.now < p.until && !again && !p.doubt:
		return nil, fmt.Errorf("%s was delivered to %s again %d ms early", id, group, p.until-m.now)
	case times < low || times > high:
		return nil, fmt.Errorf("%s was delivered to %s with %d attempts, and not %d to %d", id, group, times, low, high)
	}
	if !again { // what a consumer has got already tells nothing about those before it
		if err := m.inOrder(x, group, with); err != nil {
			return nil, err
		}
	}
	x.presence, x.committed, p.perhaps = present, present, false
	before := p.last
	p.last = last{
		popTime: d.PopTime, until: m.now + invisible, attempt: attempt,
		times: times, low: times + 1, high: times + 1,
	}
	m.effect(effect{
		lost: func() { p.last = before },
		doubt: func() {
			p.low, p.high, p.doubt = min(before.times, before.low, p.low), max(before.high, p.high), true
		},
	})
	return x, nil
}

// inOrder: those before a message of its message group are consumed, or leave with it.
func (m *model) inOrder(x *sent, group string, with []*sent) error {
	if x.key == "" {
		return nil
	}
	for _, other := range m.order[x.topic+" "+x.key] {
		if other == x {
			return nil
		}
		p := m.progress(other, group)
		switch {
		case slices.Contains(with, other), other.presence == gone, p.acked, m.old(other):
		case other.presence == perhaps:
			other.presence, other.committed = gone, gone // now we know
		case p.perhaps:
			p.acked = true // for now: what told us may be lost
			m.effect(effect{lost: func() { p.acked = false }, doubt: func() { p.acked = false }})
		default:
			return fmt.Errorf("%s of %s was delivered to %s before %s, which is %v", x.id, x.key, group, other.id, other.presence)
		}
	}
	return nil
}

func (m *model) old(x *sent) bool { return m.retain > 0 && m.now-x.since > m.retain }

// current tells whether a receipt is that of the last delivery, and whether that is sure.
func (p *progress) current(popTime int64) (is, sure bool) {
	return !p.acked && (p.popTime == popTime || p.doubt), p.popTime == popTime && !p.doubt
}

func (m *model) acked(x *sent, group string, popTime int64) {
	p := m.progress(x, group)
	is, sure := p.current(popTime)
	if !is {
		return
	}
	if !sure {
		p.perhaps = true
		return
	}
	p.acked = true
	m.effect(effect{
		lost:  func() { p.acked = false },
		doubt: func() { p.acked, p.perhaps = false, true },
	})
}

func (m *model) changed(x *sent, group string, before, popTime, invisible int64, suspend bool) {
	p := m.progress(x, group)
	if is, _ := p.current(before); !is || before == popTime {
		return
	}
	old := p.last
	p.popTime, p.until = popTime, m.now+invisible
	p.low, p.high = p.times+1, p.times+1
	if suspend {
		p.low, p.high = p.times, p.times
	}
	if old.doubt {
		p.low, p.high, p.doubt = min(p.low, old.low), max(p.high, old.high), true
	}
	m.effect(effect{
		lost: func() { p.last = old },
		doubt: func() {
			p.low, p.high, p.doubt = min(old.low, p.low), max(old.high, p.high), true
		},
	})
}

// ended holds the answer to the end of a transaction against what may be.
func (m *model) ended(x *sent, commit, found bool) error {
	switch {
	case !found && x.presence == half && x.asked < m.checks:
		return fmt.Errorf("half message %s is not known", x.id)
	case !found:
		return nil
	case x.presence != half && x.presence != perhaps:
		return fmt.Errorf("half message %s was ended, and is %v", x.id, x.presence)
	}
	x.since = m.now
	if commit {
		m.turn(x, unseen, present)
	} else {
		m.turn(x, gone, gone)
	}
	return nil
}

// recalled holds the answer to a recall against what may be.
func (m *model) recalled(x *sent, found bool) error {
	switch {
	case !found && x.presence == present && m.now < x.due:
		return fmt.Errorf("delayed message %s is not known", x.id)
	case !found:
		return nil
	case x.presence != present && x.presence != perhaps:
		return fmt.Errorf("delayed message %s was recalled, and is %v", x.id, x.presence)
	}
	m.turn(x, gone, gone)
	return nil
}

// missing tells what a group should have consumed by now and has not.
func (m *model) missing(group string, wants func(*sent) bool) error {
	for _, x := range m.list {
		if p := m.progress(x, group); wants(x) && x.presence == present && !x.loose && !m.old(x) && !p.acked && !p.perhaps {
			return fmt.Errorf("%s of %s was not delivered to %s, or not acknowledged: %+v", x.id, x.topic, group, p.last)
		}
	}
	return nil
}

// dropTopic: a topic was deleted with all that is in it.
func (m *model) dropTopic(topic string) {
	for _, x := range m.list {
		if x.topic == topic && x.presence != gone {
			m.turn(x, gone, gone)
		}
	}
}

// forgetGroup: a group was deleted, and what it has got does not count.
func (m *model) forgetGroup(group string) {
	for _, x := range m.list {
		p := x.groups[group]
		if p == nil {
			continue
		}
		before := *p
		*p = progress{}
		m.effect(effect{
			lost: func() { *p = before },
			doubt: func() {
				*p = before
				p.acked, p.perhaps = false, before.acked || before.perhaps
				p.low, p.doubt = 0, true
			},
		})
	}
}
