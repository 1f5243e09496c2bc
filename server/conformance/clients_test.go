package conformance

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/client"
	"rocketmq-proxy/server/conformance/content"
)

// kind is one way to be a client.
type kind struct {
	language       string
	tls            bool
	requestTimeout time.Duration // 0 means the clients' own 3 s
}

const requestTimeout = 3 * time.Second

func (k kind) String() string {
	if k.tls {
		return k.language + "-tls"
	}
	return k.language + "-cleartext"
}

// kinds are all ways.
var kinds = kindsOf("go", "java", "node", "python", "rust")

func kindsOf(languages ...string) (all []kind) {
	for _, l := range languages {
		all = append(all, kind{language: l}, kind{language: l, tls: true})
	}
	return all
}

// callPatience is for calls that should take no time at all.
const callPatience = 30 * time.Second

// talk is a conversation of one test with one client: a call that fails ends the test.
type talk struct {
	*testing.T
	*target
	feature string
	kind    kind
	client  *client.Client
}

// sharedClient is a client process that tests have together: they keep apart by their names.
type sharedClient struct{ client *client.Client }

// share starts the process for the first test that wants it.
func (w *world) share(g *target, k kind) func() (*sharedClient, error) {
	return sync.OnceValues(func() (*sharedClient, error) {
		c, err := w.startProgram(g, k)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.close = append(w.close, c.Stop)
		return &sharedClient{c}, nil
	})
}

func (w *world) startProgram(g *target, k kind) (*client.Client, error) {
	endpoint := g.endpoint
	if k.tls { // the Rust client takes no certificate for an address
		_, port, _ := net.SplitHostPort(endpoint)
		endpoint = net.JoinHostPort("localhost", port)
	}
	return client.Start(w.dir, g.name+"-"+k.String()+"-"+suffix(), w.clients[k.language], client.Config{
		Endpoint: endpoint, TLS: k.tls, Roots: w.certificate.roots, RequestTimeout: cmp.Or(k.requestTimeout, requestTimeout),
	})
}

// eachClient runs a test of a feature on each target with each official client that is able to, by TLS
// and by cleartext, one after the other.
func eachClient(t *testing.T, feature string, conversation func(t talk), needs ...ability) {
	for _, g := range the.targets {
		t.Run(g.name, func(t *testing.T) {
			for _, k := range kinds {
				t.Run(k.String(), func(t *testing.T) {
					the.table.enter(t, feature, g.name, k.String())
					k.must(t, feature, needs)
					conversation(withShared(t, feature, g, k))
				})
			}
		})
	}
}

// eachClientTogether is eachClient for tests that mostly wait: all at a time.
func eachClientTogether(t *testing.T, feature string, conversation func(t talk), needs ...ability) {
	t.Parallel()
	for _, g := range the.targets {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, k := range kinds {
				t.Run(k.String(), func(t *testing.T) {
					the.table.enter(t, feature, g.name, k.String())
					k.must(t, feature, needs)
					t.Parallel()
					conversation(withShared(t, feature, g, k))
				})
			}
		})
	}
}

// withShared is a conversation with the client process that all tests have together.
func withShared(t *testing.T, feature string, g *target, k kind) talk {
	t.Helper()
	if _, is := the.clients[k.language]; !is {
		t.SkipNow() // TestMain said why
	}
	c, err := g.shared[k]()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s last said:\n%s", c.client.Name, c.client.LogTail(10))
		}
	})
	return talk{T: t, target: g, feature: feature, kind: k, client: c.client}
}

// startClient is a conversation with a client process of the test's own.
func startClient(t *testing.T, g *target, k kind) talk {
	t.Helper()
	if _, is := the.clients[k.language]; !is {
		t.SkipNow()
	}
	c, err := the.startProgram(g, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Stop()
		if t.Failed() {
			t.Logf("%s last said:\n%s", k, c.LogTail(40))
		}
	})
	return talk{T: t, target: g, kind: k, client: c}
}

// ask calls an operation that may fail.
func (t talk) ask(op string, pairs ...any) (client.Answer, error) {
	t.Helper()
	return t.askFor(callPatience, op, pairs...)
}

