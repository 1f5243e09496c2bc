package local

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/catalog"
)

// Catalog is the topics and groups as a person asks for them. Its methods block; they must not
// be called on a turn.
func (l *Local) Catalog() catalog.Catalog { return shelf{l} }

// shelf is a Local as a catalog.Catalog.
type shelf struct{ *Local }

// errand is something a person asks of the broker. It comes home, to a channel, when what it
// did is on disk.
type errand struct {
	backend.Exchange
	err  error
	done chan struct{}
}

// OnTurn is the errand's way home.
func (e *errand) OnTurn(time.Time) { close(e.done) }

// do runs f on the broker's turn and waits until what it did is durable.
func (l *Local) do(f func() error) error {
	e := &errand{done: make(chan struct{})}
	e.Home, e.Then = l.turn, e
	l.turn.Post(event(func(time.Time) {
		if l.failed != nil {
			e.Fault = l.fault()
			e.Reply(l.turn)
			return
		}
		e.err = f()
		l.after(&e.Exchange)
	}))
	<-e.done
	if e.err == nil && !e.Fault.OK() {
		return catalog.Errorf(catalog.Unavailable, "%s", e.Fault.Text)
	}
	return asError(e.err)
}

// asError puts the broker's errors into the catalog's words.
func asError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, broker.ErrTooMany):
		return catalog.Errorf(catalog.Full, "there are as many as topicsMax or groupsMax allows")
	case errors.Is(err, broker.ErrDamaged):
		return catalog.Errorf(catalog.Unavailable, "what the store knew of it is damaged, and its place cannot be used: its messages are in a copy of the store, if there is one")
	case errors.Is(err, broker.ErrQueues):
		return catalog.Errorf(catalog.Invalid, "a topic cannot have fewer queues to read than before: messages would be lost with them")
	}
	return catalog.AsError(err)
}

// CreateTopic implements catalog.Catalog.
func (l shelf) CreateTopic(c catalog.TopicChange) (outcome catalog.Outcome, err error) {
	err = l.do(func() error {
		t := l.broker.Topic(c.Name)
		from := catalog.DefaultTopic(c.Name, l.config.Broker.QueuesDefault)
		if t != nil {
			from = catalogTopic(t)
		}
		changed, what, err := from.Change(c)
		if err != nil {
			return err
		}
		if outcome = what; t == nil {
			outcome = catalog.Created
			t, err = l.broker.CreateTopic(brokerTopic(&changed))
		} else if what == catalog.Changed {
			err = l.broker.ChangeTopic(brokerTopic(&changed))
		}
		if err == nil {
			l.publishTopic(t)
		}
		return err
	})
	return outcome, err
}

func catalogTopic(t *broker.Topic) catalog.Topic {
	return catalog.Topic{
		Name: t.Name, Type: t.Type, ReadQueues: t.Queues, WriteQueues: t.WriteQueues, Perm: t.Perm, Attributes: t.Attributes,
	}
}

func brokerTopic(t *catalog.Topic) broker.TopicSettings {
	return broker.TopicSettings{
		Name: t.Name, Type: t.Type, Queues: t.ReadQueues, WriteQueues: t.WriteQueues, Perm: t.Perm, Attributes: t.Attributes,
	}
}

// Topics implements catalog.Catalog.
func (l shelf) Topics() (all []catalog.TopicInfo, err error) {
	err = l.do(func() error {
		for _, t := range l.broker.Topics() {
			info := topicInfo(t)
			info.Queues = nil
			all = append(all, info)
		}
		return nil
	})
	slices.SortFunc(all, func(x, y catalog.TopicInfo) int { return strings.Compare(x.Name, y.Name) })
	return all, err
}

// Topic implements catalog.Catalog.
func (l shelf) Topic(name string) (info catalog.TopicInfo, err error) {
	err = l.do(func() error {
		t := l.broker.Topic(name)
		if t == nil {
			return catalog.NoTopic(name)
		}
		info = topicInfo(t)
		for i, stored := range l.broker.LastStored(t) {
			info.Queues[i].StoredMs = stored
		}
		return nil
	})
	return info, err
}

func topicInfo(t *broker.Topic) catalog.TopicInfo {
	info := catalog.TopicInfo{Topic: catalogTopic(t)}
	for i, q := range t.QueueStates() {
		info.Messages += q.End - q.First
		info.Queues = append(info.Queues, catalog.QueueInfo{ID: i, Min: q.First, Max: q.End})
	}
	return info
}

// DeleteTopic implements catalog.Catalog.
func (l shelf) DeleteTopic(name string) error {
	return l.do(func() error {
		if l.broker.Topic(name) == nil {
			return catalog.NoTopic(name)
		}
		l.topics.Delete(name)
		return l.broker.DeleteTopic(name)
	})
}

