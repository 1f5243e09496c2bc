package broker

import (
	"errors"
	"fmt"
)

// Invariants tells what is wrong with the state of a broker, nil when nothing is.
func (b *Broker) Invariants() error {
	c := checker{b: b}
	c.heaps()
	c.topics()
	for _, g := range b.Groups() {
		c.want(b.groupByID[g.id] == g && !g.gone, "group %s by its id", g.Name)
		for _, s := range g.inOrder() {
			c.subscription(s)
		}
	}
	c.want(c.entries == b.inflight, "inflight is %d, entries are %d", b.inflight, c.entries)
	c.want(c.out == len(b.entries.items), "%d deliveries are out, %d in the heap", c.out, len(b.entries.items))
	c.liteClients()
	c.want(c.waiting == b.waiting && b.waiting == len(b.waiters.items), "waiting is %d, in rooms are %d, in the heap %d", b.waiting, c.waiting, len(b.waiters.items))
	for _, at := range b.dirty {
		c.want(at.stirred, "a room in dirty is not stirred")
	}
	c.pulls()
	return errors.Join(c.faults...)
}

type checker struct {
	b                     *Broker
	entries, out, waiting int
	faults                []error
}

func (c *checker) want(holds bool, format string, args ...any) {
	if !holds {
		c.faults = append(c.faults, fmt.Errorf(format, args...))
	}
}

func (c *checker) heaps() {
	for i, e := range c.b.entries.items {
		c.want(int(e.slot) == i+1 && c.b.entries.items[(i+1)/2-min(1, (i+1)/2)].visibleAt <= e.visibleAt, "entry heap at %d", i)
		c.want(e.out, "entry %d/%d is in the heap and not out", e.queue, e.offset)
	}
	for i, p := range c.b.waiters.items {
		c.want(int(p.slot) == i+1, "waiter heap at %d", i)
		c.want(p.at != nil, "a waiter waits nowhere")
	}
}

func (c *checker) pulls() {
	waiting := 0
	for _, t := range c.b.topicOrder {
		for _, q := range t.queues {
			n := 0
			for p := q.pulls.front; p != nil; p = p.next {
				n++
				c.want(p.slot != 0 && p.queue() == q && p.Next <= q.visible, "a pull at %s/%d: slot %d, next %d", t.Name, q.id, p.slot, p.Next)
			}
			c.want(n == q.pulls.count, "%d pulls at %s/%d, counted %d", n, t.Name, q.id, q.pulls.count)
			waiting += n
		}
	}
	c.want(waiting == len(c.b.pulls.items), "%d pulls wait, %d in the heap", waiting, len(c.b.pulls.items))
	for i, p := range c.b.pulls.items {
		c.want(int(p.slot) == i+1, "pull heap at %d", i)
	}
	for _, q := range c.b.roused {
		c.want(q.roused, "a queue in roused is not")
	}
}

func (c *checker) topics() {
	lite := 0
	c.want(len(c.b.topicOrder) == len(c.b.topics) && len(c.b.topics) == len(c.b.topicByID), "topics are %d, %d by id, %d in order",
		len(c.b.topics), len(c.b.topicByID), len(c.b.topicOrder))
	for _, t := range c.b.topicOrder {
		c.want(!t.gone && c.b.topics[t.Name] == t && c.b.topicByID[t.id] == t, "topic %s", t.Name)
		if t.lite != nil {
			lite++
		}
		for _, q := range t.queues {
			c.want(q.first <= q.visible && q.visible <= q.end, "queue %s/%d: %d %d %d", t.Name, q.id, q.first, q.visible, q.end)
		}
		for _, s := range t.subscriptions {
			c.want(s.group.subscriptions[t] == s, "subscription of %s on %s", s.group.Name, t.Name)
		}
	}
	c.want(lite == c.b.liteTopics, "lite topics are %d, counted %d", lite, c.b.liteTopics)
}

