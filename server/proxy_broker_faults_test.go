package server_test

import (
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

const (
	codeSendV2    = 310
	codeRoute     = 105
	codePop       = 200050
	codeAck       = 200051
	codeInvisible = 200053
)

// What a broker refuses with, and what the client is told (gRPC specification 8.3).
func TestBrokerRefuses(t *testing.T) {
	w := start(t)
	producer, consumer := w.client("producer-1"), w.consumer("consumer-1")
	w.client("producer-2").sends(apiv2.Code_OK, "orders", "apples")
	got := consumer.receives("orders")
	for code, want := range map[int32]apiv2.Code{
		1: apiv2.Code_INTERNAL_SERVER_ERROR, 2: apiv2.Code_TOO_MANY_REQUESTS, 3: apiv2.Code_NOT_IMPLEMENTED,
		13: apiv2.Code_INTERNAL_SERVER_ERROR, 14: apiv2.Code_INTERNAL_SERVER_ERROR, 16: apiv2.Code_INTERNAL_SERVER_ERROR,
		17: apiv2.Code_TOPIC_NOT_FOUND, 26: apiv2.Code_CONSUMER_GROUP_NOT_FOUND, 215: apiv2.Code_INTERNAL_SERVER_ERROR,
		604: apiv2.Code_INTERNAL_SERVER_ERROR, 9999: apiv2.Code_INTERNAL_SERVER_ERROR,
	} {
		refusal := fakebroker.Response{Code: code, Remark: "[REFUSED] for the test"}
		for _, request := range []int32{codeSendV2, codePop, codeAck, codeInvisible} {
			w.broker.Fail(request, 1, refusal)
		}
		answer := producer.sends(want, "orders", "pears")
		if !strings.Contains(answer.GetStatus().GetMessage(), refusal.Remark) {
			t.Errorf("code %d: told %q", code, answer.GetStatus().GetMessage())
		}
		if told, got := consumer.polls("orders", time.Second).received(); told != want || len(got) > 0 {
			t.Errorf("code %d of a pop: told %v", code, told)
		}
		// An ack or a change never tells the broker's code.
		ask(consumer, "AckMessage", ackRequest("orders", got...), &apiv2.AckMessageResponse{}, apiv2.Code_INTERNAL_SERVER_ERROR)
		change := &apiv2.ChangeInvisibleDurationRequest{
			Group: resource(group), Topic: resource("orders"), ReceiptHandle: got[0].GetSystemProperties().GetReceiptHandle(),
		}
		ask(consumer, "ChangeInvisibleDuration", change, &apiv2.ChangeInvisibleDurationResponse{}, apiv2.Code_INTERNAL_SERVER_ERROR)
	}
	for code, want := range map[int32]apiv2.Code{209: apiv2.Code_TOO_MANY_REQUESTS, 210: apiv2.Code_MESSAGE_NOT_FOUND, 19: apiv2.Code_MESSAGE_NOT_FOUND} {
		w.broker.Fail(codePop, 1, fakebroker.Response{Code: code})
		if told, _ := consumer.polls("orders", time.Second).received(); told != want {
			t.Errorf("code %d of a pop: told %v, want %v", code, told, want)
		}
	}
	for code, want := range map[int32]apiv2.Code{
		10: apiv2.Code_MASTER_PERSISTENCE_TIMEOUT, 11: apiv2.Code_HA_NOT_AVAILABLE, 12: apiv2.Code_SLAVE_PERSISTENCE_TIMEOUT,
	} {
		w.broker.Fail(codeSendV2, 1, fakebroker.Response{Code: code, Ext: map[string]string{"msgId": "x", "queueId": "0", "queueOffset": "1"}})
		if answer := producer.sends(want, "orders", "pears"); len(answer.GetEntries()) != 1 {
			t.Errorf("code %d of a send: %v", code, answer)
		}
	}
	producer.sends(apiv2.Code_OK, "orders", "pears")
}

func impatient(c *config.Config) { c.Broker.CallTimeout = 300 * time.Millisecond }

// A silent broker: calls end with PROXY_TIMEOUT, and what it answers late is dropped.
func TestBrokerSilent(t *testing.T) {
	w := start(t, impatient)
	c := w.client("producer-1")
	c.sends(apiv2.Code_OK, "orders", "apples")
	w.broker.Fail(codeSendV2, 1, fakebroker.Response{Silent: true})
	c.sends(apiv2.Code_PROXY_TIMEOUT, "orders", "pears")
	late := w.broker.Control(codeSendV2, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		return fakebroker.Response{Delay: 600 * time.Millisecond}, true
	})
	c.sends(apiv2.Code_PROXY_TIMEOUT, "orders", "plums")
	late()
	c.sends(apiv2.Code_OK, "orders", "figs")
	time.Sleep(600 * time.Millisecond) // the late answer comes, to nobody
	c.sends(apiv2.Code_OK, "orders", "dates")
}

