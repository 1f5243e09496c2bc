package conformance

import (
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// ability is what not every official client has.
type ability string

const (
	pushes     ability = "push consumer"
	changes    ability = "change of the invisible time"
	recalls    ability = "recall"
	litePushes ability = "lite push consumer"
	priorities ability = "priority messages"
	rests      ability = "rests between attempts"
	tellsWhy   ability = "the proxy's Status when it has no route"
	loads      ability = "load"
	selfSigned ability = "trust in a certificate that nobody signed"
)

// lacks says who has not what. These are facts about the clients in the versions that are pinned; they
// are the same whoever the client talks to.
var lacks = map[string]map[ability]string{
	"node": {
		loads:      noLoad,
		selfSigned: "the client trusts the system's authorities only",
		rests:      "the client knows no customized retry policy, and takes the seconds of the other kind for milliseconds",
	},
	"python": {
		loads:      noLoad,
		tellsWhy:   "the client hides why it has no route",
		selfSigned: "the client trusts the system's authorities only",
	},
	"rust": {
		loads:      noLoad,
		selfSigned: "the client trusts the system's authorities only",
		pushes:     "the client has no push consumer",
		changes:    "the client cannot change an invisible time",
		recalls:    "the client cannot recall, and hides the recall handle",
		litePushes: "the client has no lite topics",
		priorities: "the client has no priorities",
	},
}

// noLoad is of the programs, not of the clients: that would take another ten minutes.
const noLoad = "only the Go and the Java program carry load"

// must skips a test that needs what a client has not, and notes the reason.
func (k kind) must(t *testing.T, feature string, needs []ability) {
	for _, a := range needs {
		if reason, is := lacks[k.language][a]; is {
			the.table.note(feature, k.language, reason)
			t.Skip(reason)
		}
	}
}

// able tells whether a client has something that a part of a test needs, and notes the reason if not.
func (t talk) able(a ability) bool {
	reason, not := lacks[t.kind.language][a]
	if not {
		the.table.note(t.feature, t.kind.language, reason)
	}
	return !not
}

// retryGroup is a group whose retry policy the client understands.
func (t talk) retryGroup(g cluster.Group) string {
	t.Helper()
	g.Grows = !t.able(rests)
	return t.makeGroup(t.T, g)
}

// grain is how exactly a client can say when a message is due.
func (k kind) grain() time.Duration {
	if k.language == "python" || k.language == "rust" {
		return time.Second
	}
	return time.Millisecond
}

// dueAfter is a moment, at least d from now, that a client can say.
func (k kind) dueAfter(d time.Duration) time.Time {
	return time.Now().Add(d + k.grain() - 1).Truncate(k.grain())
}
