package messaging

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// fake is a backend that does nothing: it notes what it is asked and is answered for by the
// test, with peer.reply. What it was told to know it knows.
type fake struct {
	mu     sync.Mutex
	topics map[string]*backend.Topic
	groups map[string]*backend.Group
	asked  []any // operations that wait for an answer, in order
	log    []string

	clients backend.Clients
}

func newFake() *fake {
	return &fake{topics: map[string]*backend.Topic{}, groups: map[string]*backend.Group{}}
}

func (f *fake) know(t *backend.Topic)      { f.topics[t.Name] = t }
func (f *fake) knowGroup(g *backend.Group) { f.groups[g.Name] = g }

func (f *fake) Topic(name []byte, _ time.Time) *backend.Topic { return f.topics[string(name)] }
func (f *fake) Group(name []byte, _ time.Time) *backend.Group { return f.groups[string(name)] }

func (f *fake) FetchTopic(op *backend.FetchTopic, _ time.Time) { f.ask(op, "topic %s", op.Name) }
func (f *fake) FetchGroup(op *backend.FetchGroup, _ time.Time) { f.ask(op, "group %s", op.Name) }
func (f *fake) Send(op *backend.Send, _ time.Time) {
	var bodies []string
	payload := string(op.Payload.AppendTo(nil))
	for _, m := range op.Messages {
		bodies = append(bodies, payload[m.BodyOffset:][:m.BodyLen])
	}
	f.ask(op, "send %s %q", op.Topic.Name, bodies)
}

func (f *fake) Pop(op *backend.Pop, _ time.Time) {
	f.ask(op, "pop %s for %s, %d, %v", op.Topic.Name, op.Group, op.MessagesMax, op.Poll)
}

func (f *fake) Ack(op *backend.Ack, _ time.Time) { f.ask(op, "ack %s", f.delivery(&op.Delivery)) }
func (f *fake) ChangeInvisible(op *backend.ChangeInvisible, _ time.Time) {
	suspend := ""
	if op.Suspend {
		suspend = " suspended"
	}
	f.ask(op, "change %s to %v%s", f.delivery(&op.Delivery), op.Invisible, suspend)
}

func (f *fake) DeadLetter(op *backend.DeadLetter, _ time.Time) {
	f.ask(op, "dead %s id %s", f.delivery(&op.Delivery), op.MessageID)
}

func (f *fake) EndTransaction(op *backend.EndTransaction, _ time.Time) {
	f.ask(op, "end %s of %s: %d", op.TransactionID, op.Topic, op.Verdict)
}

func (f *fake) Recall(op *backend.Recall, _ time.Time) {
	f.ask(op, "recall %s of %s", op.Handle.MessageID, op.Topic)
}

func (f *fake) SyncLite(op *backend.SyncLite, _ time.Time) {
	f.ask(op, "lite %d %v of %s/%s for %s", op.Action, op.LiteTopics, op.Group, op.Topic, op.ClientID)
	if _, leaves := op.Then.(*leaving); leaves { // nobody waits for the answer, and tests end with it
		f.home(&op.Exchange)
	}
}

func (f *fake) Pull(op *backend.Pull, _ time.Time) {
	f.ask(op, "pull %s for %s from %d, %d, %v", queueName(&op.Queue), op.Group, op.Offset, op.MessagesMax, op.Poll)
}

func (f *fake) UpdateOffset(op *backend.UpdateOffset, _ time.Time) {
	f.ask(op, "offset %d of %s in %s", op.Offset, op.Group, queueName(&op.Queue))
}

func (f *fake) GetOffset(op *backend.GetOffset, _ time.Time) {
	f.ask(op, "offset of %s in %s", op.Group, queueName(&op.Queue))
}

func (f *fake) QueryOffset(op *backend.QueryOffset, _ time.Time) {
	f.ask(op, "offset %d at %d in %s", op.At, op.Timestamp, queueName(&op.Queue))
}

func queueName(q *backend.Queue) string { return fmt.Sprintf("%s/%s/%d", q.Topic.Name, q.Broker, q.ID) }

func (f *fake) Attach(c backend.Clients) { f.clients = c }

func (f *fake) delivery(d *backend.Delivery) string {
	if h, err := handle.Parse(d.HandleText); err != nil || h.Offset != d.Handle.Offset {
		return fmt.Sprintf("a handle %q that is not %+v", d.HandleText, d.Handle)
	}
	return fmt.Sprintf("%s/%s@%d", d.Group, d.Topic, d.Handle.Offset)
}

func (f *fake) ask(op any, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, op)
	f.log = append(f.log, fmt.Sprintf(format, args...))
}

func (f *fake) pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

// home takes an operation off those that wait; twice is a fault of the test.
func (f *fake) home(x *backend.Exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, op := range f.asked {
		if exchangeOf(op) == x {
			f.asked = append(f.asked[:i], f.asked[i+1:]...)
			return
		}
	}
	panic("the operation is not with the backend")
}

