package command

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestLive asks a real name server and a real broker with our own encoders. It runs when
// ROCKETMQ_NAMESRV and ROCKETMQ_BROKER say where they are (host:port); ROCKETMQ_CAPTURE=1
// makes it write what travelled to testdata.
func TestLive(t *testing.T) {
	l := dialLive(t)
	l.prepare()
	t.Run("route", l.route)
	t.Run("config", l.config)
	t.Run("send", l.send)
	t.Run("pop", l.pop)
	t.Run("order", l.order)
	t.Run("offsets", l.offsets)
	t.Run("pull", l.pull)
	t.Run("transaction", l.transaction)
	t.Run("recall", l.recall)
	t.Run("refused", l.refused)
	t.Run("heartbeat", l.heartbeat)
}

const (
	liveTopic     = "codec_golden"
	liveOrder     = "codec_golden_fifo"
	liveGroup     = "codec_golden_group"
	liveTimer     = "codec_golden_delay"
	liveHalf      = "codec_golden_transaction"
	bornTimestamp = 1_795_400_000_000
)

type livePeer struct {
	t       *testing.T
	conn    net.Conn
	opaque  int32
	capture bool
	pushed  []*Head
}

type live struct {
	t          *testing.T
	ns, broker *livePeer
	brokerName string
}

func dialLive(t *testing.T) *live {
	ns, broker := os.Getenv("ROCKETMQ_NAMESRV"), os.Getenv("ROCKETMQ_BROKER")
	if ns == "" || broker == "" {
		t.Skip("ROCKETMQ_NAMESRV and ROCKETMQ_BROKER are not set")
	}
	return &live{t: t, ns: dialPeer(t, ns), broker: dialPeer(t, broker)}
}

func dialPeer(t *testing.T, addr string) *livePeer {
	conn, err := net.DialTimeout("tcp", addr, 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &livePeer{t: t, conn: conn, capture: os.Getenv("ROCKETMQ_CAPTURE") == "1"}
}

// call sends a frame that encode makes and waits for its answer. name is that of the golden
// files, "" for none.
func (p *livePeer) call(t *testing.T, name string, encode func(opaque int32) []byte, body ...string) (*Head, []byte) {
	t.Helper()
	p.opaque++
	request := append(encode(p.opaque), strings.Join(body, "")...)
	if _, err := p.conn.Write(request); err != nil {
		t.Fatal(err)
	}
	p.save(name, "request", "written by this package, accepted by", request)
	for {
		h, frame, answer := p.read(t)
		if h.IsResponse() && h.Opaque == p.opaque {
			p.save(name, "response", "written by", frame)
			return h, answer
		}
		p.push(h, frame)
	}
}

func (p *livePeer) push(h *Head, frame []byte) {
	p.pushed = append(p.pushed, h)
	name := strings.ToLower(RequestCode(h.Code).String())
	p.save(name, "push", "written by", frame)
}

func (p *livePeer) read(t *testing.T) (*Head, []byte, []byte) {
	t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(90 * time.Second))
	var length [4]byte
	if _, err := io.ReadFull(p.conn, length[:]); err != nil {
		t.Fatal(err)
	}
	frame := append(length[:], make([]byte, binary.BigEndian.Uint32(length[:]))...)
	if _, err := io.ReadFull(p.conn, frame[4:]); err != nil {
		t.Fatal(err)
	}
	h, _, body := splitFrame(t, frame)
	return h, frame, body
}

func (p *livePeer) save(name, kind, how string, frame []byte) {
	if name == "" || !p.capture {
		return
	}
	h, head, _ := splitFrame(p.t, frame)
	what := RequestCode(h.Code).String()
	if h.IsResponse() {
		what = ResponseCode(h.Code).String()
	}
	certificate := fmt.Sprintf("%s %s, code %d %s, head %s\n%s a Java 5.5.0 name server or broker on loopback;\n"+
		"captured by TestLive with ROCKETMQ_CAPTURE=1", name, kind, h.Code, what, h.Kind, how)
	if h.Kind == JSON {
		certificate += "\n" + strings.ToValidUTF8(string(head), "?")
	}
	writeGolden(p.t, name+"_"+kind, certificate, frame)
}

