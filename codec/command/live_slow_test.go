package command

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The tests of this file wait for what a broker does once in a while; they run when
// ROCKETMQ_SLOW=1 is set beside what TestLive needs.
func dialSlow(t *testing.T) *live {
	if os.Getenv("ROCKETMQ_SLOW") != "1" {
		t.Skip("ROCKETMQ_SLOW=1 is not set")
	}
	return dialLive(t)
}

// TestLiveTransactionCheck leaves a transaction open until the broker asks for it.
func TestLiveTransactionCheck(t *testing.T) {
	l := dialSlow(t)
	beat := Heartbeat{ClientID: "codec@golden", Producers: []HeartbeatProducer{{Group: liveHalf}}}
	body := string(AppendHeartbeatBody(nil, &beat))
	h, _ := l.broker.call(t, "", func(o int32) []byte { return AppendHeartbeat(nil, o, len(body)) }, body)
	want(t, h, ResponseSuccess)
	r := liveSend(liveHalf, 0, "TRAN_MSG\x01true\x02PGROUP\x01"+liveHalf+"\x02UNIQ_KEY\x0101AABBCCDDEEFF00010000000100000003\x02CHECK_IMMUNITY_TIME_IN_SECONDS\x011\x02")
	r.SysFlag = 4
	l.sendOne(t, "", r, "half")
	h, frame, _ := l.broker.read(t)
	l.broker.push(h, frame)
	check, err := ParseCheckTransaction(h)
	if err != nil || RequestCode(h.Code) != RequestCheckTransaction || !h.IsOneway() || len(check.MsgID) == 0 {
		t.Fatal(describe(h, err))
	}
	t.Log(describe(h, nil))
	end := EndTransaction{
		Topic: []byte(liveHalf), ProducerGroup: []byte(liveHalf), MsgID: check.MsgID, TransactionID: check.TransactionID,
		TranStateTableOffset: check.TranStateTableOffset, CommitLogOffset: check.CommitLogOffset,
		State: TransactionRollback, FromCheck: true,
	}
	if _, err := l.broker.conn.Write(AppendEndTransaction(nil, 78, &end, 0)); err != nil {
		t.Fatal(err)
	}
}

// TestLiveLongRetryTopic lets a broker store a record in version 2: a message that is not
// acknowledged is copied to a retry topic whose name is longer than 127 bytes, and pulled from
// there as it is stored.
func TestLiveLongRetryTopic(t *testing.T) {
	l := dialSlow(t)
	group := strings.Repeat("g", 115)
	l.sendOne(t, "", liveSend(liveTopic, 0, "k\x01v\x02"), "retried")
	r := livePop(liveTopic, false)
	r.ConsumerGroup, r.InvisibleTime = []byte(group), 1000
	l.popOne(t, "", r)
	pull := []Field{
		{[]byte("consumerGroup"), []byte(group)},
		{[]byte("topic"), []byte("%RETRY%" + group + "_" + liveTopic)},
		{[]byte("queueId"), []byte("0")},
		{[]byte("queueOffset"), []byte("0")},
		{[]byte("maxMsgNums"), []byte("1")},
		{[]byte("sysFlag"), []byte("4")}, // the subscription is in the request
		{[]byte("commitOffset"), []byte("0")},
		{[]byte("suspendTimeoutMillis"), []byte("0")},
		{[]byte("subscription"), []byte("*")},
		{[]byte("subVersion"), []byte("0")},
		{[]byte("expressionType"), []byte("TAG")},
	}
	ask := func(name string) ResponseCode {
		h, _ := l.broker.call(t, name, func(o int32) []byte { return AppendRequest(nil, JSON, RequestPullMessage, o, 0, pull, 0) })
		t.Log(describe(h, nil))
		return ResponseCode(h.Code)
	}
	for range 60 {
		if ask("") == ResponseSuccess {
			ask("pull_long_topic")
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatal("no retry within a minute")
}
