package cluster

import (
	"slices"
	"sync"
	"time"
)

// nameServers is whether the name servers answer. Every question of theirs tells; while none
// answers they are asked in growing pauses, so that it is noticed when one is back, whether or
// not a client asks for anything.
//
//	      Watch, or any question       a question is answered
//	(up) ─────── nobody answers ──► down ──────────────────► up
//	                                 │ ▲
//	                                 └─┘ asked again, after ProbeAfter, twice that, ... ProbeMax
type nameServers struct {
	mu     sync.Mutex
	down   bool
	closed bool
	pause  time.Duration
	probe  *time.Timer
}

// Watch asks the name servers once, for the topic that is named like the cluster, so that an
// operator hears at start when none answers. It does not wait.
func (c *Cluster) Watch() { c.askRoute(c.config.ClusterName, nil) }

// UpdateNameServers replaces the list; an empty one keeps the old. One of them is asked at once, so
// that it is known whether they answer.
func (c *Cluster) UpdateNameServers(addrs []string) {
	c.mu.Lock()
	c.names.Update(dialables(addrs))
	c.mu.Unlock()
	c.Watch()
}

func (c *Cluster) isNameServer(addr string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.names.Addrs(), addr)
}

// nameServersAnswered notes that one did, or with an error that none did, and tells of a change.
func (c *Cluster) nameServersAnswered(err error) {
	n := &c.servers
	n.mu.Lock()
	changed := n.down != (err != nil)
	n.down = err != nil
	switch {
	case n.closed:
		changed = false
	case !n.down:
		n.pause = 0
		if n.probe != nil {
			n.probe.Stop()
			n.probe = nil
		}
	case n.probe == nil:
		n.pause = min(max(2*n.pause, c.config.ProbeAfter), c.config.ProbeMax)
		n.probe = time.AfterFunc(n.pause, c.askAgain)
	}
	n.mu.Unlock()
	if changed && c.config.NameServersChanged != nil {
		c.config.NameServersChanged(err)
	}
}

func (c *Cluster) askAgain() {
	c.servers.mu.Lock()
	c.servers.probe = nil
	again := c.servers.down && !c.servers.closed
	c.servers.mu.Unlock()
	if again {
		c.Watch()
	}
}

// nameServersDown tells whether it is known, and was told, that none answers.
func (c *Cluster) nameServersDown() bool {
	c.servers.mu.Lock()
	defer c.servers.mu.Unlock()
	return c.servers.down
}

// end stops the asking.
func (n *nameServers) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if n.probe != nil {
		n.probe.Stop()
	}
}
