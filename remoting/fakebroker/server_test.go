package fakebroker

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting"
)

func TestRoutesAndSettings(t *testing.T) {
	fake := Start(t, WithBrokers(2), WithoutAutoCreate())
	fake.SetTopic(Topic{Name: "T", Queues: 3, Type: "FIFO", Brokers: []string{"fake-1"}})
	names := newLine(t, fake.NameServer.Addr)
	route := func(topic string) *command.TopicRoute {
		t.Helper()
		route, err := command.ParseTopicRoute(names.call(0, 105, map[string]string{"topic": topic}, "").Body)
		if err != nil {
			t.Fatal(err)
		}
		return route
	}
	if r := route("T"); len(r.Queues) != 1 || r.Queues[0].Write != 3 || r.Brokers[0].Master() != fake.Brokers[1].Addr {
		t.Fatal(r)
	}
	if r := route(fake.Name); len(r.Queues) != 2 {
		t.Fatal(r)
	}
	if r := route("fake-0"); len(r.Queues) != 1 || r.Queues[0].BrokerName != "fake-0" {
		t.Fatal(r)
	}
	if r := names.call(17, 105, map[string]string{"topic": "nope"}, ""); !strings.Contains(r.Remark, "No topic route info") {
		t.Fatal(r)
	}
	broker := newLine(t, fake.Brokers[1].Addr)
	config, err := command.ParseTopicConfig(broker.call(0, 351, map[string]string{"topic": "T"}, "").Body)
	if err != nil || config.MessageType() != "FIFO" {
		t.Fatal(config, err)
	}
	broker.call(26, 352, map[string]string{"group": "G"}, "")
	fake.SetGroup("G", func(g *command.GroupConfig) { g.ConsumeOrderly = true })
	group, err := command.ParseGroupConfig(broker.call(0, 352, map[string]string{"group": "G"}, "").Body)
	if err != nil || !group.ConsumeOrderly || group.RetryMaxTimes != 16 {
		t.Fatal(group, err)
	}
	broker.call(17, 310, sendExt("nope"), "x")
	broker.call(3, 12345, nil, "")
}

func TestHeartbeatIsFollowedByPush(t *testing.T) {
	fake := Start(t)
	l := newLine(t, fake.Brokers[0].Addr)
	beat := `{"clientID":"c1","consumerDataSet":[{"groupName":"G","consumeType":"CONSUME_POP"}],"heartbeatFingerprint":0}`
	l.call(0, 34, nil, beat)
	if r := <-l.pushed; r.Code != 40 || r.Ext["consumerGroup"] != "G" {
		t.Fatal(r)
	}
	if r := l.call(0, 38, map[string]string{"consumerGroup": "G"}, ""); string(r.Body) != `{"consumerIdList":["c1"]}` {
		t.Fatal(string(r.Body))
	}
	if fake.Brokers[0].Push(40, map[string]string{"consumerGroup": "H"}, nil) != 1 {
		t.Fatal("nobody to push to")
	}
	if r := <-l.pushed; r.Ext["consumerGroup"] != "H" {
		t.Fatal(r)
	}
}

func kindOf(err error) remoting.CallErrorKind {
	var failed *remoting.CallError
	errors.As(err, &failed)
	if failed == nil {
		return 0
	}
	return failed.Kind
}

// Everything a test can make a broker do wrong, seen through a lane.
func TestMisbehaviour(t *testing.T) {
	fake := Start(t)
	b := fake.Brokers[0]
	l := newLine(t, b.Addr)
	l.call(0, 310, sendExt("T"), "fine")

	stranger := int32(4711)
	for _, c := range []struct {
		name     string
		response Response
		want     remoting.CallErrorKind
	}{
		{"silent", Response{Silent: true}, remoting.Timeout},
		{"late", Response{Delay: 300 * time.Millisecond}, remoting.Timeout},
		{"to nobody", Response{Opaque: &stranger}, remoting.Timeout},
		{"twice", Response{Twice: true}, 0},
		{"hangup", Response{Silent: true, Hangup: true}, remoting.ConnectionLost},
		{"garbage", Response{Raw: []byte{0xff, 0xff, 0xff, 0xff, 9, 9, 9, 9}}, remoting.ConnectionLost},
	} {
		b.Fail(310, 1, c.response)
		call := l.start(310, sendExt("T"), []byte("x"), 200*time.Millisecond)
		<-call.done
		if got := kindOf(call.err); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, call.err, c.want)
		}
		l.call(0, 310, sendExt("T"), "fine again")
	}
	if b.Accepted() != 3 || b.Requests(310) != 13 {
		t.Fatal(b.Accepted(), "connections", b.Requests(310), "requests")
	}
}

// F1: a broker that is killed and comes back is noticed within a second.
func TestStopAndRestart(t *testing.T) {
	fake := Start(t)
	b := fake.Brokers[0]
	l := newLine(t, b.Addr)
	l.call(0, 310, sendExt("T"), "before")
	b.Stop()
	failures := 0
	down := time.Now()
	for time.Since(down) < 300*time.Millisecond {
		call := l.start(310, sendExt("T"), []byte("x"), 3*time.Second)
		<-call.done
		if call.err == nil {
			t.Fatal("a stopped broker answered")
		}
		failures++
		time.Sleep(5 * time.Millisecond)
	}
	b.Restart()
	up := time.Now()
	for {
		call := l.start(310, sendExt("T"), []byte("after"), 3*time.Second)
		<-call.done
		if call.err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if took := time.Since(up); took > 1500*time.Millisecond {
		t.Fatal("the restart was noticed after", took)
	}
	if got := b.Messages("T"); len(got) != 2 || failures < 10 {
		t.Fatal(got, failures)
	}
}

// F3: a frozen broker costs its own calls their deadline and nothing else.
func TestFreeze(t *testing.T) {
	fake := Start(t)
	b := fake.Brokers[0]
	l := newLine(t, b.Addr)
	l.call(0, 310, sendExt("T"), "before")
	b.Freeze()
	call := l.start(310, sendExt("T"), []byte("frozen"), 100*time.Millisecond)
	<-call.done
	if kindOf(call.err) != remoting.Timeout {
		t.Fatal(call.err)
	}
	b.Thaw()
	l.call(0, 310, sendExt("T"), "after")
	if b.Accepted() != 1 {
		t.Fatal("the connection was given up")
	}
}

func TestBatch(t *testing.T) {
	fake := Start(t)
	l := newLine(t, fake.Brokers[0].Addr)
	body := "\x00\x00\x00\x17\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01x\x00\x00"
	ext := sendExt("T")
	ext["m"] = "true"
	sent := l.call(0, 320, ext, body+body)
	if strings.Count(sent.Ext["msgId"], ",") != 1 || len(fake.Brokers[0].Messages("T")) != 2 {
		t.Fatal(sent.Ext)
	}
	l.call(13, 320, ext, body+"short")
}
