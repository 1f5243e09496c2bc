package fakebroker

import (
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// pulled are the bodies that a pull brought.
func pulled(t *testing.T, r Response) (all []string) {
	t.Helper()
	var chain pool.Chain
	chain.Write(r.Body)
	defer chain.Release()
	reader := message.NewReader(&chain)
	for rec := (message.Record{}); reader.Next(&rec); {
		all = append(all, string(r.Body[rec.BodyOffset:][:rec.BodyLen]))
	}
	if reader.Err() != nil {
		t.Fatal(reader.Err())
	}
	return all
}

func TestPull(t *testing.T) {
	fake := Start(t)
	fake.SetTopic(Topic{Name: "T", Queues: 1})
	l := newLine(t, fake.Brokers[0].Addr)
	for _, m := range []string{"a", "b", "a", "c"} {
		l.call(0, 310, sendExt("T", "TAGS="+m), m)
	}
	for _, test := range []struct {
		code   int32
		next   string
		bodies []string
		more   []string
	}{
		{0, "4", []string{"a", "b", "a", "c"}, nil},
		{0, "2", []string{"a", "b"}, []string{"maxMsgNums=2"}},
		{0, "2", []string{"b"}, []string{"queueOffset=1", "maxMsgNums=-1"}},
		{0, "4", []string{"b", "c"}, []string{"subscription=b || c"}},
		{20, "4", nil, []string{"subscription=d", "sysFlag=6", "suspendTimeoutMillis=9"}},
		{19, "4", nil, []string{"queueOffset=4"}},
		{21, "4", nil, []string{"queueOffset=5", "sysFlag=6", "suspendTimeoutMillis=9"}},
		{21, "0", nil, []string{"queueOffset=-1"}},
	} {
		r := l.call(test.code, 11, pullExt("G", "T", test.more...), "")
		if got := pulled(t, r); r.Ext["nextBeginOffset"] != test.next || !slices.Equal(got, test.bodies) {
			t.Errorf("%v: %v, next %s; want %v, %s", test.more, got, r.Ext["nextBeginOffset"], test.bodies, test.next)
		}
	}
	l.call(29, 11, pullExt("G", "T", "queueId=1"), "")
	l.call(17, 11, pullExt("G", "nowhere"), "")
}

// TestPullWaits for a message that it wants, and longer than it was asked when none comes.
func TestPullWaits(t *testing.T) {
	at := newClock()
	fake := Start(t, WithClock(at.now))
	fake.SetTopic(Topic{Name: "T", Queues: 1})
	l := newLine(t, fake.Brokers[0].Addr)
	wait := func(more ...string) *lineCall {
		return l.start(11, pullExt("G", "T", append(more, "sysFlag=6", "suspendTimeoutMillis=100")...), nil, time.Minute)
	}
	fake.Tick()
	woken := wait("subscription=b")
	for fake.Brokers[0].Pulling() == 0 {
		time.Sleep(time.Millisecond)
	}
	l.call(0, 310, sendExt("T", "TAGS=a"), "a")
	l.call(0, 310, sendExt("T", "TAGS=b"), "b")
	if <-woken.done; woken.reply.Code != 0 || !slices.Equal(pulled(t, woken.reply), []string{"b"}) {
		t.Errorf("%+v", woken.reply)
	}
	late := wait("queueOffset=2")
	for fake.Brokers[0].Pulling() == 0 {
		time.Sleep(time.Millisecond)
	}
	at.ms.Add(4999)
	fake.Tick()
	if fake.Brokers[0].Pulling() != 1 {
		t.Error("it was answered in time")
	}
	at.ms.Add(1)
	fake.Tick()
	if <-late.done; late.reply.Code != 19 {
		t.Errorf("%+v", late.reply)
	}
}

// TestConsumerOffsets are those of pops.
func TestConsumerOffsets(t *testing.T) {
	at := newClock()
	fake := Start(t, WithClock(at.now))
	fake.SetTopic(Topic{Name: "T", Queues: 1})
	l := newLine(t, fake.Brokers[0].Addr)
	place := map[string]string{"consumerGroup": "G", "topic": "T", "queueId": "0", "commitOffset": "1", "timestamp": decimal(at.ms.Load())}
	l.call(22, 14, place, "")
	l.call(26, 15, place, "")
	l.call(0, 310, sendExt("T"), "one")
	at.ms.Add(1)
	l.call(0, 310, sendExt("T"), "two")
	if r := l.call(0, 29, place, ""); r.Ext["offset"] != "0" {
		t.Error(r.Ext)
	}
	place["timestamp"] = decimal(at.ms.Load())
	if r := l.call(0, 29, place, ""); r.Ext["offset"] != "1" {
		t.Error(r.Ext)
	}
	place["timestamp"] = decimal(at.ms.Load() + 1)
	if r := l.call(0, 29, place, ""); r.Ext["offset"] != "2" {
		t.Error(r.Ext)
	}
	fake.SetGroup("G", nil)
	l.call(0, 15, place, "")
	if all := messagesOf(t, l.call(0, 200050, popExt("G", "T"), "")); !slices.Equal(bodies(all), []string{"two"}) {
		t.Error(all)
	}
	if r := l.call(0, 14, place, ""); r.Ext["offset"] != "2" {
		t.Error(r.Ext)
	}
	l.call(0, 46, nil, clientConfig("n > 3"))
	l.call(23, 46, nil, clientConfig("n >"))
	l.call(1, 46, nil, "[")
}
