package session

import (
	"slices"

	"rocketmq-proxy/codec/apiv2"
)

// producers are the clients that said they publish to a topic.
type producers struct {
	sessions []*Session
	turn     int // of the one that was asked last
}

// list keeps the tables of producers as the settings say. It costs something only when a client
// changes its topics.
func (r *Registry) list(s *Session, settings *apiv2.Settings) {
	var topics []string
	for _, topic := range settings.GetPublishing().GetTopics() {
		topics = append(topics, topic.GetName())
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[s.ID] == s { // else it has ended meanwhile
		r.relist(s, topics)
	}
}

// relist moves s to these topics. The lock is held.
func (r *Registry) relist(s *Session, topics []string) {
	if slices.Equal(s.topics, topics) {
		return
	}
	for _, topic := range s.topics {
		p := r.producers[topic]
		at := slices.Index(p.sessions, s)
		p.sessions = slices.Delete(p.sessions, at, at+1)
		if len(p.sessions) == 0 {
			delete(r.producers, topic)
		}
	}
	for _, topic := range topics {
		p := r.producers[topic]
		if p == nil {
			p = &producers{}
			r.producers[topic] = p
		}
		p.sessions = append(p.sessions, s)
	}
	s.topics = topics
}

// Producer borrows the session of a client that publishes to a topic and can be told something:
// one after the other. It is nil when there is none.
func (r *Registry) Producer(topic string) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.producers[topic]
	if p == nil {
		return nil
	}
	for range p.sessions {
		p.turn = (p.turn + 1) % len(p.sessions)
		if s := p.sessions[p.turn]; s.Live() {
			return s
		}
	}
	return nil
}

// Published lists the topics that some client publishes to.
func (r *Registry) Published() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	topics := make([]string, 0, len(r.producers))
	for topic := range r.producers {
		topics = append(topics, topic)
	}
	return topics
}