func (t talk) askFor(patience time.Duration, op string, pairs ...any) (client.Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return t.client.Call(ctx, op, client.Args(pairs...))
}

// must calls an operation that may not fail.
func (t talk) must(op string, pairs ...any) client.Answer {
	t.Helper()
	return t.mustFor(callPatience, op, pairs...)
}

func (t talk) mustFor(patience time.Duration, op string, pairs ...any) client.Answer {
	t.Helper()
	answer, err := t.askFor(patience, op, pairs...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// received is a message as a client's receive tells it.
type received struct {
	id, topic, tag, fingerprint string
	group                       string // message group
	lite                        string
	index, attempt, priority    int
	at                          time.Time // when the client had it, to the millisecond
	due                         time.Time // its delivery timestamp; zero: none
}

// receive is one receive of a simple consumer. Nothing there is no error, also when a client that polls up
// to its deadline hears of it by that.
func (t talk) receive(group string, most int, invisible time.Duration) (messages []received, took time.Duration) {
	t.Helper()
	begin := time.Now()
	answer, err := t.ask("receive", "group", group, "max", most, "invisible", invisible)
	took = time.Since(begin)
	if err != nil && client.Code(err) != messageNotFound && !t.pollsUpToItsDeadline(err) && !t.pollWasLate(err) {
		t.Fatal(err)
	}
	return t.messages(answer), took
}

// messages are the messages in an answer.
func (t talk) messages(answer client.Answer) (messages []received) {
	t.Helper()
	for _, text := range answer.All("message") {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		a := client.Answer(values)
		m := received{
			id: a.Text("id"), topic: a.Text("topic"), tag: a.Text("tag"), fingerprint: a.Text("fingerprint"), group: a.Text("group"),
			lite: a.Text("lite"), index: a.Int("index"), attempt: a.Int("attempt"), priority: a.Int("priority"), at: time.UnixMilli(int64(a.Int("at"))),
		}
		if due := a.Int("due"); due != 0 {
			m.due = time.UnixMilli(int64(due))
		}
		messages = append(messages, m)
	}
	return messages
}

const messageNotFound = 40401

// pollsUpToItsDeadline tells whether an error is how the Rust client hears of an empty poll that is
// answered a little late: its polling time is its deadline, too.
func (t talk) pollsUpToItsDeadline(err error) bool {
	return t.kind.language == "rust" && deadlinePassed.MatchString(err.Error())
}

// latePollsMax is how many polls of all tests may end with the deadline of the client, seconds after the
// polling time. A client that is busy with the bodies of another test, on two processors for everything,
// may look at its deadlines before it looks at what has come.
const latePollsMax = 2

// pollWasLate tells whether an error is how any client hears of that, and is true so many times only.
func (t talk) pollWasLate(err error) bool {
	if !deadlinePassed.MatchString(err.Error()) {
		return false
	}
	n := the.latePolls.Add(1)
	fmt.Printf("conformance: a poll was answered too late for its client, %s (%d of at most %d): %s\n", t.kind.language, n, latePollsMax, t.Name())
	return n <= latePollsMax
}

// deadlinePassed is in the words of the gRPC clients for it.
var deadlinePassed = regexp.MustCompile(`(?i)timeout expired|deadline.?exceeded`)

// small is a series of small messages of a test's own.
func small() content.Series { return content.Series{Seed: seed(), BytesMost: 512} }

// topic makes a topic of a test's own.
func (t talk) topic(messageType string) string {
	t.Helper()
	return t.makeTopic(t.T, messageType, 4)
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// freshName is a legal name for a topic or a group that nobody used before.
func freshName(t *testing.T) string {
	return notInNames.ReplaceAllString(t.Name(), "-") + "-" + suffix()
}

func suffix() string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// seed is another one each run; CONFORMANCE_SEED repeats a run's contents.
func seed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("CONFORMANCE_SEED"), 10, 64); err == nil {
		return n
	}
	return uint64(time.Now().UnixNano())
}
