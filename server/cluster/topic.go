package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/server/backend"
)

// FetchTopic implements backend.Backend.
func (c *Cluster) FetchTopic(op *backend.FetchTopic, now time.Time) {
	c.loadTopic(string(op.Name), now, func(r *route, f backend.Fault) {
		op.Fault = f
		if r != nil {
			op.Found = &r.Topic
		}
		op.Home.Post(op.Then)
	})
}

// loadTopic learns of a topic: its route from a name server, then its message type from a
// broker, as far as either is not known or old. then, if there is one, runs on some lane's turn,
// or at once when there is nobody to ask.
func (c *Cluster) loadTopic(name string, now time.Time, then ...func(*route, backend.Fault)) {
	if !c.topicFlights.join(name, then...) {
		return
	}
	var typed *route // whose type is good enough
	if old := c.routes.Get([]byte(name)); old != nil && old.Exists && !old.doubted.Load() {
		if now.Sub(old.loaded) <= c.config.Routes.Refresh {
			fresh := &route{knowledge: knowledge{loaded: old.loaded}, typed: time.Now()}
			fresh.copyFrom(old)
			c.learnType(fresh)
			return
		}
		if now.Sub(old.typed) <= c.config.Types.Refresh {
			typed = old
		}
	}
	c.askRoute(name, func(answer *command.TopicRoute, err error) { c.routeCame(name, typed, answer, err) })
}

func (c *Cluster) routeCame(name string, typed *route, answer *command.TopicRoute, err error) {
	if err != nil {
		c.topicFailed(name, err)
		return
	}
	fresh := c.newRoute(name, answer, time.Now())
	if !fresh.Exists {
		// A topic that is only away, with its broker, comes back as what it was.
		fresh.Type = c.lastType(name)
		c.topicLoaded(fresh)
		return
	}
	if name == c.config.ClusterName {
		// Only where its brokers are is of interest, and no broker need have settings for it.
		fresh.Type = c.lastType(name)
		c.topicLoaded(fresh)
		return
	}
	if typed != nil {
		fresh.Type, fresh.typed = typed.Type, typed.typed
		c.topicLoaded(fresh)
		return
	}
	c.learnType(fresh)
}

// learnType asks a broker for the type of a topic whose route is known.
func (c *Cluster) learnType(fresh *route) {
	c.askTopicConfig(fresh.Name, fresh.brokers, func(config *command.TopicConfig, err error) {
		fresh.Type = c.messageType(fresh.Name, config, err)
		if err != nil {
			fresh.doubt()
		}
		c.topicLoaded(fresh)
	})
}

// messageType is what the settings say. When they cannot be had, what was known before is
// kept; a topic never known refuses every message, as with the reference.
func (c *Cluster) messageType(name string, config *command.TopicConfig, err error) backend.MessageType {
	if err == nil {
		return backend.ParseMessageType(config.MessageType())
	}
	c.report("topic settings failed", name, err)
	return c.lastType(name)
}

func (c *Cluster) lastType(name string) backend.MessageType {
	if old := c.routes.Get([]byte(name)); old != nil {
		return old.Type
	}
	return backend.TypeUnspecified
}

func (c *Cluster) topicLoaded(fresh *route) {
	c.routes.Put(fresh.Name, fresh, min(c.config.Routes.Max, c.config.Types.Max))
	c.endTopicLoad(fresh.Name, fresh, backend.Fault{})
}

// topicFailed keeps what was known: an old route serves while name servers are down.
func (c *Cluster) topicFailed(name string, err error) {
	if !c.nameServersDown() { // that is said once, not for each topic
		c.report("route failed", name, err)
	}
	if old := c.routes.Get([]byte(name)); old != nil && old.Exists {
		retry := c.newRoute(name, nil, time.Now())
		retry.copyFrom(old)
		c.topicLoaded(retry)
		return
	}
	c.endTopicLoad(name, nil, callFault(err))
}

// copyFrom makes r know what old knows, as of r's own time.
func (r *route) copyFrom(old *route) {
	r.Topic = old.Topic
	r.Route = r
	r.writable, r.readable, r.brokers = old.writable, old.readable, old.brokers
	r.lastUsed.Store(old.lastUsed.Load())
}

func (c *Cluster) endTopicLoad(name string, r *route, f backend.Fault) {
	for _, then := range c.topicFlights.land(name) {
		then(r, f)
	}
}
