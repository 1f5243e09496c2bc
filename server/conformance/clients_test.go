package conformance

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"regexp"
	"strconv"
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

var kinds = []kind{{"go", false, 0}, {"go", true, 0}, {"java", false, 0}, {"java", true, 0}}

// callPatience is for calls that should take no time at all.
const callPatience = 30 * time.Second

// talk is a conversation of one test with one client: a call that fails ends the test.
type talk struct {
	*testing.T
	client *client.Client
}

// eachClient runs a test with each official client, by TLS and by cleartext, one
// after the other.
func eachClient(t *testing.T, conversation func(t talk)) {
	needWorld(t)
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) { conversation(startClient(t, k)) })
	}
}

// eachClientTogether is eachClient for tests that mostly wait: all at a time.
func eachClientTogether(t *testing.T, conversation func(t talk)) {
	needWorld(t)
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			conversation(startClient(t, k))
		})
	}
}

// needWorld leaves a test out, without a word of its own: TestMain said why.
func needWorld(t *testing.T) *world {
	t.Helper()
	if the == nil {
		t.SkipNow()
	}
	return the
}

func startClient(t *testing.T, k kind) talk {
	t.Helper()
	program := the.clients[k.language]
	if program == nil {
		t.SkipNow()
	}
	c, err := client.Start(the.dir, k.String()+"-"+suffix(), program, client.Config{
		Endpoint: the.endpoint, TLS: k.tls, RequestTimeout: cmp.Or(k.requestTimeout, requestTimeout),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Stop()
		if t.Failed() {
			t.Logf("%s last said:\n%s", k, c.LogTail(40))
		}
	})
	return talk{T: t, client: c}
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
	index, attempt              int
}

// receive is one receive of a simple consumer. Nothing there is no error.
func (t talk) receive(group string, most int, invisible time.Duration) (messages []received, took time.Duration) {
	t.Helper()
	answer, err := t.ask("receive", "group", group, "max", most, "invisible", invisible)
	if err != nil && client.Code(err) != messageNotFound {
		t.Fatal(err)
	}
	for _, text := range answer.All("message") {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		a := client.Answer(values)
		messages = append(messages, received{
			id: a.Text("id"), topic: a.Text("topic"), tag: a.Text("tag"), fingerprint: a.Text("fingerprint"),
			index: a.Int("index"), attempt: a.Int("attempt"),
		})
	}
	return messages, answer.Micros("micros")
}

const messageNotFound = 40401

// small is a series of small messages of a test's own.
func small() content.Series { return content.Series{Seed: seed(), BytesMost: 512} }

// topic makes a topic of a test's own.
func topic(t *testing.T, messageType string) string {
	t.Helper()
	name := freshName(t)
	ctx, cancel := context.WithTimeout(t.Context(), callPatience)
	defer cancel()
	if err := the.cluster.CreateTopic(ctx, name, messageType, 4); err != nil {
		t.Fatal(err)
	}
	return name
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
