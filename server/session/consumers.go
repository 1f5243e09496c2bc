package session

// Subscribed counts the consumers of each group that can be told something. It looks at every
// client, because only a person asks.
func (r *Registry) Subscribed() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[string]int{}
	for _, s := range r.sessions {
		if group := s.Settings().GetSubscription().GetGroup().GetName(); group != "" && s.Live() {
			counts[group]++
		}
	}
	return counts
}