func (c *checker) subscription(s *subscription) {
	name := s.group.Name + "/" + s.topic.Name
	c.want(len(s.next) == len(s.topic.queues), "%s: %d positions", name, len(s.next))
	expired, members, parked, free, tried := 0, 0, 0, 0, 0
	for id, next := range s.next {
		c.want(next >= unread && next <= s.topic.queues[id].end, "%s: position %d in queue %d", name, next, id)
	}
	for at, e := range s.entries {
		c.entries++
		c.want(e.sub == s && at == spot{e.queue, e.offset}, "%s: entry %v", name, at)
		c.want(e.out == (e.slot != 0), "%s: entry %v out=%v slot=%d", name, at, e.out, e.slot)
		c.want(at.offset < max(s.next[at.queue], s.topic.queues[at.queue].first), "%s: entry %v is not below the position %d", name, at, s.next[at.queue])
		if e.out {
			c.out++
			c.want(e.popTime != 0, "%s: entry %v is out and was never delivered", name, at)
		}
		if e.attempt != 0 {
			tried++
		}
		switch {
		case e.line != nil:
			members++
			if !e.out && e.popTime == 0 {
				parked++
			}
		case !e.out:
			expired++
		}
	}
	n := 0
	for e := s.expired.front; e != nil; e = e.next {
		n++
		c.want(!e.out && e.line == nil && s.entries[spot{e.queue, e.offset}] == e, "%s: expired %d/%d", name, e.queue, e.offset)
	}
	c.want(n == expired && n == s.expired.count, "%s: %d expired, %d in the list, counted %d", name, expired, n, s.expired.count)
	for key, l := range s.lines {
		out, count := 0, 0
		for e := l.members.front; e != nil; e = e.next {
			count++
			if e.out {
				out++
			}
			c.want(e.line == l && (e.prev == nil || e.prev.queue != e.queue || e.prev.offset < e.offset), "%s: line %x member %d/%d", name, key, e.queue, e.offset)
		}
		members -= count
		c.want(l.key == key && count > 0 && count == l.members.count && out == l.out, "%s: line %x has %d members, counted %d, %d out, counted %d", name, key, count, l.members.count, out, l.out)
		c.want(l.free == (out == 0), "%s: line %x free=%v out=%d", name, key, l.free, out)
		if l.free {
			free++
		}
	}
	c.want(members == 0, "%s: %d entries of lines are in none", name, members)
	c.want(parked == s.parked, "%s: %d parked, counted %d", name, parked, s.parked)
	c.want(free == s.free.count, "%s: %d free lines, counted %d", name, free, s.free.count)
	for attempt, tries := range s.tries {
		tried -= len(tries)
		for _, e := range tries {
			c.want(e.attempt == attempt && e.out, "%s: try %x of %d/%d", name, attempt, e.queue, e.offset)
		}
	}
	c.want(tried == 0, "%s: %d tries are not in their lists", name, tried)
	c.room(&s.room)
}

func (c *checker) room(r *waitingRoom) {
	n := 0
	for p := r.waiting.front; p != nil; p = p.next {
		n++
		c.want(p.at == r && p.slot != 0, "a waiter in the wrong room")
	}
	c.want(n == r.waiting.count, "%d in a room, counted %d", n, r.waiting.count)
	c.waiting += n
}

func (c *checker) liteClients() {
	for key, client := range c.b.liteClients {
		c.want(client.key == key && c.b.groups[key.group] == client.group, "lite client %v", key)
		c.want(len(client.subs)+client.room.waiting.count > 0, "idle lite client %v", key)
		news := 0
		for s, is := range client.subs {
			c.want(!s.topic.gone && s.group == client.group, "lite client %v watches %s", key, s.topic.Name)
			if is {
				news++
			}
		}
		c.want(news == len(client.news), "lite client %v: %d news, listed %d", key, news, len(client.news))
		c.room(&client.room)
	}
}
