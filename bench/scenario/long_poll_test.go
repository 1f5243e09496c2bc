package scenario

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/bench/hostclock"
	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/stub"
	"rocketmq-proxy/codec/command"
)

// Polls wait, messages arrive, and what is recorded is the time between the two.
func TestLongPollAgainstTheStub(t *testing.T) {
	s, err := stub.Start(stub.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := Default()
	p.Remoting, p.Topic = true, stub.PollTopic
	begin := func(name string, conns int, rate float64) *load.Run {
		r, err := load.Start(context.Background(), load.Config{Addr: s.Brokers[0], Remoting: true, Conns: conns, Streams: 2, Rate: rate,
			New: func(conn int) load.Scenario { return Named(name, p, conn, 2) }})
		if err != nil {
			t.Fatal(err)
		}
		r.Record(true)
		return r
	}
	begun := time.Now()
	waits := begin(LongPoll, 4, 0)
	sends := begin("send", 1, 200)
	time.Sleep(200 * time.Millisecond)
	for _, r := range []*load.Run{waits, sends} {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	}
	total, h := waits.Totals(), waits.Latencies()["wake"]
	if n := uint64(h.TotalCount()); n < 10 || n != total.Messages || n != s.Counters().Popped || n > sends.Totals().Messages {
		t.Errorf("%d latencies, %+v, of %+v, the stub %+v", n, total, sends.Totals(), s.Counters())
	}
	if took := time.Since(begun); h.Max() <= 0 || h.Max() > int64(took) {
		t.Errorf("the longest took %v of %v", time.Duration(h.Max()), took)
	}
}

// received are the messages of an answer to ReceiveMessage.
func received(status uint64, bodies ...[]byte) (all []load.Message) {
	all = append(all, load.Message{Body: appendBytes(nil, 1, appendVarint(nil, 1, status))})
	for _, b := range bodies {
		all = append(all, load.Message{Body: appendBytes(nil, 2, appendBytes(nil, 4, b))})
	}
	return all
}

func TestLongPollAnswersAreChecked(t *testing.T) {
	at := hostclock.Now()
	body := binary.BigEndian.AppendUint64(nil, uint64(at))
	for name, c := range map[string]struct {
		answer  []load.Message
		moved   int
		arrived int64
		err     string
	}{
		"a message":          {received(codeOK, append(body, "more"...)), 1, at, ""},
		"nothing came":       {received(codeMessageNotFound), 0, 0, ""},
		"no message":         {received(codeOK), 0, 0, errNoMessages.Error()},
		"nothing at all":     {nil, 0, 0, errNoMessages.Error()},
		"two messages":       {received(codeOK, body, body), 0, 0, errTooMany.Error()},
		"no arrival":         {received(codeOK, []byte("short")), 0, 0, errNoArrival.Error()},
		"an arrival of zero": {received(codeOK, make([]byte, stub.ArrivedBytes)), 0, 0, errNoArrival.Error()},
		"a refusal":          {received(40402), 0, 0, "status 40402"},
	} {
		s := newLongPoll(Default(), 1)
		s.Begin(0, &load.Request{})
		var err error
		for _, m := range c.answer {
			if err = s.Message(0, 0, m); err != nil {
				break
			}
		}
		moved, more := 0, false
		if err == nil {
			moved, more, err = s.End(0, 0, &load.Request{})
		}
		if failed := err != nil && c.err != "" && strings.Contains(err.Error(), c.err); failed {
			continue
		}
		if err != nil || c.err != "" || moved != c.moved || more || s.Began(0) != c.arrived {
			t.Errorf("%s: %d messages, from %d on, %v", name, moved, s.Began(0), err)
		}
	}
}

func TestRemotingPollAnswersAreChecked(t *testing.T) {
	p := Default()
	p.Remoting = true
	s := newRemotingPoll(p, 1)
	head := &command.Head{}
	for _, key := range []string{"popTime", "invisibleTime", "reviveQid", "restNum"} {
		head.Ext = append(head.Ext, command.Field{Key: []byte(key), Value: []byte("1")})
	}
	record := func(body []byte) []byte {
		b := make([]byte, recordBody, recordBody+64)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
		b = append(b, "T and properties"...)
		binary.BigEndian.PutUint32(b, uint32(len(b)))
		return b
	}
	at := hostclock.Now()
	good := record(binary.BigEndian.AppendUint64(nil, uint64(at)))
	if err := s.Message(0, 0, load.Message{Head: head, Body: good}); err != nil || s.Began(0) != at {
		t.Errorf("from %d on, %v", s.Began(0), err)
	}
	for name, m := range map[string]load.Message{
		"no numbers":   {Head: &command.Head{}, Body: good},
		"no message":   {Head: head},
		"two messages": {Head: head, Body: slices.Concat(good, good)},
	} {
		if err := s.Message(0, 0, m); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := s.Message(0, 0, load.Message{Head: head, Body: record([]byte("short"))}); !errors.Is(err, errNoArrival) {
		t.Errorf("no arrival: %v", err)
	}
}
