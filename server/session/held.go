package session

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/turn"
)

// Held is a delivery that the proxy keeps invisible while the client works on it: whoever takes
// it owns it, and then frees or restores it.
//
//	Hold ──► held ──due──► renewing ──home, known──► held
//	           │                │ └──── home, refused ──► (dropped)
//	         Take             Take: waits until it is home
//	           └──────► taken ◄─┘ ──Free──► (gone)
//	                      └──Restore──► held
type Held struct {
	of    *Session
	key   []byte // the names and the place, see appendKey
	names [3]int // where in key group, topic and lite topic end
	hash  uint64
	text  []byte // the newest handle
	next  *Held  // of the same hash, or free
	at    int    // index in held.all

	since     int64 // ms since 1970: when the message was popped
	until     int64 // ms since 1970: when the delivery is over
	attempts  int32 // deliveries before this one
	renewals  int
	failures  int // of renewals, in a row
	renewing  bool
	takerHome *turn.Turn // of one who waits for the renewal to end
	taker     turn.Event
}

// held is what the proxy holds for one client. Its lock is the client's own: the connections of
// other clients never wait for it.
type held struct {
	count atomic.Int32 // of all; may be read without the lock

	mu      sync.Mutex
	all     []*Held // in no order
	byHash  map[uint64]*Held
	free    *Held
	frees   int
	key     []byte // scratch
	soonest int64  // ms since 1970: nothing is due before it
	listed  bool   // the renewer looks at it
	closed  bool   // the client is gone: nothing more is held
}

// What bounds the memory of one client.
const (
	heldMax  = 1 << 16 // deliveries beyond it are not renewed
	freesMax = 256
)

var seed = maphash.MakeSeed()

// appendKey appends what names a delivery through all its renewals: the names, and where the
// message lies.
func appendKey(dst []byte, d *backend.Delivery) (key []byte, names [3]int) {
	for i, name := range [...][]byte{d.Group, d.Topic, d.LiteTopic} {
		dst = append(dst, name...)
		names[i] = len(dst)
		dst = append(dst, 0)
	}
	dst = append(append(dst, d.Handle.Broker...), 0, d.Handle.TopicMark)
	dst = binary.BigEndian.AppendUint32(dst, uint32(d.Handle.QueueID))
	return binary.BigEndian.AppendUint64(dst, uint64(d.Handle.Offset)), names
}

func (h *held) find(key []byte, hash uint64) *Held {
	for e := h.byHash[hash]; e != nil; e = e.next {
		if bytes.Equal(e.key, key) {
			return e
		}
	}
	return nil
}

// link puts e into the tables. The lock is held.
func (h *held) link(e *Held) {
	if h.byHash == nil {
		h.byHash = make(map[uint64]*Held)
	}
	e.next = h.byHash[e.hash]
	h.byHash[e.hash] = e
	e.at = len(h.all)
	h.all = append(h.all, e)
	h.count.Store(int32(len(h.all)))
}

// unlink takes e out of the tables. The lock is held.
func (h *held) unlink(e *Held) {
	if first := h.byHash[e.hash]; first != e {
		for first.next != e {
			first = first.next
		}
		first.next = e.next
	} else if e.next != nil {
		h.byHash[e.hash] = e.next
	} else {
		delete(h.byHash, e.hash)
	}
	e.next = nil
	last := len(h.all) - 1
	h.all[e.at] = h.all[last]
	h.all[e.at].at = e.at
	h.all[last] = nil
	h.all = h.all[:last]
	h.count.Store(int32(last))
	if last == 0 && cap(h.all) > freesMax {
		h.all, h.byHash = nil, nil
	}
}

// unused returns memory for another delivery. The lock is held.
func (h *held) unused(s *Session) *Held {
	e := h.free
	if e == nil {
		return &Held{of: s}
	}
	h.free = e.next
	h.frees--
	*e = Held{of: s, key: e.key[:0], text: e.text[:0]}
	return e
}

// reuse keeps the memory of e for another delivery. The lock is held.
func (h *held) reuse(e *Held) {
	if h.frees < freesMax {
		e.next = h.free
		h.free = e
		h.frees++
	}
}

// Held is how many deliveries to the client are kept invisible.
func (s *Session) Held() int { return int(s.held.count.Load()) }

// Delivery gives d the newest handle. It borrows from e, and is false for a handle that is not
// one.
func (e *Held) Delivery(d *backend.Delivery) bool {
	h, err := handle.Parse(e.text)
	d.Group, d.Topic, d.LiteTopic = e.key[:e.names[0]], e.key[e.names[0]+1:e.names[1]], e.key[e.names[1]+1:e.names[2]]
	d.HandleText, d.Handle = e.text, h
	return err == nil
}

// hold begins to hold a delivery. The lock is not held.
func (h *held) hold(s *Session, d *backend.Delivery, attempts int32) (taken, list bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false, false
	}
	h.key, _ = appendKey(h.key[:0], d)
	hash := maphash.Bytes(seed, h.key)
	e := h.find(h.key, hash)
	switch {
	case e != nil && e.renewing, e == nil && len(h.all) >= heldMax:
		return true, false // the renewal is of the delivery before, and ends by itself
	case e == nil:
		e = h.unused(s)
		e.key, e.names = appendKey(e.key, d)
		e.hash = hash
		h.link(e)
	}
	e.text = append(e.text[:0], d.HandleText...)
	e.since, e.until, e.attempts = d.Handle.RetrieveTime, d.Handle.RetrieveTime+d.Handle.InvisibleTime, attempts
	e.renewals, e.failures = 0, 0
	h.soonest = min(h.soonest, e.until)
	if len(h.all) == 1 {
		h.soonest = e.until
	}
	list = !h.listed
	h.listed = true
	return true, list
}

// take ends the holding of a delivery, now or, with wait, when its renewal is home: then runs
// on home.
func (h *held) take(d *backend.Delivery, home *turn.Turn, then turn.Event) (e *Held, wait bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.key, _ = appendKey(h.key[:0], d)
	e = h.find(h.key, maphash.Bytes(seed, h.key))
	switch {
	case e == nil, e.taker != nil:
		return nil, false
	case e.renewing:
		e.takerHome, e.taker = home, then
		return e, true
	}
	h.unlink(e)
	return e, false
}

// due moves to dst what is to be renewed at now, up to most, and claims it; what cannot be
// renewed any more is dropped. more tells that some is left. The lock is held.
func (h *held) due(dst []*Held, now time.Time, policy *RenewPolicy, most int) (due []*Held, more bool) {
	at, ahead := now.UnixMilli(), policy.Ahead.Milliseconds()
	if at < h.soonest-ahead {
		return dst, false
	}
	h.soonest = math.MaxInt64
	for i := 0; i < len(h.all); i++ {
		e := h.all[i]
		switch {
		case e.renewing:
		case e.until-ahead > at:
			h.soonest = min(h.soonest, e.until)
		case e.until <= at, e.failures > 0 && e.failures >= policy.AttemptsMax:
			h.unlink(e)
			h.reuse(e)
			i--
		case most == 0:
			h.soonest = 0
			return dst, true
		default:
			most--
			e.renewing = true
			dst = append(dst, e)
		}
	}
	return dst, false
}

// clear moves to dst everything that is not being renewed. The lock is held.
func (h *held) clear(dst []*Held) []*Held {
	for i := 0; i < len(h.all); i++ {
		if e := h.all[i]; !e.renewing {
			h.unlink(e)
			dst = append(dst, e)
			i--
		}
	}
	return dst
}
