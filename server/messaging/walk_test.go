package messaging

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/turn"
)

// holder is a backend that holds what it is asked until the walk brings it home.
type holder struct {
	*fake
	events []turn.Event
	send   *backend.Send
	pop    *backend.Pop
	pull   *backend.Pull
}

func (b *holder) Send(op *backend.Send, _ time.Time) {
	b.send, b.events = op, append(b.events, op.Then)
}

func (b *holder) Pop(op *backend.Pop, _ time.Time) {
	b.pop, b.events = op, append(b.events, op.Then)
}

func (b *holder) Pull(op *backend.Pull, _ time.Time) {
	b.pull, b.events = op, append(b.events, op.Then)
}

func (b *holder) Ack(op *backend.Ack, _ time.Time) {
	op.Known = true
	b.events = append(b.events, op.Then)
}

func (b *holder) ChangeInvisible(op *backend.ChangeInvisible, _ time.Time) {
	op.Known, op.NewHandle = true, append(op.NewHandle[:0], op.HandleText...)
	b.events = append(b.events, op.Then)
}

func (b *holder) UpdateOffset(op *backend.UpdateOffset, _ time.Time) {
	b.events = append(b.events, op.Then)
}

func (b *holder) EndTransaction(op *backend.EndTransaction, _ time.Time) {
	b.events = append(b.events, op.Then)
}

// walk is a call from the first byte in to the last byte out, on one connection, over and
// over: no sockets, no turns, one goroutine.
type walk struct {
	tb      testing.TB
	now     time.Time
	backend *holder
	client  *Client
	id      uint32
	frames  []byte // of a call, made out to a stream by next
	data    int    // where the DATA frame begins
	read    int    // bytes that the client has read since it last opened its window
	window  []byte
	in, out pool.Chain
	answer  []byte // of the first call
}

// statusOK is how a Status of OK begins: its field 1, and 20000 as a varint.
var statusOK = []byte{0x08, 0xa0, 0x9c, 0x01}

func newWalk(tb testing.TB, method string, request proto.Message) *walk {
	tb.Helper()
	w := &walk{tb: tb, now: time.UnixMilli(1_800_000_000_000), backend: &holder{fake: newFake()}, id: 1}
	w.backend.know(&backend.Topic{Name: "orders", Exists: true, Type: backend.TypeNormal})
	w.backend.knowGroup(&backend.Group{Name: "readers", Exists: true, RetryMax: 16})
	svc := NewService(testConfig(), w.backend, session.NewRegistry(time.Hour))
	svc.Sessions.Open([]byte("host@1234@0@abcdefgh"), w.now).Settle(consumerSettings(apiv2.ClientType_PUSH_CONSUMER, "readers", "orders"), w.now)
	w.client = svc.NewClient(&h2.Config{Metadata: Metadata}, turn.New(owner{}), "10.1.2.3:4567", w.now, nil, nil)

	hello := frame.AppendSettings([]byte(frame.Preface), frame.Setting{ID: frame.SettingInitialWindowSize, Value: 1 << 30})
	w.feed(frame.AppendWindowUpdate(frame.AppendSettingsAck(hello), 0, 1<<30))
	var block []byte
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", servicePrefix + method}, {":authority", "127.0.0.1:8081"},
		{"content-type", "application/grpc"}, {"user-agent", "grpc-go/1.80.0"}, {"te", "trailers"}, {"x-mq-language", "GO"},
		{"x-mq-client-version", "5.1.0"}, {"x-mq-client-id", "host@1234@0@abcdefgh"}, {"grpc-timeout", "30S"},
	} {
		block = hpack.AppendLiteral(block, f[0], f[1])
	}
	body, err := proto.Marshal(request)
	if err != nil {
		tb.Fatal(err)
	}
	w.frames = frame.AppendHeaders(nil, 1, block, frame.FlagEndHeaders)
	w.data = len(w.frames)
	w.frames = frame.AppendData(w.frames, 1, append(grpc.AppendPrefix(nil, len(body)), body...), frame.FlagEndStream)
	return w
}

func (w *walk) feed(b []byte) {
	block := pool.Get(len(b))
	w.in.Append(pool.ViewOf(block, 0, copy(block.Bytes(), b)))
	if err := w.client.Feed(w.now, &w.in); err != nil {
		w.tb.Fatal(err)
	}
	w.in.Release()
	w.drain()
}

func (w *walk) drain() {
	w.client.Drain(&w.out)
	if w.id <= 3 {
		w.answer = w.out.AppendTo(w.answer)
	}
	w.read += w.out.Len()
	w.out.Release()
}

// call makes one call; answer prepares the reply of the operation that waits.
func (w *walk) call(answer func()) {
	frame.PutStream(w.frames, w.id)
	frame.PutStream(w.frames[w.data:], w.id)
	w.id += 2
	w.feed(w.frames)
	if answer != nil {
		answer()
	}
	for _, e := range w.backend.events {
		e.OnTurn(w.now)
	}
	w.backend.events = w.backend.events[:0]
	w.drain()
	if w.id == 3 && !bytes.Contains(w.answer, statusOK) { // a refusal would be cheap
		w.tb.Fatalf("not OK: %q", w.answer)
	}
	if w.read > 1<<20 {
		n := w.read
		w.read = 0
		w.window = frame.AppendWindowUpdate(w.window[:0], 0, uint32(n))
		w.feed(w.window)
	}
}

