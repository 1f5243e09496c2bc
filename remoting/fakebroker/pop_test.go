package fakebroker

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// clock is a time that only the test moves.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_800_000_000_000)
	return c
}

func (c *clock) now() time.Time { return time.UnixMilli(c.ms.Load()) }

// got is a message as a pop brought it, with its handle made as the proxy does (4.3).
type got struct {
	body, topic, handle string
	times               int32
	queue               int32
	offset              int64
	properties          string
}

func sendExt(topic string, properties ...string) map[string]string {
	text := ""
	for _, pair := range properties {
		text += strings.Replace(pair, "=", "\x01", 1) + "\x02"
	}
	return map[string]string{
		"a": topic, "b": topic, "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1700000000000", "h": "0", "i": text,
	}
}

func popExt(group, topic string, more ...string) map[string]string {
	ext := map[string]string{
		"consumerGroup": group, "topic": topic, "queueId": "-1", "maxMsgNums": "32", "invisibleTime": "10000",
		"pollTime": "0", "bornTime": "0", "initMode": "1", "expType": "TAG", "exp": "*",
	}
	for _, pair := range more {
		key, value, _ := strings.Cut(pair, "=")
		ext[key] = value
	}
	return ext
}

func messagesOf(t *testing.T, r Response) (all []got) {
	t.Helper()
	var chain pool.Chain
	chain.Write(r.Body)
	defer chain.Release()
	starts := map[string]string{}
	for entry := range strings.SplitSeq(r.Ext["startOffsetInfo"], ";") {
		f := strings.Fields(entry)
		starts[f[0]+"@"+f[1]] = f[2]
	}
	reader := message.NewReader(&chain)
	for rec := (message.Record{}); reader.Next(&rec); {
		m := got{
			body: string(r.Body[rec.BodyOffset:][:rec.BodyLen]), topic: string(rec.Topic), times: rec.ReconsumeTimes,
			queue: rec.QueueID, offset: rec.QueueOffset, properties: string(rec.Properties),
		}
		m.handle = string(message.Property(rec.Properties, "POP_CK"))
		if m.handle == "" {
			m.handle = fmt.Sprintf("%s %s %s %s 0 fake-0 %d %d", starts[fmt.Sprint("0@", m.queue)],
				r.Ext["popTime"], r.Ext["invisibleTime"], r.Ext["reviveQid"], m.queue, m.offset)
		}
		all = append(all, m)
	}
	if reader.Err() != nil {
		t.Fatal(reader.Err())
	}
	return all
}

func ackExt(group, topic string, m got) map[string]string {
	if strings.Fields(m.handle)[4] == "1" {
		topic = "%RETRY%" + group + "_" + topic
	}
	return map[string]string{
		"consumerGroup": group, "topic": topic, "queueId": decimal(int64(m.queue)), "offset": decimal(m.offset),
		"extraInfo": m.handle,
	}
}

func bodies(all []got) (b []string) {
	for _, m := range all {
		b = append(b, m.body)
	}
	return b
}

func TestSendPopAck(t *testing.T) {
	fake := Start(t)
	l := newLine(t, fake.Brokers[0].Addr)
	sent := l.call(0, 310, sendExt("T", "UNIQ_KEY=0A", "TAGS=a"), "one")
	if sent.Ext["transactionId"] != "0A" || len(sent.Ext["msgId"]) != 32 || sent.Ext["queueOffset"] != "0" {
		t.Fatal(sent.Ext)
	}
	l.call(0, 310, sendExt("T", "TAGS=b"), "two")
	popped := l.call(0, 200050, popExt("G", "T"), "")
	all := messagesOf(t, popped)
	if !slices.Equal(bodies(all), []string{"one", "two"}) || popped.Ext["msgOffsetInfo"] != "0 0 0,1" {
		t.Fatal(all, popped.Ext)
	}
	for _, m := range all {
		l.call(0, 200051, ackExt("G", "T", m), "")
		l.call(0, 200051, ackExt("G", "T", m), "") // idempotent
	}
	if n := fake.Brokers[0].Invisible(); n != 0 {
		t.Fatal(n, "deliveries left")
	}
	all[0].offset = 999
	l.call(208, 200051, ackExt("G", "T", all[0]), "")
	l.call(210, 200050, popExt("G", "T"), "")
	if tagged := messagesOf(t, l.call(0, 200050, popExt("G2", "T", "exp=x||b"), "")); bodies(tagged)[0] != "two" {
		t.Fatal(tagged)
	}
}