// A broker that stops like a process stopped by a debugger, and goes on.
func TestBrokerFrozen(t *testing.T) {
	w := start(t, impatient)
	c := w.client("producer-1")
	c.sends(apiv2.Code_OK, "orders", "apples")
	w.broker.Freeze()
	var calls []*rpc
	for range 20 {
		calls = append(calls, c.begin("SendMessage", sendRequest("orders", "pears"), patience))
	}
	for _, r := range calls {
		r.answers(&apiv2.SendMessageResponse{}, apiv2.Code_PROXY_TIMEOUT)
	}
	w.broker.Thaw()
	c.sendsInTheEnd("orders", "plums")
}

// sendsInTheEnd tries until a message is taken.
func (c *client) sendsInTheEnd(topic, body string) {
	c.Helper()
	eventually(c, "a send succeeds", func() bool {
		var answer apiv2.SendMessageResponse
		c.begin("SendMessage", sendRequest(topic, body), patience).answer(&answer)
		return answer.GetStatus().GetCode() == apiv2.Code_OK
	})
}

// Answers that come twice, or to nobody's question, disturb nothing.
func TestBrokerRepeatsItself(t *testing.T) {
	w := start(t)
	c := w.client("producer-1")
	stranger := int32(123456)
	w.broker.Control(codeSendV2, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		r.Answer(fakebroker.Response{Opaque: &stranger})
		r.Answer(fakebroker.Response{Code: 2, Remark: "first", Twice: true})
		return fakebroker.Response{Code: 1, Remark: "third"}, true
	})
	for range 20 {
		c.sends(apiv2.Code_TOO_MANY_REQUESTS, "orders", "apples")
	}
}

// A broker that talks nonsense loses its connection; the calls on it end, later ones succeed,
// and other brokers' calls are not disturbed.
func TestBrokerMalformed(t *testing.T) {
	for name, raw := range map[string][]byte{
		"no frame":     []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"too long":     {0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1},
		"negative":     {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1},
		"head too big": {0, 0, 0, 10, 0, 0xff, 0xff, 0xff, 0, 0},
		"no JSON":      append([]byte{0, 0, 0, 12, 0, 0, 0, 8}, "{\"code\":"...),
		"half a frame": {0, 0, 1, 0, 0, 0, 0, 99, '{'},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, impatient)
			w.broker.Control(codePop, func(*fakebroker.Request) (fakebroker.Response, bool) {
				return fakebroker.Response{Silent: true}, true
			})
			c := w.consumer("consumer-1")
			poll := c.polls("orders", 15*time.Second) // on a connection of its own
			eventually(t, "the poll is with the broker", func() bool { return w.broker.Requests(codePop) == 1 })
			w.broker.Fail(codeSendV2, 1, fakebroker.Response{Raw: raw, Hangup: name == "half a frame"})
			var answer apiv2.SendMessageResponse
			c.begin("SendMessage", sendRequest("orders", "apples"), patience).answer(&answer)
			if code := answer.GetStatus().GetCode(); code != apiv2.Code_INTERNAL_SERVER_ERROR && code != apiv2.Code_PROXY_TIMEOUT {
				t.Errorf("told %v", answer.GetStatus())
			}
			c.sendsInTheEnd("orders", "pears")
			c.mu.Lock()
			if poll.ended {
				t.Errorf("the poll ended: %v", poll.trailer)
			}
			c.mu.Unlock()
			poll.cancel()
		})
	}
}

// The broker's connections end under load: every call ends with a status, later calls succeed.
func TestBrokerHangsUp(t *testing.T) {
	w := start(t)
	c := w.client("producer-1")
	c.sends(apiv2.Code_OK, "orders", "before") // the type of the topic is known from here on
	for range 5 {
		var calls []*rpc
		for i, body := range bodies("m", 200) {
			calls = append(calls, c.begin("SendMessage", sendRequest("orders", body), patience))
			if i == 100 {
				w.broker.CloseConnections()
			}
		}
		for _, r := range calls {
			var answer apiv2.SendMessageResponse
			r.answer(&answer)
			switch answer.GetStatus().GetCode() {
			case apiv2.Code_OK, apiv2.Code_INTERNAL_SERVER_ERROR, apiv2.Code_PROXY_TIMEOUT:
			default:
				t.Fatalf("told %v", answer.GetStatus())
			}
		}
		c.sendsInTheEnd("orders", "afterwards")
	}
}

// The broker is killed and comes back: a poll ends, calls fail at once or in time, and then work.
func TestBrokerRestarts(t *testing.T) {
	w := start(t)
	c := w.consumer("consumer-1")
	poll := c.polls("orders", 20*time.Second)
	eventually(t, "the poll waits", func() bool { return w.broker.Waiting() == 1 })
	w.broker.Stop()
	if code, _ := poll.received(); code == apiv2.Code_OK {
		t.Error("the poll was answered")
	}
	var answer apiv2.SendMessageResponse
	c.begin("SendMessage", sendRequest("orders", "apples"), patience).answer(&answer)
	if answer.GetStatus().GetCode() == apiv2.Code_OK {
		t.Error("a send succeeded")
	}
	w.broker.Restart()
	c.sendsInTheEnd("orders", "pears")
	eventually(t, "a receive succeeds", func() bool {
		code, got := c.polls("orders", 10*time.Second).received()
		return code == apiv2.Code_OK && len(got) > 0
	})
}
