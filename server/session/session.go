// Package session remembers what clients told us: their settings, what they subscribe to, and
// on which stream they can be told something. A client is known by the id it sends with every
// call; a session outlives streams and connections and ends when the client says so, or is
// not heard of for a while.
package session

import (
	"sync"
	"sync/atomic"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/turn"
)

// Session is one client. The registry and its methods may be used from any turn.
type Session struct {
	ID string

	settings atomic.Pointer[apiv2.Settings] // as stored: server defaults under the client's; nil before the first
	heard    atomic.Int64                   // Unix milliseconds of the last sign of life
	told     atomic.Int64                   // the same, of what another proxy said last
	remote   atomic.Bool                    // it is another proxy's
	ended    atomic.Bool

	mu      sync.Mutex
	stream  any // the telemetry stream bound last, nil when none is open
	waiting []waiter

	held     held
	registry *Registry // nil for a session of nobody's
	topics   []string  // under which the registry lists it as a producer; the registry's lock
}

// waiter is an event that wants to run when the first settings have come.
type waiter struct {
	home  *turn.Turn
	event turn.Event
}

// Settings borrows the stored settings; nil when none came yet. They must not be changed.
func (s *Session) Settings() *apiv2.Settings { return s.settings.Load() }

// Ended tells that the session is no longer the registry's: look it up again.
func (s *Session) Ended() bool { return s.ended.Load() }

// Heard notes a sign of life.
func (s *Session) Heard(now time.Time) { s.heard.Store(now.UnixMilli()) }

// Settle stores settings, which must not be changed afterwards, and lets those run who waited for the
// first.
func (s *Session) Settle(settings *apiv2.Settings, now time.Time) {
	s.Heard(now)
	if s.registry != nil {
		settings = s.registry.shared.one(settings)
	}
	s.settings.Store(settings)
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, w := range waiting {
		w.home.Post(w.event)
	}
	if s.registry != nil {
		s.registry.list(s, settings)
	}
}

// waitingMax is how many events may wait for one client's settings.
const waitingMax = 1024

// Await posts event to home when the first settings have come. It is false when there is
// nothing to wait for: no telemetry stream is open on which they could come.
func (s *Session) Await(home *turn.Turn, event turn.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settings.Load() != nil {
		home.Post(event)
		return true
	}
	if s.stream == nil || len(s.waiting) >= waitingMax {
		return false
	}
	s.waiting = append(s.waiting, waiter{home, event})
	return true
}

// Bind makes stream the one on which the client is told things. An earlier one stays open but
// is no longer used.
func (s *Session) Bind(stream any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream = stream
}

// Unbind forgets stream, unless another was bound since. Those who waited for settings hear
// that none will come. It tells whether stream was the one.
func (s *Session) Unbind(stream any) bool {
	s.mu.Lock()
	var waiting []waiter
	bound := s.stream == stream
	if bound {
		s.stream = nil
		waiting, s.waiting = s.waiting, nil
	}
	s.mu.Unlock()
	for _, w := range waiting {
		w.home.Post(w.event)
	}
	return bound
}

// Stream is the telemetry stream bound last, nil when none is open.
func (s *Session) Stream() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream
}

// Live tells whether a telemetry stream is bound.
func (s *Session) Live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream != nil
}

// Registry is every client that this process knows.
type Registry struct {
	// Gone, when it is set before the first use, hears of every session that has ended. It must
	// not block.
	Gone func(s *Session, now time.Time)

	expiry time.Duration
	shared shared

	mu        sync.Mutex
	sessions  map[string]*Session
	producers map[string]*producers // by topic
}

// NewRegistry returns an empty registry. A client that was not heard of for expiry, and has no
// telemetry stream, is forgotten by Sweep.
func NewRegistry(expiry time.Duration) *Registry {
	return &Registry{expiry: expiry, sessions: make(map[string]*Session), producers: make(map[string]*producers)}
}

// Find borrows a client's session, nil when there is none. It takes the registry's lock:
// connections remember what they found.
func (r *Registry) Find(id []byte) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[string(id)]
}

// Open returns a client's session, made when there is none.
func (r *Registry) Open(id []byte, now time.Time) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[string(id)]
	if s == nil {
		s = &Session{ID: string(id), registry: r}
		r.sessions[s.ID] = s
	}
	s.Heard(now)
	s.remote.Store(false)
	return s
}

// End forgets a client.
func (r *Registry) End(s *Session, now time.Time) {
	r.mu.Lock()
	if r.sessions[s.ID] == s {
		r.forget(s)
	}
	r.mu.Unlock()
	r.end(s, now)
}

// forget takes s out of every table. The lock is held.
func (r *Registry) forget(s *Session) {
	delete(r.sessions, s.ID)
	r.relist(s, nil)
}

func (r *Registry) end(s *Session, now time.Time) {
	if s.ended.CompareAndSwap(false, true) && r.Gone != nil {
		r.Gone(s, now)
	}
}

// Sweep forgets clients that are gone.
func (r *Registry) Sweep(now time.Time) {
	oldest := now.Add(-r.expiry).UnixMilli()
	var gone []*Session
	r.mu.Lock()
	for _, s := range r.sessions {
		if s.heard.Load() < oldest && s.told.Load() < oldest && !s.Live() {
			r.forget(s)
			gone = append(gone, s)
		}
	}
	r.mu.Unlock()
	for _, s := range gone {
		r.end(s, now)
	}
}

// Consumers borrows the sessions of a group's consumers to whom something can be told.
func (r *Registry) Consumers(group string) (all []*Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sessions {
		if subscription := s.Settings().GetSubscription(); subscription != nil && subscription.GetGroup().GetName() == group && s.Live() {
			all = append(all, s)
		}
	}
	return all
}

// Len is how many clients are known.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sessions)
}