// A message whose invisible time is over comes back from the retry topic under its own name.
func TestInvisibleTimeAndRetry(t *testing.T) {
	clock := newClock()
	fake := Start(t, WithClock(clock.now))
	b := fake.Brokers[0]
	l := newLine(t, b.Addr)
	l.call(0, 310, sendExt("T", "UNIQ_KEY=0A"), "one")
	first := messagesOf(t, l.call(0, 200050, popExt("G", "T"), ""))
	clock.ms.Add(9_999)
	fake.Tick()
	l.call(210, 200050, popExt("G", "T"), "")
	clock.ms.Add(1)
	fake.Tick()
	again := messagesOf(t, l.call(0, 200050, popExt("G", "T"), ""))
	if len(again) != 1 || again[0].times != 1 || again[0].topic != "T" || !strings.Contains(again[0].properties, "1ST_POP_TIME\x011800000000000\x02") {
		t.Fatal(again)
	}
	l.call(0, 200051, ackExt("G", "T", first[0]), "") // late: no effect
	if b.Invisible() != 1 {
		t.Fatal("a late ack ended a later delivery")
	}
	change := ackExt("G", "T", again[0])
	change["invisibleTime"] = "60000"
	changedTo := l.call(0, 200053, change, "")
	if changedTo.Ext["invisibleTime"] != "60000" || changedTo.Remark != notSet {
		t.Fatal(changedTo)
	}
	clock.ms.Add(59_999)
	fake.Tick()
	l.call(210, 200050, popExt("G", "T"), "")
	clock.ms.Add(1)
	fake.Tick()
	third := messagesOf(t, l.call(0, 200050, popExt("G", "T"), ""))
	if len(third) != 1 || third[0].times != 2 {
		t.Fatal(third)
	}
	l.call(0, 200051, ackExt("G", "T", third[0]), "")
	if b.Invisible() != 0 {
		t.Fatal("not acked")
	}
}

func TestLongPollIsWokenAndEnds(t *testing.T) {
	fake := Start(t)
	fake.SetTopic(Topic{Name: "T"})
	l := newLine(t, fake.Brokers[0].Addr)
	poll := l.start(200050, popExt("G", "T", "pollTime=5000"), nil, 10*time.Second)
	for fake.Brokers[0].Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	l.call(0, 310, sendExt("T"), "wake")
	<-poll.done
	if poll.err != nil || poll.reply.Code != 0 || bodies(messagesOf(t, poll.reply))[0] != "wake" {
		t.Fatal(poll.err, poll.reply)
	}
	began := time.Now()
	l.call(210, 200050, popExt("G", "T", "pollTime=200"), "")
	if took := time.Since(began); took < 100*time.Millisecond || took > 2*time.Second {
		t.Fatal("the poll took", took)
	}
}