func sendWalk(tb testing.TB, size int) func() {
	w := newWalk(tb, "SendMessage", sendRequest(message1(func(m *apiv2.Message) {
		m.Body = make([]byte, size)
		m.UserProperties = map[string]string{"color": "red"}
		m.SystemProperties = &apiv2.SystemProperties{
			Tag: proto.String("a-tag-that-is-longer-than-thirty-two-bytes"), Keys: []string{"key-1", "key-2"}, MessageId: "01AABBCCDDEEFF00010000000100000001",
			BornTimestamp: stamp(time.UnixMilli(1_800_000_000_000)), BornHost: "laptop",
		}
	})))
	return func() {
		w.call(func() {
			w.backend.send.Offset = 42
			w.backend.send.TransactionID = append(w.backend.send.TransactionID[:0], "01AABBCCDDEEFF00010000000100000001"...)
		})
	}
}

// batchWalk sends n messages of 256 bytes in one call.
func batchWalk(tb testing.TB, n int) func() {
	var messages []*apiv2.Message
	for i := range n {
		messages = append(messages, message1(func(m *apiv2.Message) {
			m.Body = make([]byte, 256)
			m.SystemProperties = &apiv2.SystemProperties{
				MessageId: fmt.Sprintf("01AABBCCDDEEFF000100000001%08d", i), BornTimestamp: stamp(time.UnixMilli(1_800_000_000_000)), BornHost: "laptop",
			}
		}))
	}
	w := newWalk(tb, "SendMessage", sendRequest(messages...))
	return func() { w.call(nil) }
}

func ackWalk(tb testing.TB, entries int) func() {
	handles := make([]string, entries)
	for i := range handles {
		handles[i] = handleAt(time.UnixMilli(1_800_000_000_000), int64(i))
	}
	w := newWalk(tb, "AckMessage", ackRequest(handles...))
	return func() { w.call(nil) }
}

func changeWalk(tb testing.TB) func() {
	w := newWalk(tb, "ChangeInvisibleDuration", changeRequest(handleAt(time.UnixMilli(1_800_000_000_000), 1), time.Minute))
	return func() { w.call(nil) }
}

// routeWalk asks for the route of a topic with that many queues.
func routeWalk(tb testing.TB, queues int) func() {
	w := newWalk(tb, "QueryRoute", &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "orders"}, Endpoints: dialled(apiv2.AddressScheme_IPv4, "127.0.0.1")})
	w.backend.know(&backend.Topic{
		Name: "orders", Exists: true, Type: backend.TypeNormal, Queues: []backend.BrokerQueues{onBroker(queues, queues, true, true, 0)},
	})
	return func() { w.call(nil) }
}

// assignmentWalk asks which queues of a topic are a consumer's.
func assignmentWalk(tb testing.TB, queues int) func() {
	w := newWalk(tb, "QueryAssignment", &apiv2.QueryAssignmentRequest{
		Topic: resource("orders"), Group: resource("readers"), Endpoints: dialled(apiv2.AddressScheme_IPv4, "127.0.0.1"),
	})
	w.backend.know(&backend.Topic{
		Name: "orders", Exists: true, Type: backend.TypeNormal, Queues: []backend.BrokerQueues{onBroker(queues, queues, true, true, 0)},
	})
	return func() { w.call(nil) }
}

// quietWalk is any other call that the proxy answers, or a backend at once.
func quietWalk(tb testing.TB, method string, request proto.Message) func() {
	w := newWalk(tb, method, request)
	return func() { w.call(nil) }
}

// receiveWalk receives n messages of size bytes, as a broker's answer of one block brings them.
func receiveWalk(tb testing.TB, n, size int, change ...func(*apiv2.ReceiveMessageRequest)) func() {
	w := newWalk(tb, "ReceiveMessage", receiveRequest(change...))
	block := records(n, size)
	return func() {
		w.call(func() {
			op := w.backend.pop
			b := pool.Get(len(block))
			op.Body.Append(pool.ViewOf(b, 0, copy(b.Bytes(), block)))
			records := message.NewReader(&op.Body)
			for m := op.NextMessage(); records.Next(&m.Record); m = op.NextMessage() {
				m.HandleFrom = len(op.Handles)
				op.Handles = handle.Append(op.Handles, &handle.Handle{
					RetrieveTime: 1_800_000_000_000, InvisibleTime: 60_000, TopicMark: handle.MarkNormal, Broker: brokerName,
					QueueID: m.QueueID, Offset: m.QueueOffset, CommitLogOffset: m.PhysicalOffset,
				})
				m.HandleTo = len(op.Handles)
			}
			op.Messages = op.Messages[:len(op.Messages)-1]
		})
	}
}

// pullWalk pulls n messages of size bytes, as a broker's answer of one block brings them.
func pullWalk(tb testing.TB, n, size int) func() {
	w := newWalk(tb, "PullMessage", pullRequest())
	block := records(n, size)
	return func() {
		w.call(func() {
			op := w.backend.pull
			b := pool.Get(len(block))
			op.Body.Append(pool.ViewOf(b, 0, copy(b.Bytes(), block)))
			r := message.NewReader(&op.Body)
			for range n {
				if !r.Next(op.NextMessage()) {
					tb.Fatal(r.Err())
				}
			}
		})
	}
}

// records are n stored messages of size bytes.
func records(n, size int) (block []byte) {
	for i := range n {
		record := message.Record{Topic: []byte("orders"), QueueID: 3, QueueOffset: int64(i), PhysicalOffset: int64(i), Properties: encoded(
			"color=red;TAGS=tag;KEYS=k;UNIQ_KEY=01AABBCCDDEEFF00010000000100000001;RECONSUME_TIME=0;PGROUP=orders;__BORNHOST=laptop;")}
		block = message.AppendRecord(block, &record, make([]byte, size))
	}
	return block
}

var brokerName = []byte("broker-a")