func want(t *testing.T, h *Head, code ResponseCode) {
	t.Helper()
	if ResponseCode(h.Code) != code {
		t.Fatalf("code %v %q, want %v", ResponseCode(h.Code), h.Remark, code)
	}
}

// prepare makes the topics.
func (l *live) prepare() {
	for topic, kind := range map[string]string{
		liveTopic: "NORMAL", liveOrder: "FIFO", liveTimer: "DELAY", liveHalf: "TRANSACTION",
	} {
		r := UpdateTopic{Topic: topic, ReadQueues: 2, WriteQueues: 2, Perm: PermRead | PermWrite, Attributes: "+message.type=" + kind}
		name := ""
		if topic == liveTopic {
			name = "update_topic"
		}
		h, _ := l.broker.call(l.t, name, func(o int32) []byte { return AppendUpdateTopic(nil, o, &r, 0) })
		want(l.t, h, ResponseSuccess)
	}
}

func (l *live) route(t *testing.T) {
	var body []byte
	for range 50 { // the broker registers a new topic within a moment
		h, b := l.ns.call(t, "route", func(o int32) []byte { return AppendGetRoute(nil, o, &GetRoute{Topic: liveTopic}, 0) })
		if body = b; ResponseCode(h.Code) == ResponseSuccess {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	route, err := ParseTopicRoute(body)
	if err != nil || len(route.Brokers) == 0 || route.Brokers[0].Master() == "" || !route.Queues[0].Perm.Writable() {
		t.Fatalf("%+v %v", route, err)
	}
	l.brokerName = route.Brokers[0].BrokerName
	h, _ := l.ns.call(t, "route_absent", func(o int32) []byte { return AppendGetRoute(nil, o, &GetRoute{Topic: "codec_absent"}, 0) })
	want(t, h, ResponseTopicNotExist)
	h, _ = l.ns.call(t, "cluster_info", func(o int32) []byte {
		return AppendRequest(nil, RocketMQ, RequestGetClusterInfo, o, 0, nil, 0)
	})
	want(t, h, ResponseSuccess)
}

func (l *live) config(t *testing.T) {
	h, body := l.broker.call(t, "topic_config", func(o int32) []byte {
		return AppendGetTopicConfig(nil, o, &GetTopicConfig{Topic: liveOrder}, 0)
	})
	want(t, h, ResponseSuccess)
	if c, err := ParseTopicConfig(body); err != nil || c.MessageType() != "FIFO" || c.WriteQueues != 2 {
		t.Errorf("%+v %v", c, err)
	}
	h, body = l.broker.call(t, "group_config", func(o int32) []byte {
		return AppendGetGroupConfig(nil, o, &GetGroupConfig{Group: liveGroup}, 0)
	})
	want(t, h, ResponseSuccess)
	if c, err := ParseGroupConfig(body); err != nil || c.GroupName != liveGroup || c.RetryMaxTimes != 16 {
		t.Errorf("%+v %v", c, err)
	}
}

func liveSend(topic string, queue int32, properties string) *SendMessage {
	return &SendMessage{
		ProducerGroup: []byte(topic), Topic: []byte(topic), BornTimestamp: bornTimestamp,
		QueueID: queue, Properties: []byte(properties),
	}
}

func (l *live) sendOne(t *testing.T, name string, r *SendMessage, body string) SendResponse {
	t.Helper()
	h, _ := l.broker.call(t, name, func(o int32) []byte { return AppendSendMessageV2(nil, o, r, len(body)) }, body)
	want(t, h, ResponseSuccess)
	s, err := ParseSendResponse(h)
	if err != nil || len(s.MsgID) == 0 {
		t.Fatal(s, err)
	}
	return s
}

func (l *live) send(t *testing.T) {
	for queue := range int32(2) {
		s := l.sendOne(t, "send", liveSend(liveTopic, queue, "UNIQ_KEY\x0101AABBCCDDEEFF00010000000100000001\x02TAGS\x01tag\x02empty\x01\x02user\x01w\u00e4rme \"q\" \\\x02"), "hello")
		if s.QueueID != queue || string(s.TransactionID) != "01AABBCCDDEEFF00010000000100000001" {
			t.Errorf("%+v", s)
		}
	}
	batch := "\x00\x00\x00\x1c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02b1\x00\x04k\x011\x02"
	batch += strings.Replace(batch, "b1", "b2", 1)
	r := liveSend(liveTopic, 0, "k\x011\x02")
	h, _ := l.broker.call(t, "send_batch", func(o int32) []byte { return AppendSendBatch(nil, o, r, len(batch)) }, batch)
	want(t, h, ResponseSuccess)
	if s, err := ParseSendResponse(h); err != nil || !strings.Contains(string(s.MsgID), ",") {
		t.Errorf("%+v %v", s, err)
	}
	h, _ = l.broker.call(t, "send_refused", func(o int32) []byte {
		return AppendSendMessageV2(nil, o, liveSend("bad topic!", 0, ""), 1)
	}, "x")
	want(t, h, ResponseInvalidParameter)
}

func livePop(topic string, order bool) *PopMessage {
	return &PopMessage{
		ConsumerGroup: []byte(liveGroup), Topic: []byte(topic), QueueID: -1, MaxMsgNums: PopMessagesMax,
		InvisibleTime: 10_000, PollTime: 2000, InitMode: PopInitMin, Order: order,
		ExpressionType: []byte("TAG"), Expression: []byte("*"),
	}
}

// popOne pops until something comes and returns the first message's handle and queue.
func (l *live) popOne(t *testing.T, name string, r *PopMessage) (res PopResponse, q PopQueue) {
	t.Helper()
	h, body := l.broker.call(t, name, func(o int32) []byte { return AppendPop(nil, o, r, 0) })
	want(t, h, ResponseSuccess)
	res, err := ParsePopResponse(h)
	if err != nil || len(body) == 0 {
		t.Fatal(err)
	}
	var info PopInfo
	if err := info.Parse(&res); err != nil || len(info.Queues) == 0 {
		t.Fatalf("%+v %v", res, err)
	}
	return res, info.Queues[0]
}

func (l *live) handle(res PopResponse, q PopQueue) []byte {
	return fmt.Appendf(nil, "%d %d %d %d %c %s %d %d %d", q.StartOffset, res.PopTime, res.InvisibleTime,
		res.ReviveQueueID, q.Mark, l.brokerName, q.QueueID, q.Offsets[0], 0)
}

func (l *live) pop(t *testing.T) {
	res, q := l.popOne(t, "pop", livePop(liveTopic, false))
	change := ChangeInvisible{
		ConsumerGroup: []byte(liveGroup), Topic: []byte(liveTopic), QueueID: q.QueueID,
		ExtraInfo: l.handle(res, q), Offset: q.Offsets[0], InvisibleTime: 20_000, Suspend: true,
	}
	h, _ := l.broker.call(t, "change_invisible", func(o int32) []byte { return AppendChangeInvisible(nil, o, &change, 0) })
	want(t, h, ResponseSuccess)
	if c, err := ParseChangeInvisibleResponse(h); err != nil || c.InvisibleTime != 20_000 || c.PopTime == 0 {
		t.Errorf("%+v %v", c, err)
	}
	ack := AckMessage{
		ConsumerGroup: []byte(liveGroup), Topic: []byte(liveTopic), QueueID: q.QueueID,
		ExtraInfo: l.handle(res, q), Offset: q.Offsets[0],
	}
	h, _ = l.broker.call(t, "ack", func(o int32) []byte { return AppendAck(nil, o, &ack, 0) })
	want(t, h, ResponseSuccess)
	ack.Offset = 1 << 40
	h, _ = l.broker.call(t, "ack_illegal", func(o int32) []byte { return AppendAck(nil, o, &ack, 0) })
	want(t, h, ResponseNoMessage)
	r := livePop(liveTopic, false)
	r.PollTime, r.ConsumerGroup = 100, []byte(liveGroup)
	h, _ = l.broker.call(t, "pop_nothing", func(o int32) []byte { return AppendPop(nil, o, r, 0) })
	if _, err := ParsePopResponse(h); err != nil {
		t.Error(err)
	}
}

func (l *live) order(t *testing.T) {
	for i := range int32(3) {
		l.sendOne(t, "", liveSend(liveOrder, i%2, "__SHARDINGKEY\x01g\x02"), "fifo")
	}
	r := livePop(liveOrder, true)
	r.InvisibleTime, r.AttemptID = 1000, []byte("attempt-1")
	l.popOne(t, "pop_fifo", r)
	time.Sleep(1500 * time.Millisecond)
	r.AttemptID = []byte("attempt-2")
	res, q := l.popOne(t, "pop_fifo_again", r)
	if len(res.OrderCountInfo) == 0 || res.ReviveQueueID != 999 {
		t.Errorf("%+v", res)
	}
	ack := AckMessage{
		ConsumerGroup: []byte(liveGroup), Topic: []byte(liveOrder), QueueID: q.QueueID,
		ExtraInfo: l.handle(res, q), Offset: q.Offsets[0],
	}
	h, _ := l.broker.call(t, "", func(o int32) []byte { return AppendAck(nil, o, &ack, 0) })
	want(t, h, ResponseSuccess)
}

func (l *live) offsets(t *testing.T) {
	q := QueueOffset{Topic: liveTopic}
	h, _ := l.broker.call(t, "max_offset", func(o int32) []byte { return AppendGetMaxOffset(nil, o, &q, 0) })
	want(t, h, ResponseSuccess)
	if n, err := ParseOffsetResponse(h); err != nil || n == 0 {
		t.Error(n, err)
	}
	h, _ = l.broker.call(t, "min_offset", func(o int32) []byte { return AppendGetMinOffset(nil, o, &q, 0) })
	want(t, h, ResponseSuccess)
	back := SendBack{Group: liveGroup, Offset: 1, DelayLevel: DelayLevelDeadLetter, OriginMsgID: "id", OriginTopic: liveTopic}
	h, _ = l.broker.call(t, "send_back", func(o int32) []byte { return AppendSendBack(nil, o, &back, 0) })
	want(t, h, ResponseSystemError) // no message begins at commit-log offset 1
}

// pull reads a topic of its own, so that offsets count from 0 on whatever was there before.
func (l *live) pull(t *testing.T) {
	topic := fmt.Sprintf("codec_golden_pull_%d", time.Now().UnixMilli())
	create := UpdateTopic{Topic: topic, ReadQueues: 1, WriteQueues: 1, Perm: PermRead | PermWrite, Attributes: "+message.type=NORMAL"}
	h, _ := l.broker.call(t, "", func(o int32) []byte { return AppendUpdateTopic(nil, o, &create, 0) })
	want(t, h, ResponseSuccess)
	offset := ConsumerOffset{ConsumerGroup: topic, Topic: topic}
	query := func(name string) *Head {
		h, _ := l.broker.call(t, name, func(o int32) []byte { return AppendQueryConsumerOffset(nil, o, &offset, 0) })
		return h
	}
	want(t, query("query_consumer_offset_absent"), ResponseQueryNotFound)
	update := func(o int32) []byte { return AppendUpdateConsumerOffset(nil, o, &offset, 1, 0) }
	h, _ = l.broker.call(t, "update_consumer_offset_absent", update)
	want(t, h, ResponseGroupNotExist)

	l.sendOne(t, "", liveSend(topic, 0, "TAGS\x01a\x02"), "one")
	l.sendOne(t, "", liveSend(topic, 0, "TAGS\x01b\x02n\x015\x02"), "two")
	time.Sleep(time.Second) // until they are in the consume queue
	for _, pulled := range []struct {
		name   string
		change func(*PullMessage)
		code   ResponseCode
		next   int64
		bytes  bool
	}{
		{"pull", func(*PullMessage) {}, ResponseSuccess, 2, true},
		{"pull_tag", func(r *PullMessage) { r.Expression = []byte("b || c") }, ResponseSuccess, 2, true},
		{"pull_sql", func(r *PullMessage) { r.ExpressionType, r.Expression = []byte("SQL92"), []byte("n > 3") }, ResponseSuccess, 2, true},
		{"pull_no_match", func(r *PullMessage) { r.Expression = []byte("c") }, ResponsePullRetryImmediately, 2, false},
		{"pull_end", func(r *PullMessage) { r.QueueOffset = 2 }, ResponsePullNotFound, 2, false},
		{"pull_wait", func(r *PullMessage) { r.QueueOffset, r.SuspendTimeout = 2, 100 }, ResponsePullNotFound, 2, false},
		{"pull_beyond", func(r *PullMessage) { r.QueueOffset = 3 }, ResponsePullOffsetMoved, 2, false},
		{"pull_below", func(r *PullMessage) { r.QueueOffset = -1 }, ResponsePullOffsetMoved, 0, false},
	} {
		r := PullMessage{ConsumerGroup: []byte(topic), Topic: []byte(topic), MaxMsgNums: 32, ExpressionType: []byte("TAG"), Expression: []byte("*")}
		pulled.change(&r)
		h, body := l.broker.call(t, pulled.name, func(o int32) []byte { return AppendPull(nil, o, &r, 0) })
		p, err := ParsePullResponse(h)
		if ResponseCode(h.Code) != pulled.code || err != nil || p != (PullResponse{pulled.next, 0, 2}) || len(body) > 0 != pulled.bytes {
			t.Errorf("%s: %v, %+v %v, %d bytes", pulled.name, ResponseCode(h.Code), p, err, len(body))
		}
	}
	bad := PullMessage{ConsumerGroup: []byte(topic), Topic: []byte(topic), QueueID: 9, MaxMsgNums: 32}
	h, _ = l.broker.call(t, "pull_bad_queue", func(o int32) []byte { return AppendPull(nil, o, &bad, 0) })
	want(t, h, ResponseInvalidParameter)

	h, _ = l.broker.call(t, "update_consumer_offset", update)
	want(t, h, ResponseSuccess)
	h = query("query_consumer_offset")
	want(t, h, ResponseSuccess)
	if n, err := ParseOffsetResponse(h); err != nil || n != 1 {
		t.Error(n, err)
	}
	q := QueueOffset{Topic: topic}
	for at, offset := range map[int64]int64{0: 0, bornTimestamp: 0, time.Now().Add(time.Hour).UnixMilli(): 2} {
		name := ""
		if at == bornTimestamp { // long ago
			name = "search_offset"
		}
		h, _ = l.broker.call(t, name, func(o int32) []byte { return AppendSearchOffset(nil, o, &q, at, 0) })
		want(t, h, ResponseSuccess)
		if n, err := ParseOffsetResponse(h); err != nil || n != offset {
			t.Errorf("the offset at %d is %d %v, want %d", at, n, err, offset)
		}
	}
	for expression, code := range map[string]ResponseCode{"n > 3": ResponseSuccess, "n >": ResponseSubscriptionParseFailed} {
		name := "check_client_config"
		if code != ResponseSuccess {
			name += "_bad"
		}
		body := string(AppendClientConfigBody(nil, &ClientConfig{
			ClientID: "codec@golden", Group: topic, Subscription: Subscription{Topic: topic, ExpressionType: "SQL92", Expression: expression},
		}))
		h, _ = l.broker.call(t, name, func(o int32) []byte { return AppendCheckClientConfig(nil, o, len(body)) }, body)
		want(t, h, code)
	}
}

func (l *live) transaction(t *testing.T) {
	q := QueueOffset{Topic: liveHalf}
	h, _ := l.broker.call(t, "", func(o int32) []byte { return AppendGetMaxOffset(nil, o, &q, 0) })
	before, err := ParseOffsetResponse(h)
	if err != nil {
		t.Fatal(err)
	}
	r := liveSend(liveHalf, 0, "TRAN_MSG\x01true\x02PGROUP\x01"+liveHalf+"\x02UNIQ_KEY\x0101AABBCCDDEEFF00010000000100000002\x02")
	r.SysFlag = 4
	s := l.sendOne(t, "send_half", r, "half")
	offset, err := strconv.ParseInt(string(s.MsgID[len(s.MsgID)-16:]), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	end := EndTransaction{
		Topic: []byte(liveHalf), ProducerGroup: []byte(liveHalf), MsgID: s.TransactionID, TransactionID: s.TransactionID,
		TranStateTableOffset: s.QueueOffset, CommitLogOffset: offset, State: TransactionCommit,
	}
	frame := AppendEndTransaction(nil, 77, &end, 0)
	if _, err := l.broker.conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	l.broker.save("end_transaction", "request", "written by this package, read by", frame)
	for range 50 { // oneway: the message appears in its own topic when it worked
		h, _ := l.broker.call(t, "", func(o int32) []byte { return AppendGetMaxOffset(nil, o, &q, 0) })
		if n, err := ParseOffsetResponse(h); err == nil && n > before {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the commit did nothing")
}

func (l *live) recall(t *testing.T) {
	due := time.Now().Add(time.Hour).UnixMilli()
	s := l.sendOne(t, "send_timer", liveSend(liveTimer, 0, fmt.Sprintf("TIMER_DELIVER_MS\x01%d\x02", due)), "later")
	if len(s.RecallHandle) == 0 {
		t.Error("no recall handle")
	}
	r := RecallMessage{Topic: liveTimer, RecallHandle: string(s.RecallHandle)}
	h, _ := l.broker.call(t, "recall", func(o int32) []byte { return AppendRecall(nil, o, &r, 0) })
	t.Log(ResponseCode(h.Code), string(h.Remark))
}

// refused asks for a pop in the encoding that cannot hold its code.
func (l *live) refused(t *testing.T) {
	h, _ := l.broker.call(t, "binary_pop", func(o int32) []byte {
		return AppendRequest(nil, RocketMQ, RequestPopMessage, o, 0, []Field{{[]byte("topic"), []byte(liveTopic)}}, 0)
	})
	want(t, h, ResponseRequestCodeNotSupported)
}

func (l *live) heartbeat(t *testing.T) {
	beat := Heartbeat{
		ClientID:  "codec@golden",
		Producers: []HeartbeatProducer{{Group: liveHalf}},
		Consumers: []HeartbeatConsumer{{
			Group: liveGroup, ConsumeType: "CONSUME_POP", MessageModel: "CLUSTERING", ConsumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
			Subscriptions: []Subscription{{Topic: liveTopic, Expression: "a", ExpressionType: "TAG", Tags: []string{"a"}, TagHashes: []int32{97}, Version: 1}},
		}},
	}
	body := string(AppendHeartbeatBody(nil, &beat))
	h, _ := l.broker.call(t, "heartbeat", func(o int32) []byte { return AppendHeartbeat(nil, o, len(body)) }, body)
	want(t, h, ResponseSuccess)
	if len(l.broker.pushed) == 0 {
		t.Fatal("no notification before the answer")
	}
	if n, err := ParseNotifyConsumerIDs(l.broker.pushed[0]); err != nil || string(n.ConsumerGroup) != liveGroup {
		t.Errorf("%s %v", n.ConsumerGroup, err)
	}
	gone := Unregister{ClientID: beat.ClientID, ConsumerGroup: liveGroup, ProducerGroup: liveHalf}
	h, _ = l.broker.call(t, "unregister", func(o int32) []byte { return AppendUnregister(nil, o, &gone, 0) })
	want(t, h, ResponseSuccess)
}