func TestFIFO(t *testing.T) {
	clock := newClock()
	fake := Start(t, WithClock(clock.now))
	l := newLine(t, fake.Brokers[0].Addr)
	l.call(0, 310, sendExt("T"), "one")
	l.call(0, 310, sendExt("T"), "two")
	l.call(0, 310, sendExt("T"), "three")
	pop := func(want int32, more ...string) []got {
		t.Helper()
		r := l.call(want, 200050, popExt("G", "T", append(more, "order=true", "maxMsgNums=2")...), "")
		if want != 0 {
			return nil
		}
		return messagesOf(t, r)
	}
	pop(0, "attemptId=x")
	pop(210) // blocked
	first := pop(0, "attemptId=x")
	if !slices.Equal(bodies(first), []string{"one", "two"}) {
		t.Fatal(first)
	}
	l.call(0, 200051, ackExt("G", "T", first[0]), "")
	clock.ms.Add(10_000)
	r := l.call(0, 200050, popExt("G", "T", "order=true"), "")
	if all := messagesOf(t, r); bodies(all)[0] != "two" || len(all) != 1 || r.Ext["orderCountInfo"] != "0 qo0%1 1" {
		t.Fatal(r)
	} else {
		l.call(0, 200051, ackExt("G", "T", all[0]), "")
	}
	if all := pop(0); bodies(all)[0] != "three" {
		t.Fatal(all)
	}
}

func TestDelayAndRecall(t *testing.T) {
	clock := newClock()
	fake := Start(t, WithClock(clock.now))
	l := newLine(t, fake.Brokers[0].Addr)
	deliver := "TIMER_DELIVER_MS=" + decimal(clock.ms.Load()+5000)
	l.call(0, 310, sendExt("T", deliver), "late")
	taken := l.call(0, 310, sendExt("T", deliver), "recalled")
	l.call(0, 370, map[string]string{"topic": "T", "recallHandle": taken.Ext["recallHandle"]}, "")
	l.call(604, 370, map[string]string{"topic": "T", "recallHandle": "bad"}, "")
	l.call(210, 200050, popExt("G", "T"), "")
	clock.ms.Add(5000)
	fake.Tick()
	if all := messagesOf(t, l.call(0, 200050, popExt("G", "T"), "")); !slices.Equal(bodies(all), []string{"late"}) {
		t.Fatal(all)
	}
}

func TestTransactions(t *testing.T) {
	fake := Start(t)
	b := fake.Brokers[0]
	l := newLine(t, b.Addr)
	l.call(0, 34, nil, `{"clientID":"c","producerDataSet":[{"groupName":"T"}],"heartbeatFingerprint":0}`)
	half := sendExt("T", "TRAN_MSG=true", "PGROUP=T", "UNIQ_KEY=0A")
	half["f"] = "4"
	l.call(0, 310, half, "half")
	l.call(210, 200050, popExt("G", "T"), "")
	if b.CheckTransactions() != 1 {
		t.Fatal("nobody was asked")
	}
	check := <-l.pushed
	if check.Code != 39 || check.Ext["tranStateTableOffset"] != "1" || check.Ext["transactionId"] != "0A" || check.Flag != command.FlagOneway {
		t.Fatal(check)
	}
	end := map[string]string{
		"producerGroup": "T", "tranStateTableOffset": check.Ext["tranStateTableOffset"],
		"commitLogOffset": check.Ext["commitLogOffset"], "commitOrRollback": "8", "msgId": "0A",
	}
	l.call(0, 37, end, "")
	l.call(1, 37, end, "")
	if all := messagesOf(t, l.call(0, 200050, popExt("G", "T"), "")); bodies(all)[0] != "half" || b.Halves() != 0 {
		t.Fatal(all)
	}
}

func TestSendBackToDeadLetters(t *testing.T) {
	fake := Start(t)
	b := fake.Brokers[0]
	l := newLine(t, b.Addr)
	l.call(0, 310, sendExt("T"), "bad one")
	l.call(0, 36, map[string]string{"offset": "0", "group": "G", "delayLevel": "-1", "maxReconsumeTimes": "0"}, "")
	l.call(1, 36, map[string]string{"offset": "7", "group": "G", "delayLevel": "-1"}, "")
	if dead := b.Messages("%DLQ%G"); !slices.Equal(dead, []string{"bad one"}) {
		t.Fatal(dead)
	}
}
