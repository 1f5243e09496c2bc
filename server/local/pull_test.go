package local

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/catalog"
)

// queue is the one queue of a topic that was made for it.
func (w *world) queue(name string) backend.Queue {
	w.Helper()
	if w.Topic([]byte(name), time.Now()) == nil {
		if _, err := w.Catalog().CreateTopic(catalog.TopicChange{Name: name, ReadQueues: 1, WriteQueues: 1}); err != nil {
			w.Fatal(err)
		}
	}
	return backend.Queue{Topic: w.topic(name), Broker: []byte("local")}
}

func (w *world) pull(topic string, offset int64, change ...func(*backend.Pull)) *backend.Pull {
	w.Helper()
	op := &backend.Pull{Queue: w.queue(topic), Group: []byte("pullers"), Offset: offset, MessagesMax: 32}
	for _, c := range change {
		c(op)
	}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Pull(op, time.Now()) })
	return op
}

// brings checks how a pull ended, and lets go of what it brought.
func (w *world) brings(op *backend.Pull, outcome backend.PullOutcome, next int64, want ...string) {
	w.Helper()
	var got []string
	for i := range op.Messages {
		m := &op.Messages[i]
		got = append(got, fmt.Sprintf("%s@%d", op.Body.AppendRange(nil, m.BodyOffset, m.BodyLen), m.QueueOffset))
	}
	if !op.Fault.OK() || op.Outcome != outcome || op.Next != next || !slices.Equal(got, want) {
		w.Errorf("%v, outcome %d, next %d, %v; want outcome %d, next %d, %v", op.Fault, op.Outcome, op.Next, got, outcome, next, want)
	}
	op.Reset()
}

func (w *world) updateOffset(topic string, offset int64) backend.Fault {
	w.Helper()
	op := &backend.UpdateOffset{Queue: w.queue(topic), Group: []byte("pullers"), Offset: offset}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.UpdateOffset(op, time.Now()) })
	return op.Fault
}

func (w *world) offset(topic string) (int64, backend.Fault) {
	w.Helper()
	op := &backend.GetOffset{Queue: w.queue(topic), Group: []byte("pullers")}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.GetOffset(op, time.Now()) })
	return op.Offset, op.Fault
}

func (w *world) queryOffset(topic string, at backend.OffsetAt, timestamp int64) int64 {
	w.Helper()
	op := &backend.QueryOffset{Queue: w.queue(topic), At: at, Timestamp: timestamp}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.QueryOffset(op, time.Now()) })
	if !op.Fault.OK() {
		w.Error(op.Fault)
	}
	return op.Offset
}

func TestPull(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.brings(w.pull("orders", 0), backend.PullNone, 0)
	for i, colour := range []string{"red", "green", "blue"} {
		w.sends("orders", colour, fmt.Sprintf("TAGS=%s;size=%d;", colour, i))
	}
	w.brings(w.pull("orders", 0), backend.PullFound, 3, "red@0", "green@1", "blue@2")
	w.brings(w.pull("orders", 1, func(op *backend.Pull) { op.MessagesMax = 1 }), backend.PullFound, 2, "green@1")
	w.brings(w.pull("orders", 0, func(op *backend.Pull) { op.Expression = []byte("green || grey") }), backend.PullFound, 3, "green@1")
	w.brings(w.pull("orders", 0, func(op *backend.Pull) { op.SQL, op.Expression = true, []byte("size > 1") }), backend.PullFound, 3, "blue@2")
	w.brings(w.pull("orders", 0, func(op *backend.Pull) { op.Expression = []byte("grey") }), backend.PullNone, 3)
	w.brings(w.pull("orders", 3), backend.PullNone, 3)
	w.brings(w.pull("orders", 4), backend.PullOutside, 3)
	w.brings(w.pull("orders", -1), backend.PullOutside, 0)
	if op := w.pull("orders", 0, func(op *backend.Pull) { op.SQL, op.Expression = true, []byte("size >") }); op.Fault.Kind != backend.BadFilter {
		t.Error(op.Fault)
	}
	w.restart()
	op := w.pull("orders", 0)
	if m := &op.Messages[2]; m.QueueID != 0 || m.BornTimestamp != 0 || m.StoreTimestamp == 0 || m.ReconsumeTimes != 0 {
		t.Errorf("%+v", m)
	}
	w.brings(op, backend.PullFound, 3, "red@0", "green@1", "blue@2")
}

func TestPullWakes(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.queue("orders")
	const pullers = 3
	came := make(chan *backend.Pull, pullers)
	for range pullers {
		go func() {
			came <- w.pull("orders", 0, func(op *backend.Pull) { op.Poll, op.Expression = 20*time.Second, []byte("wanted") })
		}()
	}
	w.sends("orders", "a", "")
	w.sends("orders", "b", "TAGS=wanted;")
	for range pullers { // each gets it
		w.brings(<-came, backend.PullFound, 2, "b@1")
	}
}

func TestPullEnds(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	begun := time.Now()
	w.brings(w.pull("orders", 0, func(op *backend.Pull) { op.Poll = 30 * time.Millisecond }), backend.PullNone, 0)
	if took := time.Since(begun); took < 29*time.Millisecond { // the broker's clock has whole milliseconds
		t.Errorf("it took %v", took)
	}
}

