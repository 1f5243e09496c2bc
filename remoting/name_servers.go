package remoting

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// NameServers chooses one of a list of name servers (specification 5.2). One is kept while it
// works; when it fails the next one of the shuffled list is chosen, round and round. It only
// chooses: who makes the calls says what failed. Not safe for concurrent use.
type NameServers struct {
	rng    *rand.Rand
	addrs  []string // shuffled
	chosen int      // index into addrs
}

// NewNameServers returns a choice among addrs; see [ParseNameServers].
func NewNameServers(addrs []string, rng *rand.Rand) *NameServers {
	n := &NameServers{rng: rng}
	n.Update(addrs)
	return n
}

// ParseNameServers splits a list such as "10.0.0.1:9876;10.0.0.2:9876". Blanks are trimmed,
// empty and repeated entries left out.
func ParseNameServers(list string) []string {
	var addrs []string
	for addr := range strings.SplitSeq(list, ";") {
		addr = strings.TrimSpace(addr)
		if addr != "" && !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// Update replaces the list. An empty one keeps the old; a chosen server that is still listed
// stays chosen.
func (n *NameServers) Update(addrs []string) {
	if len(addrs) == 0 {
		return
	}
	kept := n.Chosen()
	n.addrs = slices.Clone(addrs)
	n.rng.Shuffle(len(n.addrs), func(i, j int) { n.addrs[i], n.addrs[j] = n.addrs[j], n.addrs[i] })
	n.chosen = max(slices.Index(n.addrs, kept), 0)
}

// Chosen is the server to ask; "" when the list is empty.
func (n *NameServers) Chosen() string {
	if len(n.addrs) == 0 {
		return ""
	}
	return n.addrs[n.chosen]
}

// Failed says that addr did not answer. If it is still the chosen one the next takes its
// place; many calls that fail on one server together thus move on by one, not by many.
func (n *NameServers) Failed(addr string) {
	if addr == n.Chosen() && len(n.addrs) > 0 {
		n.chosen = (n.chosen + 1) % len(n.addrs)
	}
}

// Len is the number of servers: a question that failed that many times has asked each once.
func (n *NameServers) Len() int { return len(n.addrs) }

// Addrs borrows the list, in the order in which servers take over.
func (n *NameServers) Addrs() []string { return n.addrs }
