package broker

import "slices"

// line is one message group of a FIFO subscription: its messages leave in their order, and
// while any of them is out no other consumer gets another. Messages of other groups pass.
type line struct {
	links[*line]
	sub     *subscription
	key     uint64
	members list[*entry] // not consumed, oldest first
	out     int          // of members, with a consumer
	pop     uint64       // which pop those left with
	free    bool         // in sub.free
}

func (l *line) neighbours() *links[*line] { return &l.links }

// lineHashSeed and the prime are FNV-1a's.
const (
	hashSeed  = 14695981039346656037
	hashPrime = 1099511628211
)

// hashOf is never 0, which means no hash.
func hashOf(text []byte) uint64 {
	h := uint64(hashSeed)
	for _, c := range text {
		h = (h ^ uint64(c)) * hashPrime
	}
	return max(h, 1)
}

func (s *subscription) lineOf(key uint64) *line {
	l := s.lines[key]
	if l == nil {
		l = &line{sub: s, key: key}
		s.lines[key] = l
	}
	return l
}

// join puts an entry at the end, out or never delivered.
func (l *line) join(e *entry) {
	e.line = l
	l.members.push(e)
	if e.out {
		l.out++
	} else {
		l.sub.parked++
	}
	l.settle()
}

// lose takes a member out that is consumed.
func (l *line) lose(e *entry) {
	l.members.remove(e)
	if e.out {
		l.out--
	} else if e.popTime == 0 {
		l.sub.parked--
	}
	l.settle()
}

// settle puts the line where it belongs by what it has.
func (l *line) settle() {
	free := l.out == 0 && l.members.count > 0
	switch {
	case free && !l.free:
		l.sub.free.push(l)
	case !free && l.free:
		l.sub.free.remove(l)
	}
	l.free = free
	if l.members.count == 0 {
		delete(l.sub.lines, l.key)
	}
}

// passable tells whether a message that comes after all members may leave with this pop.
func (l *line) passable(pop uint64) bool {
	return l == nil || (l.pop == pop && l.out == l.members.count)
}

// popLines delivers from the lines that nobody works on, the one that waited longest first.
func (b *Broker) popLines(s *subscription, p *Pop, now int64) {
	for s.free.front != nil && p.room() {
		l := s.free.front
		l.pop = b.pops
		for e := l.members.front; e != nil && p.room(); {
			next := e.next
			b.redeliver(p, e, now)
			e = next
		}
	}
}

// A receive that is tried again names its first attempt: it gets the same messages once more,
// and that does not count as a delivery (Remoting specification 4.8).

// try remembers that e is out for an attempt, 0 for none.
func (b *Broker) try(e *entry, attempt uint64) {
	if e.attempt = attempt; attempt != 0 {
		e.sub.tries[attempt] = append(e.sub.tries[attempt], e)
	}
}

// untry forgets it.
func (b *Broker) untry(e *entry) {
	if e.attempt == 0 {
		return
	}
	tries := e.sub.tries[e.attempt]
	if i := slices.Index(tries, e); i >= 0 {
		tries = slices.Delete(tries, i, i+1)
	}
	if len(tries) == 0 {
		delete(e.sub.tries, e.attempt)
	} else {
		e.sub.tries[e.attempt] = tries
	}
	e.attempt = 0
}

// popAgain delivers what the attempt has got before and not consumed.
func (b *Broker) popAgain(s *subscription, p *Pop, now int64) {
	if p.attempt == 0 {
		return
	}
	b.again = append(b.again[:0], s.tries[p.attempt]...)
	for _, e := range b.again {
		if p.room() && e.visibleAt > now { // others wait for Tick, after a restart
			b.redeliver(p, e, now)
		}
	}
	clear(b.again)
}
