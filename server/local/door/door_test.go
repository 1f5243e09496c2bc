package door

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rocketmq-proxy/server/local/catalog"
	"rocketmq-proxy/server/local/catalog/fakecatalog"
)

// shortDir is a directory whose path is no longer than that of most stores.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "door-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// sameError says whether two errors are equal, a kind and a sentence, and not only alike.
func sameError(got, want error) bool {
	g, _ := errors.AsType[*catalog.Error](got)
	w, _ := errors.AsType[*catalog.Error](want)
	if g == nil || w == nil {
		return got == nil && want == nil
	}
	return *g == *w
}

func open(t *testing.T, dir string, c catalog.Catalog) *Client {
	t.Helper()
	d, err := Open(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	client, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

var yes = true

// TestSameThroughTheDoor makes the same calls of a catalog and through a door to another: the
// answers, errors too, are the same.
func TestSameThroughTheDoor(t *testing.T) {
	made := func() *fakecatalog.Fake {
		f := &fakecatalog.Fake{}
		f.SetTopic(catalog.TopicInfo{Topic: catalog.DefaultTopic("%DLQ%a|b", 1), Messages: 7, Queues: []catalog.QueueInfo{{ID: 0, Min: 3, Max: 10, StoredMs: 1700000000000}}})
		f.SetGroup(catalog.GroupInfo{Group: catalog.DefaultGroup("a|b"), Clients: 2, Lag: 5, InFlight: 1, Queues: []catalog.GroupQueue{{Topic: "t", ID: 1, Offset: 2, Max: 7, Lag: 5, InFlight: 1}}})
		f.SetThreads("a|b", "host/1@2%3", "main: waits")
		return f
	}
	direct := made()
	through := open(t, shortDir(t), made())
	for name, ask := range map[string]func(c catalog.Catalog) (any, error){
		"topics":   func(c catalog.Catalog) (any, error) { return c.Topics() },
		"topic":    func(c catalog.Catalog) (any, error) { return c.Topic("%DLQ%a|b") },
		"no topic": func(c catalog.Catalog) (any, error) { return c.Topic("other") },
		"no name":  func(c catalog.Catalog) (any, error) { return c.Topic("%2F") },
		"create topic": func(c catalog.Catalog) (any, error) {
			return c.CreateTopic(catalog.TopicChange{Name: "new", Attributes: "+message.type=FIFO"})
		},
		"again": func(c catalog.Catalog) (any, error) {
			return c.CreateTopic(catalog.TopicChange{Name: "new", ReadQueues: 8})
		},
		"wrong topic":  func(c catalog.Catalog) (any, error) { return c.CreateTopic(catalog.TopicChange{Name: "ä/?#"}) },
		"delete topic": func(c catalog.Catalog) (any, error) { return nil, c.DeleteTopic("new") },
		"no delete":    func(c catalog.Catalog) (any, error) { return nil, c.DeleteTopic("a/../b") },
		"groups":       func(c catalog.Catalog) (any, error) { return c.Groups() },
		"group":        func(c catalog.Catalog) (any, error) { return c.Group("a|b") },
		"no group":     func(c catalog.Catalog) (any, error) { return c.Group("other") },
		"threads":      func(c catalog.Catalog) (any, error) { return c.Threads("a|b", "host/1@2%3") },
		"no threads":   func(c catalog.Catalog) (any, error) { return c.Threads("a|b", "nobody") },
		"create group": func(c catalog.Catalog) (any, error) {
			return c.CreateGroup(catalog.GroupChange{Name: "new", Orderly: &yes})
		},
		"wrong group": func(c catalog.Catalog) (any, error) {
			return c.CreateGroup(catalog.GroupChange{Name: "new", Attributes: "x"})
		},
		"delete group":  func(c catalog.Catalog) (any, error) { return nil, c.DeleteGroup("a|b") },
		"deleted group": func(c catalog.Catalog) (any, error) { return nil, c.DeleteGroup("gone") },
	} {
		want, wantErr := ask(direct)
		got, err := ask(through)
		if !sameError(err, wantErr) {
			t.Errorf("%s: error %#v, want %#v", name, err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	f := &fakecatalog.Fake{}
	c := open(t, shortDir(t), f)
	for _, fails := range []error{
		catalog.Errorf(catalog.Full, "topicsMax is 3"), catalog.Errorf(catalog.Unavailable, "the disk is full"),
		catalog.Errorf("later", "a kind of a later version"), errors.New("odd"),
	} {
		f.Fails = fails
		if _, err := c.Topics(); !sameError(err, catalog.AsError(fails)) {
			t.Errorf("got %#v, want %#v", err, fails)
		}
	}
}

// TestWire fixes the JSON: another version of the command may be talking.
func TestWire(t *testing.T) {
	for want, value := range map[string]any{
		`{"name":"a","type":"FIFO","readQueues":4,"writeQueues":4,"perm":6,"attributes":{"queue.type":"SimpleCQ"},"messages":7,"queues":[{"queue":0,"minOffset":3,"maxOffset":10}]}`: catalog.TopicInfo{
			Topic: catalog.Topic{Name: "a", Type: "FIFO", ReadQueues: 4, WriteQueues: 4, Perm: 6, Attributes: map[string]string{"queue.type": "SimpleCQ"}}, Messages: 7, Queues: []catalog.QueueInfo{{Min: 3, Max: 10}},
		},
		`{"name":"a","orderly":false,"retryMax":16,"clients":0,"lag":5,"inFlight":1}`:                          catalog.GroupInfo{Group: catalog.DefaultGroup("a"), Lag: 5, InFlight: 1},
		`{"name":"a","orderly":true,"retryPolicy":{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1]}}}`: catalog.GroupChange{Name: "a", Orderly: &yes, Retry: &catalog.RetryPolicy{Type: catalog.RetryCustomized, Customized: &catalog.CustomizedRetry{NextMs: []int64{1}}}},
		`{"name":"a","attributes":"+message.type=FIFO"}`:                                                       catalog.TopicChange{Name: "a", Attributes: "+message.type=FIFO"},
		`{"kind":"notFound","message":"there is no topic a"}`:                                                  catalog.NoTopic("a"),
		`{"outcome":"created"}`: outcome{catalog.Created},
	} {
		if got, err := json.Marshal(value); err != nil || string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestOnlyTheOwnerMayEnter(t *testing.T) {
	dir := shortDir(t)
	open(t, dir, &fakecatalog.Fake{})
	info, err := os.Stat(filepath.Join(dir, Name))
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != os.ModeSocket {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("left lying about: %v", left)
	}
}

func TestNobody(t *testing.T) {
	dir := shortDir(t)
	for _, where := range []string{dir, filepath.Join(dir, "nowhere")} {
		if _, err := Dial(where); !errors.Is(err, ErrNobody) {
			t.Errorf("%s: got %v", where, err)
		}
	}

	// A process that fell leaves its socket; the next one takes the place.
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, Name), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	if _, err := Dial(dir); !errors.Is(err, ErrNobody) {
		t.Errorf("a left socket: got %v", err)
	}
	if _, err := open(t, dir, &fakecatalog.Fake{}).Topics(); err != nil {
		t.Errorf("in place of a left socket: %v", err)
	}

	d, err := Open(dir, &fakecatalog.Fake{})
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := Dial(dir); !errors.Is(err, ErrNobody) {
		t.Errorf("after Close: got %v", err)
	}
}

// TestLongPath: a socket's path is bounded, a store's is not.
func TestLongPath(t *testing.T) {
	if _, err := os.Stat(processDir); err != nil {
		t.Skip("this system has no way around the bound")
	}
	dir := shortDir(t)
	for len(dir) < 300 {
		dir = filepath.Join(dir, strings.Repeat("x", 60))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(dir); !errors.Is(err, ErrNobody) {
		t.Errorf("got %v", err)
	}
	if _, err := open(t, dir, &fakecatalog.Fake{}).Topics(); err != nil {
		t.Error(err)
	}
}

func TestOpenFails(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "nowhere"), &fakecatalog.Fake{}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

// TestProxyFalls: a call that gets no answer says so.
func TestProxyFalls(t *testing.T) {
	dir := shortDir(t)
	d, err := Open(dir, &fakecatalog.Fake{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d.Close()
	_, err = c.Topics()
	var e *catalog.Error
	if !errors.As(err, &e) || e.Kind != catalog.Unavailable {
		t.Errorf("got %v", err)
	}
}
