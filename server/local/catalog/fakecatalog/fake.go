// Package fakecatalog is a catalog in memory, for tests of what talks to one. It keeps settings
// by the catalog's own rules and has whatever numbers a test puts into it.
package fakecatalog

import (
	"maps"
	"slices"
	"sync"

	"rocketmq-proxy/server/local/catalog"
)

// Fake is a catalog.Store. The zero value is empty and ready.
type Fake struct {
	mu     sync.Mutex
	topics map[string]catalog.TopicInfo
	groups map[string]catalog.GroupInfo
	stacks map[string]string // by group and client

	// Fails, when set, is what every call answers.
	Fails error
	// Closed counts Close.
	Closed int
}

// SetTopic puts a topic with its numbers.
func (f *Fake) SetTopic(t catalog.TopicInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	put(&f.topics, t.Name, t)
}

// SetGroup puts a group with its numbers.
func (f *Fake) SetGroup(g catalog.GroupInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	put(&f.groups, g.Name, g)
}

// SetThreads puts what a client says of its threads.
func (f *Fake) SetThreads(group, clientID, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	put(&f.stacks, group+" "+clientID, text)
}

// Threads implements catalog.Catalog.
func (f *Fake) Threads(group, clientID string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Fails != nil {
		return "", f.Fails
	}
	text, known := f.stacks[group+" "+clientID]
	if !known {
		return "", catalog.Errorf(catalog.Unavailable, "%s is not connected", clientID)
	}
	return text, nil
}

func put[T any](all *map[string]T, name string, one T) {
	if *all == nil {
		*all = make(map[string]T)
	}
	(*all)[name] = one
}

// Close implements catalog.Store.
func (f *Fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Closed++
	return nil
}

// CreateTopic implements catalog.Catalog.
func (f *Fake) CreateTopic(c catalog.TopicChange) (catalog.Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Fails != nil {
		return "", f.Fails
	}
	info, there := f.topics[c.Name]
	if !there {
		info.Topic = catalog.DefaultTopic(c.Name, 4)
	}
	topic, outcome, err := info.Change(c)
	if err != nil {
		return "", err
	}
	if !there {
		outcome = catalog.Created
	}
	info.Topic = topic
	put(&f.topics, c.Name, info)
	return outcome, nil
}

// Topics implements catalog.Catalog.
func (f *Fake) Topics() ([]catalog.TopicInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]catalog.TopicInfo, 0, len(f.topics))
	for _, name := range slices.Sorted(maps.Keys(f.topics)) {
		info := f.topics[name]
		info.Queues = nil
		all = append(all, info)
	}
	return all, f.Fails
}

// Topic implements catalog.Catalog.
func (f *Fake) Topic(name string) (catalog.TopicInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, there := f.topics[name]
	if !there && f.Fails == nil {
		return info, catalog.NoTopic(name)
	}
	return info, f.Fails
}

// DeleteTopic implements catalog.Catalog.
func (f *Fake) DeleteTopic(name string) error {
	if _, err := f.Topic(name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.topics, name)
	return nil
}

// CreateGroup implements catalog.Catalog.
func (f *Fake) CreateGroup(c catalog.GroupChange) (catalog.Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Fails != nil {
		return "", f.Fails
	}
	info, there := f.groups[c.Name]
	if !there {
		info.Group = catalog.DefaultGroup(c.Name)
	}
	group, outcome, err := info.Change(c)
	if err != nil {
		return "", err
	}
	if !there {
		outcome = catalog.Created
	}
	info.Group = group
	put(&f.groups, c.Name, info)
	return outcome, nil
}

// Groups implements catalog.Catalog.
func (f *Fake) Groups() ([]catalog.GroupInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]catalog.GroupInfo, 0, len(f.groups))
	for _, name := range slices.Sorted(maps.Keys(f.groups)) {
		info := f.groups[name]
		info.Queues = nil
		all = append(all, info)
	}
	return all, f.Fails
}

// Group implements catalog.Catalog.
func (f *Fake) Group(name string) (catalog.GroupInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, there := f.groups[name]
	if !there && f.Fails == nil {
		return info, catalog.NoGroup(name)
	}
	return info, f.Fails
}

// DeleteGroup implements catalog.Catalog.
func (f *Fake) DeleteGroup(name string) error {
	if _, err := f.Group(name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.groups, name)
	return nil
}