// CreateGroup implements catalog.Catalog.
func (l shelf) CreateGroup(c catalog.GroupChange) (outcome catalog.Outcome, err error) {
	err = l.do(func() error {
		g := l.broker.Group(c.Name)
		from := catalog.DefaultGroup(c.Name)
		if g != nil {
			from = catalogGroup(g)
		}
		changed, what, err := from.Change(c)
		if err != nil {
			return err
		}
		if outcome = what; g == nil {
			outcome = catalog.Created
			g, err = l.broker.CreateGroup(brokerGroup(&changed))
		} else if what == catalog.Changed {
			err = l.broker.ChangeGroup(brokerGroup(&changed))
		}
		if err == nil {
			l.publishGroup(g)
		}
		return err
	})
	return outcome, err
}

func catalogGroup(g *broker.Group) catalog.Group {
	shown := catalog.Group{Name: g.Name, Orderly: g.Orderly, RetryMax: g.RetryMax, Attributes: g.Attributes}
	var policy catalog.RetryPolicy
	if len(g.Retry) > 0 && json.Unmarshal(g.Retry, &policy) == nil {
		shown.Retry = &policy
	}
	return shown
}

func brokerGroup(g *catalog.Group) broker.GroupSettings {
	settings := broker.GroupSettings{Name: g.Name, Orderly: g.Orderly, RetryMax: g.RetryMax, Attributes: g.Attributes}
	if g.Retry != nil {
		settings.Retry, _ = json.Marshal(g.Retry) //nolint:errchkjson // a struct of numbers
	}
	return settings
}

// Groups implements catalog.Catalog.
func (l shelf) Groups() (all []catalog.GroupInfo, err error) {
	err = l.do(func() error {
		for _, g := range l.broker.Groups() {
			info := groupInfo(g)
			info.Queues = nil
			all = append(all, info)
		}
		return nil
	})
	slices.SortFunc(all, func(x, y catalog.GroupInfo) int { return strings.Compare(x.Name, y.Name) })
	for i := range all {
		all[i].Clients = len(l.members(all[i].Name))
	}
	return all, err
}

// members are the clients that receive for a group.
func (l shelf) members(group string) (all []catalog.Member) {
	clients := l.clients.Load()
	if clients == nil { // the proxy does not run
		return nil
	}
	for _, c := range (*clients).Consumers(group) {
		all = append(all, catalog.Member{ID: c.ID, Version: c.Version, Pushes: c.Pushes})
	}
	slices.SortFunc(all, func(x, y catalog.Member) int { return strings.Compare(x.ID, y.ID) })
	return all
}

// Threads implements catalog.Catalog.
func (l shelf) Threads(group, clientID string) (string, error) {
	clients := l.clients.Load()
	if clients == nil {
		return "", catalog.Errorf(catalog.Unavailable, "the proxy does not run, so no client is connected to it")
	}
	e := &errand{done: make(chan struct{})}
	op := &backend.RunningInfo{Exchange: backend.Exchange{Home: l.turn, Then: e}, Group: group, ClientID: clientID, Stack: true}
	(*clients).RunningInfo(op)
	<-e.done
	if !op.Fault.OK() {
		return "", catalog.Errorf(catalog.Unavailable, "%s", op.Fault.Text)
	}
	return op.Threads, nil
}

// Group implements catalog.Catalog.
func (l shelf) Group(name string) (info catalog.GroupInfo, err error) {
	err = l.do(func() error {
		g := l.broker.Group(name)
		if g == nil {
			return catalog.NoGroup(name)
		}
		info = groupInfo(g)
		return nil
	})
	info.Members = l.members(name)
	info.Clients = len(info.Members)
	return info, err
}

func groupInfo(g *broker.Group) catalog.GroupInfo {
	info := catalog.GroupInfo{Group: catalogGroup(g)}
	for _, p := range g.Positions() {
		q := catalog.GroupQueue{
			Topic: p.Topic, ID: int(p.Queue), Offset: p.Next, Max: p.End, Lag: p.End - p.Next, InFlight: int64(p.Inflight),
		}
		info.Lag += q.Lag
		info.InFlight += q.InFlight
		info.Queues = append(info.Queues, q)
	}
	slices.SortStableFunc(info.Queues, func(x, y catalog.GroupQueue) int { return strings.Compare(x.Topic, y.Topic) })
	return info
}

// DeleteGroup implements catalog.Catalog.
func (l shelf) DeleteGroup(name string) error {
	return l.do(func() error {
		if l.broker.Group(name) == nil {
			return catalog.NoGroup(name)
		}
		l.groups.Delete(name)
		if dead := catalog.DeadLetterPrefix + name; l.broker.Topic(dead) != nil {
			l.topics.Delete(dead)
			if err := l.broker.DeleteTopic(dead); err != nil {
				return err
			}
		}
		return l.broker.DeleteGroup(name)
	})
}
