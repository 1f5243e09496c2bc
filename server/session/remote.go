package session

import (
	"time"

	"rocketmq-proxy/codec/apiv2"
)

// Clients of other proxies: their settings are known, so that their calls may come here, but
// nothing can be told to them here.

// remoteMax is how many clients may be known for those of other proxies to be added.
const remoteMax = 1 << 17

// Remote tells that the client's stream is at another proxy, as far as is known.
func (s *Session) Remote() bool { return s.remote.Load() }

// Learn takes note of what another proxy says of its client. What a client says here itself counts
// more, for as long as its stream is open.
func (r *Registry) Learn(id string, settings *apiv2.Settings, now time.Time) {
	settings = r.shared.one(settings)
	r.mu.Lock()
	s := r.sessions[id]
	if s == nil && len(r.sessions) < remoteMax {
		s = &Session{ID: id, registry: r}
		r.sessions[id] = s
	}
	if s == nil || s.Live() {
		r.mu.Unlock()
		return
	}
	s.remote.Store(true)
	s.told.Store(now.UnixMilli())
	s.settings.Store(settings)
	r.mu.Unlock()
}

// Unlearn forgets a client of another proxy, which says that it has gone.
func (r *Registry) Unlearn(id string, now time.Time) {
	if s := r.Find([]byte(id)); s != nil && s.Remote() {
		r.End(s, now)
	}
}
