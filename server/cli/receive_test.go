package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/codec/apiv2"
)

// delivered is an answer to ReceiveMessage with messages of these bodies.
func delivered(bodies ...string) []proto.Message {
	answer := []proto.Message{&apiv2.ReceiveMessageResponse{Content: &apiv2.ReceiveMessageResponse_Status{Status: fine}}}
	for _, body := range bodies {
		answer = append(answer, &apiv2.ReceiveMessageResponse{Content: &apiv2.ReceiveMessageResponse_Message{Message: &apiv2.Message{
			Topic: &apiv2.Resource{Name: "hello"}, Body: []byte(body),
			SystemProperties: &apiv2.SystemProperties{MessageId: "ID-" + body, ReceiptHandle: proto.String("handle of " + body), DeliveryAttempt: proto.Int32(1)},
		}}})
	}
	return append(answer, &apiv2.ReceiveMessageResponse{Content: &apiv2.ReceiveMessageResponse_DeliveryTimestamp{DeliveryTimestamp: timestamppb.Now()}})
}

func answered401() []proto.Message {
	return []proto.Message{&apiv2.ReceiveMessageResponse{Content: &apiv2.ReceiveMessageResponse_Status{Status: &apiv2.Status{Code: apiv2.Code_MESSAGE_NOT_FOUND}}}}
}

func TestReceive(t *testing.T) {
	f := startFake(t, false)
	f.answers["ReceiveMessage"] = [][]proto.Message{answered401(), delivered("a"), delivered("b", "c")}
	got := run(t, nil, "receive", "-addr", f.addr, "-count", "3", "-group", "g", "-invisible", "15s", "hello")
	if want := "ID-a  a\nID-b  b\nID-c  c\n"; got != (said{ExitOK, want, ""}) {
		t.Errorf("%+v", got)
	}
	if calls := f.callsMade(); calls != "QueryRoute Telemetry ReceiveMessage ReceiveMessage AckMessage ReceiveMessage AckMessage AckMessage NotifyClientTermination" {
		t.Errorf("calls: %s", calls)
	}
	settings := last[*apiv2.TelemetryCommand](f, "Telemetry").GetSettings()
	entry := settings.GetSubscription().GetSubscriptions()[0]
	if settings.GetClientType() != apiv2.ClientType_SIMPLE_CONSUMER || settings.GetSubscription().GetGroup().GetName() != "g" || entry.GetTopic().GetName() != "hello" || entry.GetExpression().GetExpression() != "*" {
		t.Errorf("settings: %v", settings)
	}
	r := last[*apiv2.ReceiveMessageRequest](f, "ReceiveMessage")
	if r.GetGroup().GetName() != "g" || r.GetBatchSize() != 2 || r.GetInvisibleDuration().AsDuration() != 15*time.Second || r.GetAutoRenew() || r.GetMessageQueue().GetBroker().GetName() != "a" {
		t.Errorf("request: %v", r)
	}
	if a := last[*apiv2.AckMessageRequest](f, "AckMessage"); a.GetGroup().GetName() != "g" || a.GetTopic().GetName() != "hello" || a.GetEntries()[0].GetReceiptHandle() != "handle of c" || a.GetEntries()[0].GetMessageId() != "ID-c" {
		t.Errorf("ack: %v", a)
	}
}

func TestReceiveFilters(t *testing.T) {
	f := startFake(t, false)
	f.answers["ReceiveMessage"] = [][]proto.Message{delivered("a")}
	for flag, want := range map[string]apiv2.FilterType{"-tag": apiv2.FilterType_TAG, "-sql": apiv2.FilterType_SQL} {
		if got := run(t, nil, "receive", "-addr", f.addr, flag, "x || y", "hello"); got.code != ExitOK {
			t.Errorf("%+v", got)
		}
		if e := last[*apiv2.ReceiveMessageRequest](f, "ReceiveMessage").GetFilterExpression(); e.GetType() != want || e.GetExpression() != "x || y" {
			t.Errorf("%s: %v", flag, e)
		}
	}
}

func TestReceiveKeeps(t *testing.T) {
	f := startFake(t, false)
	f.answers["ReceiveMessage"] = [][]proto.Message{delivered("a")}
	if got := run(t, nil, "receive", "-addr", f.addr, "-no-ack", "hello"); got.code != ExitOK || strings.Contains(f.callsMade(), "AckMessage") {
		t.Errorf("%+v, %s", got, f.callsMade())
	}
}

// TestReceiveAsksAllBrokers: one queue of each, in turn.
func TestReceiveAsksAllBrokers(t *testing.T) {
	f := startFake(t, false)
	f.answers["QueryRoute"] = [][]proto.Message{{route(apiv2.Permission_READ, "a", "b")}}
	f.answers["ReceiveMessage"] = [][]proto.Message{answered401(), answered401(), delivered("x")}
	if got := run(t, nil, "receive", "-addr", f.addr, "hello"); got.code != ExitOK {
		t.Errorf("%+v", got)
	}
	var asked []string
	for _, r := range f.asked["ReceiveMessage"] {
		asked = append(asked, r.(*apiv2.ReceiveMessageRequest).GetMessageQueue().GetBroker().GetName())
	}
	if got := strings.Join(asked, " "); got != "a b a" {
		t.Errorf("asked %s", got)
	}
}