func exchangeOf(op any) *backend.Exchange {
	switch op := op.(type) {
	case *backend.FetchTopic:
		return &op.Exchange
	case *backend.FetchGroup:
		return &op.Exchange
	case *backend.Send:
		return &op.Exchange
	case *backend.Pop:
		return &op.Exchange
	case *backend.Ack:
		return &op.Exchange
	case *backend.ChangeInvisible:
		return &op.Exchange
	case *backend.DeadLetter:
		return &op.Exchange
	case *backend.EndTransaction:
		return &op.Exchange
	case *backend.Recall:
		return &op.Exchange
	case *backend.SyncLite:
		return &op.Exchange
	case *backend.Pull:
		return &op.Exchange
	case *backend.UpdateOffset:
		return &op.Exchange
	case *backend.GetOffset:
		return &op.Exchange
	case *backend.QueryOffset:
		return &op.Exchange
	}
	panic("not an operation")
}

// asked is the i-th operation that waits; it must be of this type.
func asked[T any](p *peer, i int) T {
	p.Helper()
	if p.fake.pending() <= i {
		p.Fatalf("the backend was not asked; it heard %q", p.fake.log)
	}
	op, is := p.fake.asked[i].(T)
	if !is {
		p.Fatalf("the backend was asked %T", p.fake.asked[i])
	}
	return op
}

// hears checks what the backend was asked since the last time.
func (p *peer) hears(want ...string) {
	p.Helper()
	p.fake.mu.Lock()
	defer p.fake.mu.Unlock()
	if strings.Join(p.fake.log, "\n") != strings.Join(want, "\n") {
		p.Errorf("the backend heard %q, want %q", p.fake.log, want)
	}
	p.fake.log = nil
}

// works answers everything that waits with success.
func (p *peer) works() {
	p.Helper()
	for p.fake.pending() > 0 {
		p.reply(exchangeOf(p.fake.asked[0]), backend.Fault{})
	}
}

// stored is a message as a broker has it.
type stored struct {
	body, properties string
	times            int32
}

// encoded writes "name=value;" as it is stored.
func encoded(properties string) []byte {
	return []byte(strings.NewReplacer("=", "\x01", ";", "\x02").Replace(properties))
}

// fill puts records into a pop: offsets count from 100, handles are those of a fresh delivery.
func fill(op *backend.Pop, now time.Time, messages ...stored) {
	appendRecords(&op.Body, op.Topic.Name, messages)
	records := message.NewReader(&op.Body)
	for range messages {
		m := op.NextMessage()
		if !records.Next(&m.Record) {
			panic(records.Err())
		}
		m.HandleFrom = len(op.Handles)
		op.Handles = handle.Append(op.Handles, &handle.Handle{
			StartOffset: 90, RetrieveTime: now.UnixMilli(), InvisibleTime: 60_000, ReviveQueueID: 1, TopicMark: handle.MarkNormal,
			Broker: []byte("broker-a"), QueueID: m.QueueID, Offset: m.QueueOffset, CommitLogOffset: m.PhysicalOffset,
		})
		m.HandleTo = len(op.Handles)
	}
}

func appendRecords(body *pool.Chain, topic string, messages []stored) {
	var block []byte
	for i, m := range messages {
		record := message.Record{
			Topic: []byte(topic), QueueID: 3, QueueOffset: int64(100 + i), PhysicalOffset: int64(1000 + i),
			BornTimestamp: 1_700_000_000_000, StoreTimestamp: 1_700_000_000_001, ReconsumeTimes: m.times,
			Properties: encoded(m.properties),
		}
		block = message.AppendRecord(block, &record, []byte(m.body))
	}
	if len(block) > 0 {
		body.Append(pool.Copied(block))
	}
}

// fillPull puts records into a pull, with the offsets of fill.
func fillPull(op *backend.Pull, messages ...stored) {
	appendRecords(&op.Body, op.Topic.Name, messages)
	records := message.NewReader(&op.Body)
	for range messages {
		if !records.Next(op.NextMessage()) {
			panic(records.Err())
		}
	}
	op.Next = int64(100 + len(messages))
}

// handleAt is the text of a handle whose delivery has a minute left.
func handleAt(now time.Time, offset int64) string {
	return string(handle.Append(nil, &handle.Handle{
		StartOffset: 90, RetrieveTime: now.UnixMilli(), InvisibleTime: 60_000, ReviveQueueID: 1, TopicMark: handle.MarkNormal,
		Broker: []byte("broker-a"), QueueID: 3, Offset: offset, CommitLogOffset: 987654,
	}))
}

// eachFault runs a test for every way in which a backend fails.
func eachFault(t *testing.T, run func(t *testing.T, f backend.Fault, code string)) {
	for kind := backend.None + 1; int(kind) < backend.Kinds; kind++ {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			run(t, backend.Fault{Kind: kind, Text: "it broke"}, codes[kind].String())
		})
	}
}
