package cluster

import (
	"sync"
	"time"
)

// transaction is where a half message lies.
type transaction struct {
	key         string
	broker      string
	peer        *peer // who stored it, or asked about it
	stateOffset int64 // in the queue of half messages
	logOffset   int64 // in the commit log
	expires     time.Time

	older      *transaction // of the same key
	prev, next *transaction // in order of expiry
}

// transactions remembers half messages until they have ended, or for so long that the broker
// asks about them anyway. All of them live equally long, so the list by time is in order.
type transactions struct {
	mu     sync.Mutex
	newest map[string]*transaction // by key
	first  *transaction
	last   *transaction
	n      int
}

// transactionsMax bounds the memory: the oldest one is forgotten, and the broker asks about it.
const transactionsMax = 1 << 18

// transactionKey names a transaction of a producer group, which is the topic.
func transactionKey(topic, id []byte) string { return string(topic) + "@" + string(id) }

// put remembers t. Of one key the newest perKeyMax are kept.
func (s *transactions) put(t *transaction, now time.Time, perKeyMax int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	if s.n >= transactionsMax {
		s.drop(s.first)
	}
	if s.newest == nil {
		s.newest = make(map[string]*transaction)
	}
	t.older = s.newest[t.key]
	s.newest[t.key] = t
	t.prev, t.next = s.last, nil
	if s.last != nil {
		s.last.next = t
	} else {
		s.first = t
	}
	s.last = t
	s.n++
	last, count := t, 1
	for ; last.older != nil; last = last.older {
		count++
	}
	if count > perKeyMax && last != t {
		s.drop(last)
	}
}

// take forgets the newest transaction of a key and returns it, nil when there is none.
func (s *transactions) take(key string, now time.Time) *transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	t := s.newest[key]
	if t != nil {
		s.drop(t)
	}
	return t
}

// prune forgets what has expired.
func (s *transactions) prune(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
}

func (s *transactions) expire(now time.Time) {
	for s.first != nil && !s.first.expires.After(now) {
		s.drop(s.first)
	}
}

// drop takes t out of both lists. The lock is held.
func (s *transactions) drop(t *transaction) {
	if newest := s.newest[t.key]; newest != t {
		for newest.older != t {
			newest = newest.older
		}
		newest.older = t.older
	} else if t.older != nil {
		s.newest[t.key] = t.older
	} else {
		delete(s.newest, t.key)
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		s.first = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		s.last = t.prev
	}
	t.older, t.prev, t.next = nil, nil, nil
	s.n--
}