// TestOffsets are on disk when they are told, and are those that pops go by.
func TestOffsets(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	if _, f := w.offset("orders"); f.Kind != backend.OffsetNotFound {
		t.Error(f)
	}
	for _, body := range []string{"a", "b", "c"} {
		w.sends("orders", body, "")
	}
	if f := w.updateOffset("orders", 2); !f.OK() {
		t.Error(f)
	}
	w.restart()
	if offset, f := w.offset("orders"); offset != 2 || !f.OK() {
		t.Error(offset, f)
	}
	if f := w.updateOffset("orders", 4); f.Kind != backend.BadOffset {
		t.Error(f)
	}
	w.wants(w.pop("orders", "pullers"), "c/0")
	if offset, f := w.offset("orders"); offset != 3 || !f.OK() {
		t.Error(offset, f)
	}
	if f := w.updateOffset("orders", 0); !f.OK() {
		t.Error(f)
	}
	w.wants(w.pop("orders", "pullers"), "a/0 b/0 c/0")
}

func TestQueryOffset(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.sends("orders", "elsewhere", "")
	w.queue("line")
	w.sends("line", "a", "")
	w.sends("line", "b", "")
	pulled := w.pull("line", 0)
	second := pulled.Messages[1].StoreTimestamp
	w.brings(pulled, backend.PullFound, 2, "a@0", "b@1")
	for _, test := range []struct {
		at        backend.OffsetAt
		timestamp int64
		want      int64
	}{
		{backend.AtBeginning, 0, 0}, {backend.AtEnd, 0, 2}, {backend.AtTime, 0, 0},
		{backend.AtTime, second + 1, 2}, {backend.AtTime, time.Now().Add(time.Hour).UnixMilli(), 2},
	} {
		if got := w.queryOffset("line", test.at, test.timestamp); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

// TestQueuesAreNamed by the broker and an id that the topic has, and must be readable.
func TestQueuesAreNamed(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), func(c *Config) { c.Broker.AutoCreateGroups = false })
	if _, err := w.Catalog().CreateTopic(catalog.TopicChange{Name: "deaf", Perm: catalog.Writable}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		change func(*backend.Pull)
		want   backend.Kind
	}{
		{func(op *backend.Pull) { op.Broker = []byte("elsewhere") }, backend.BadBroker},
		{func(op *backend.Pull) { op.Broker = nil }, backend.BadBroker},
		{func(op *backend.Pull) { op.ID = 1 }, backend.BadQueue},
		{func(op *backend.Pull) { op.ID = -1 }, backend.BadQueue},
		{func(op *backend.Pull) { op.Topic = w.topic("deaf") }, backend.NoReadableQueue},
		{func(op *backend.Pull) { op.Topic = &backend.Topic{Name: "deleted"} }, backend.TopicNotFound},
		{func(*backend.Pull) {}, backend.GroupNotFound},
	} {
		op := w.pull("orders", 0, test.change)
		update := &backend.UpdateOffset{Queue: op.Queue, Group: op.Group}
		w.do(func(x backend.Exchange) { update.Exchange = x; w.UpdateOffset(update, time.Now()) })
		if op.Fault.Kind != test.want || update.Fault.Kind != test.want {
			t.Errorf("%+v and %+v, want kind %d", op.Fault, update.Fault, test.want)
		}
	}
	if _, f := w.offset("orders"); f.Kind != backend.OffsetNotFound {
		t.Error(f)
	}
}

// TestNothingWaitsForAnEndedStore: operations on one come home with a fault.
func TestNothingWaitsForAnEndedStore(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	queue, l := w.queue("orders"), w.Local
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.Local = nil
	var exchanges []*backend.Exchange
	each := func(op *backend.Exchange, begin func()) {
		w.do(func(x backend.Exchange) { *op = x; begin() })
		exchanges = append(exchanges, op)
	}
	now := time.Now()
	pull := &backend.Pull{Queue: queue, Poll: 20 * time.Second}
	each(&pull.Exchange, func() { l.Pull(pull, now) })
	update := &backend.UpdateOffset{Queue: queue}
	each(&update.Exchange, func() { l.UpdateOffset(update, now) })
	get := &backend.GetOffset{Queue: queue}
	each(&get.Exchange, func() { l.GetOffset(get, now) })
	query := &backend.QueryOffset{Queue: queue}
	each(&query.Exchange, func() { l.QueryOffset(query, now) })
	end := &backend.EndTransaction{Topic: []byte("orders")}
	each(&end.Exchange, func() { l.EndTransaction(end, now) })
	recall := &backend.Recall{Topic: []byte("orders")}
	each(&recall.Exchange, func() { l.Recall(recall, now) })
	lite := &backend.SyncLite{Topic: "orders"}
	each(&lite.Exchange, func() { l.SyncLite(lite, now) })
	for i, x := range exchanges {
		if x.Fault.Kind != backend.Internal {
			t.Errorf("operation %d: %+v", i, x.Fault)
		}
	}
}
