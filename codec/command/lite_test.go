package command

import (
	"errors"
	"testing"
)

// headOf reads back what an encoder made.
func headOf(t *testing.T, frame []byte) *Head {
	t.Helper()
	headLen, _, kind, err := SplitFrame(frame)
	if err != nil {
		t.Fatal(err)
	}
	h := new(Head)
	if err := ParseHead(h, kind, frame[PrefixBytes:][:headLen]); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestLiteSubscription writes the body of specification 2.24.
func TestLiteSubscription(t *testing.T) {
	r := LiteSubscriptions{Subscriptions: []LiteSubscription{{
		Action: "PARTIAL_ADD", ClientID: "c", Group: "g", LiteTopics: []string{"x1"}, OffsetStart: &LiteOffset{Type: "POLICY", Value: 1}, Topic: "TL",
	}}}
	const want = `{"subscriptionSet":[{"action":"PARTIAL_ADD","clientId":"c","group":"g","liteTopicSet":["x1"],"offsetOption":{"type":"POLICY","value":1},"topic":"TL","version":0}]}`
	body := AppendLiteSubscriptionBody(nil, &r)
	if string(body) != want {
		t.Errorf("%s", body)
	}
	if again, err := ParseLiteSubscriptionBody(body); err != nil || again.Subscriptions[0].LiteTopics[0] != "x1" {
		t.Errorf("%+v %v", again, err)
	}
	if h := headOf(t, AppendLiteSubscription(nil, 7, len(body))); RequestCode(h.Code) != RequestLiteSubscription || h.Opaque != 7 {
		t.Errorf("%+v", h)
	}
}

func TestPopLite(t *testing.T) {
	h := headOf(t, AppendPopLite(nil, 7, &PopLite{
		ClientID: []byte("c"), ConsumerGroup: []byte("g"), Topic: []byte("TL"), AttemptID: []byte("a"),
		InvisibleTime: 1, PollTime: 2, BornTime: 3, MaxMsgNum: 4,
	}, 0))
	for key, want := range map[string]string{
		"clientId": "c", "consumerGroup": "g", "topic": "TL", "attemptId": "a", "invisibleTime": "1", "pollTime": "2", "bornTime": "3", "maxMsgNum": "4",
	} {
		if got := string(h.Value(key)); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	field := func(key, value string) Field { return Field{Key: []byte(key), Value: []byte(value)} }
	ext := []Field{field("popTime", "5"), field("invisibleTime", "6"), field("reviveQid", "999"), field("orderCountInfo", "0;1")}
	r, err := ParsePopLiteResponse(&Head{Ext: ext})
	if err != nil || r.PopTime != 5 || r.InvisibleTime != 6 || r.ReviveQueueID != 999 || string(r.OrderCountInfo) != "0;1" {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := ParsePopLiteResponse(&Head{Ext: ext[1:]}); !errors.Is(err, ErrFields) {
		t.Error(err)
	}
}

func TestNotifyUnsubscribeLite(t *testing.T) {
	field := func(key, value string) Field { return Field{Key: []byte(key), Value: []byte(value)} }
	ext := []Field{field("liteTopic", "x"), field("consumerGroup", "g"), field("clientId", "c")}
	r, err := ParseNotifyUnsubscribeLite(&Head{Ext: ext})
	if err != nil || string(r.LiteTopic) != "x" || string(r.ConsumerGroup) != "g" || string(r.ClientID) != "c" {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := ParseNotifyUnsubscribeLite(&Head{Ext: ext[1:]}); !errors.Is(err, ErrFields) {
		t.Error(err)
	}
}
