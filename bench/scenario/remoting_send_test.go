package scenario

import (
	"errors"
	"strings"
	"testing"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/stub"
	"rocketmq-proxy/codec/command"
)

func TestRemotingSendAgainstTheStub(t *testing.T) {
	for _, topics := range []int{1, 3} {
		for _, rate := range []float64{0, 200} {
			p := Default()
			p.Remoting, p.Topics = true, topics
			total, asked := drive(t, "send", p, rate)
			if total.Messages == 0 || total.Errors != 0 || asked.Sent != total.Messages || asked.Other != 0 {
				t.Errorf("%d topics, rate %v: %+v, the stub %+v", topics, rate, total, asked)
			}
		}
	}
}

func TestRemotingSendIsToEveryTopicAndQueue(t *testing.T) {
	p := Default()
	p.Remoting, p.Topics = true, 3
	s := newRemotingSend(p, 0, 2)
	var r load.Request
	topics, queuesUsed, ids := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range 3 * stub.Queues {
		s.Begin(i%2, &r)
		frame := r.Append(nil, int32(i))
		headLen, bodyLen, kind, err := command.SplitFrame(frame)
		var h command.Head
		if err == nil {
			err = command.ParseHead(&h, kind, frame[command.PrefixBytes:][:headLen])
		}
		if err != nil || h.Opaque != int32(i) || bodyLen != p.BodyBytes || len(frame) != command.PrefixBytes+headLen+bodyLen {
			t.Fatalf("%+v, %d bytes of body: %v", h, bodyLen, err)
		}
		properties := string(h.Value("i"))
		if !strings.Contains(properties, string(s.sent[i%2])) || !strings.Contains(properties, "PGROUP\x01"+string(h.Value("b"))) {
			t.Errorf("properties %q", properties)
		}
		topics[string(h.Value("b"))], queuesUsed[string(h.Value("e"))], ids[string(s.sent[i%2])] = true, true, true
	}
	if len(topics) != 3 || len(queuesUsed) != stub.Queues || len(ids) != 3*stub.Queues {
		t.Errorf("topics %v, queues %v, %d ids", topics, queuesUsed, len(ids))
	}
}

func TestRemotingSendAnswersAreChecked(t *testing.T) {
	p := Default()
	p.Remoting = true
	s := newRemotingSend(p, 0, 2)
	var r load.Request
	s.Begin(0, &r)
	s.Begin(1, &r)
	answer := func(fields ...string) load.Message {
		h := &command.Head{}
		for i := 0; i < len(fields); i += 2 {
			h.Ext = append(h.Ext, command.Field{Key: []byte(fields[i]), Value: []byte(fields[i+1])})
		}
		return load.Message{Head: h}
	}
	stored := []string{"queueId", "1", "queueOffset", "5"}
	mine, other := string(s.sent[0]), string(s.sent[1])
	if err := s.Message(0, 0, answer(append(stored, "msgId", "X", "transactionId", mine)...)); err != nil {
		t.Error(err)
	}
	if err := s.Message(0, 0, answer(append(stored, "msgId", "X", "transactionId", other)...)); !errors.Is(err, errOtherMessage) {
		t.Errorf("another message: %v", err)
	}
	if err := s.Message(0, 0, answer(append(stored, "msgId", "", "transactionId", mine)...)); !errors.Is(err, errNoMessageID) {
		t.Errorf("no message id: %v", err)
	}
	if err := s.Message(0, 0, answer("msgId", "X", "transactionId", mine)); err == nil {
		t.Error("an answer without queue and offset is taken")
	}
}

func TestOnlySendIsSpokenInRemoting(t *testing.T) {
	p := Default()
	p.Remoting = true
	for _, name := range Names() {
		if s := Named(name, p, 0, 1); (s != nil) != (name == "send") {
			t.Errorf("%s: %v", name, s)
		}
	}
}