func TestReceiveNothing(t *testing.T) {
	f := startFake(t, false)
	if got := run(t, nil, "receive", "-addr", f.addr, "-wait", "20ms", "hello"); got.code != ExitNothing || got.out != "" || !strings.Contains(got.err, "no more messages came in 20ms: 0 of 1 came") {
		t.Errorf("%+v", got)
	}
	busy := &apiv2.ReceiveMessageResponse{Content: &apiv2.ReceiveMessageResponse_Status{Status: &apiv2.Status{Code: apiv2.Code_TOO_MANY_REQUESTS}}}
	f.answers["ReceiveMessage"] = [][]proto.Message{{busy}}
	if got := run(t, nil, "receive", "-addr", f.addr, "-wait", "20ms", "hello"); got.code != ExitNothing {
		t.Errorf("%+v", got)
	}
}

// TestReceiveFollows goes on until it is interrupted, which is no failure.
func TestReceiveFollows(t *testing.T) {
	f := startFake(t, false)
	f.answers["ReceiveMessage"] = [][]proto.Message{delivered("a"), delivered("b"), answered401()}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for end := time.Now().Add(patience); time.Now().Before(end) && strings.Count(f.callsMade(), "AckMessage") < 2; time.Sleep(time.Millisecond) {
		}
	}()
	if got := runIn(ctx, nil, "receive", "-addr", f.addr, "-count", "0", "hello"); got.code != ExitOK || got.out != "ID-a  a\nID-b  b\n" || got.err != "" {
		t.Errorf("%+v", got)
	}
	if !strings.HasSuffix(f.callsMade(), "NotifyClientTermination") {
		t.Errorf("no goodbye: %s", f.callsMade())
	}
}

func TestReceiveFails(t *testing.T) {
	f := startFake(t, false)
	f.answers["ReceiveMessage"] = [][]proto.Message{delivered("a")}
	f.answers["AckMessage"] = [][]proto.Message{{&apiv2.AckMessageResponse{Status: fine, Entries: []*apiv2.AckMessageResultEntry{{Status: &apiv2.Status{Code: apiv2.Code_INVALID_RECEIPT_HANDLE, Message: "old"}}}}}}
	if got := run(t, nil, "receive", "-addr", f.addr, "hello"); got.code != ExitFailed || got.out != "ID-a  a\n" || !strings.Contains(got.err, "message ID-a was received but not acknowledged, so it will come again: the proxy says INVALID_RECEIPT_HANDLE (40013): old") {
		t.Errorf("%+v", got)
	}
	f.answers["ReceiveMessage"] = [][]proto.Message{{&apiv2.ReceiveMessageResponse{Content: &apiv2.ReceiveMessageResponse_Status{Status: &apiv2.Status{Code: apiv2.Code_ILLEGAL_FILTER_EXPRESSION, Message: "x"}}}}}
	if got := run(t, nil, "receive", "-addr", f.addr, "hello"); got.code != ExitFailed || !strings.Contains(got.err, "ILLEGAL_FILTER_EXPRESSION") {
		t.Errorf("%+v", got)
	}
	f.answers["QueryRoute"] = [][]proto.Message{{route(apiv2.Permission_WRITE, "a")}}
	if got := run(t, nil, "receive", "-addr", f.addr, "hello"); got.code != ExitFailed || !strings.Contains(got.err, "no queue that may be received from") {
		t.Errorf("%+v", got)
	}
}

func TestLines(t *testing.T) {
	full := &apiv2.Message{
		Topic: &apiv2.Resource{Name: "t"}, Body: []byte("two\nlines"), UserProperties: map[string]string{"b": "2", "a": "x\x1b[0m", "__SHARDINGKEY": "g"},
		SystemProperties: &apiv2.SystemProperties{
			MessageId: "ID", Tag: proto.String("vip"), Keys: []string{"k1", "k2"}, MessageGroup: proto.String("g"), LiteTopic: proto.String("l"),
			Priority: proto.Int32(0), DeliveryAttempt: proto.Int32(2), BornTimestamp: timestamppb.New(time.UnixMilli(5)), ReceiptHandle: proto.String("h"),
			MessageType: apiv2.MessageType_FIFO,
		},
	}
	binary := &apiv2.Message{Body: []byte{0xff, 0}, SystemProperties: &apiv2.SystemProperties{MessageId: "ID"}}
	for _, test := range []struct {
		m    *apiv2.Message
		json bool
		want string
	}{
		{full, false, `ID  "two\nlines"  {tag=vip keys=k1,k2 message-group=g lite-topic=l priority=0 a="x\x1b[0m" b=2 attempt=2}`},
		{binary, false, `ID  "\xff\x00"`},
		{full, true, `{"id":"ID","topic":"t","body":"two\nlines","tag":"vip","keys":["k1","k2"],"properties":{"__SHARDINGKEY":"g","a":"x\u001b[0m","b":"2"},"type":"FIFO","messageGroup":"g","liteTopic":"l","priority":0,"attempt":2,"queue":0,"offset":0,"bornMs":5,"receiptHandle":"h"}`},
		{binary, true, `{"id":"ID","topic":"","bodyBase64":"/wA=","type":"MESSAGE_TYPE_UNSPECIFIED","attempt":0,"queue":0,"offset":0,"receiptHandle":""}`},
	} {
		r := &receiver{options: receiveOptions{json: test.json}}
		got, err := r.line(test.m)
		if err != nil || got != test.want {
			t.Errorf("got  %s\nwant %s\n%v", got, test.want, err)
		}
		if test.json && !json.Valid([]byte(got)) {
			t.Errorf("no JSON: %s", got)
		}
	}
}
