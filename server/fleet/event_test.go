package fleet

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
)

func settings(kind apiv2.ClientType, group, expression string) *apiv2.Settings {
	return &apiv2.Settings{
		ClientType: &kind, UserAgent: &apiv2.UA{Language: apiv2.Language_GOLANG, Version: "5.1.4"},
		PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{
			Group: &apiv2.Resource{Name: group},
			Subscriptions: []*apiv2.SubscriptionEntry{{
				Topic: &apiv2.Resource{Name: "orders"}, Expression: &apiv2.FilterExpression{Expression: expression},
			}},
		}},
	}
}

// written is a whole event.
func written(kind, clientID string, settings *apiv2.Settings, where channel, proxy string, now time.Time) ([]byte, error) {
	var known extensions
	extension, err := known.of(settings)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = encode(&out, kind, clientID, settings, where, extension, proxy, now)
	return out.Bytes(), err
}

// TestEventIsWritten with the names and values of the Java proxy.
func TestEventIsWritten(t *testing.T) {
	where := channel{ProxyAddr: "10.0.0.1", Remote: "10.0.0.9:5000", Local: "10.0.0.1:8081"}
	text, err := written(kindRegister, "c", settings(apiv2.ClientType_PUSH_CONSUMER, "g", "a||b"), where, "10.0.0.1%0%8081", time.UnixMilli(7))
	if err != nil {
		t.Fatal(err)
	}
	const head = `{"heartbeatType":"REGISTER","clientId":"c","language":"GO","version":513,"lastUpdateTimestamp":7,` +
		`"subscriptionDataSet":[{"topic":"orders","subString":"a||b","expressionType":"TAG","tagsSet":["a","b"],"codeSet":[97,98],"subVersion":7,"classFilterMode":false}],` +
		`"group":"g","consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","localProxyId":"10.0.0.1%0%8081",` +
		`"channelData":"{\"remoteProxyIp\":\"10.0.0.1\",\"remoteAddress\":\"10.0.0.9:5000\",\"localAddress\":\"10.0.0.1:8081\",\"type\":\"GRPC_V2\",\"extendAttribute\":\"{`
	if !strings.HasPrefix(string(text), head) {
		t.Errorf("%s\nwant\n%s", text, head)
	}
	gone, err := written(kindUnregister, "c", settings(apiv2.ClientType_PUSH_CONSUMER, "g", "a||b"), where, "p", time.UnixMilli(7))
	if err != nil || !strings.HasPrefix(string(gone), `{"heartbeatType":"UNREGISTER","clientId":"c","language":"GO","version":513,"lastUpdateTimestamp":7,"group":"g","localProxyId":"p","channelData":`) {
		t.Errorf("%s %v", gone, err)
	}
	for kind, want := range map[apiv2.ClientType]string{
		apiv2.ClientType_SIMPLE_CONSUMER:    `"consumeType":"CONSUME_ACTIVELY","messageModel":"CLUSTERING"`,
		apiv2.ClientType_LITE_PUSH_CONSUMER: `"consumeType":"CONSUME_PASSIVELY","messageModel":"LITE_SELECTIVE"`,
	} {
		if text, err := written(kindRegister, "c", settings(kind, "g", "*"), where, "p", time.Now()); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v: %s %v", kind, text, err)
		}
	}
}

// TestEventIsReadBack by another proxy of ours.
func TestEventIsReadBack(t *testing.T) {
	want := settings(apiv2.ClientType_SIMPLE_CONSUMER, "g", "a||b")
	text, err := written(kindRegister, "c", want, channel{ProxyAddr: "10.0.0.1"}, "p", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	e, got, err := decode(text)
	if err != nil || e.ClientID != "c" || e.Proxy != "p" || e.Kind != kindRegister || !proto.Equal(got, want) {
		t.Errorf("%+v %v %v", e, got, err)
	}
}

// javaEvent is what a Java proxy writes: its JSON library sorts the names, its protobuf one breaks
// lines.
const javaEvent = `{"channelData":"{\"remoteAddress\":\"127.0.0.1:51234\",\"extendAttribute\":\"{\\n  \\\"clientType\\\": \\\"SIMPLE_CONSUMER\\\",\\n  \\\"requestTimeout\\\": \\\"3s\\\",` +
	`\\n  \\\"later\\\": 1,\\n  \\\"subscription\\\": {\\n    \\\"group\\\": {\\n      \\\"name\\\": \\\"g\\\"\\n    }\\n  }\\n}\",\"remoteProxyIp\":\"10.0.0.2\",\"localAddress\":\"127.0.0.1:8081\",\"type\":\"GRPC_V2\"}",` +
	`"clientId":"c","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_ACTIVELY","group":"g","heartbeatType":"REGISTER","language":"GO","lastUpdateTimestamp":1795386185686,` +
	`"localProxyId":"10.0.0.2%8080%8081","messageModel":"CLUSTERING","subscriptionDataSet":[],"version":513}`

func TestEventOfAJavaProxyIsRead(t *testing.T) {
	e, got, err := decode([]byte(javaEvent))
	if err != nil || e.ClientID != "c" || e.Proxy != "10.0.0.2%8080%8081" {
		t.Fatalf("%+v %v", e, err)
	}
	if got.GetClientType() != apiv2.ClientType_SIMPLE_CONSUMER || got.GetRequestTimeout().GetSeconds() != 3 || got.GetSubscription().GetGroup().GetName() != "g" {
		t.Errorf("%v", got)
	}
	if _, got, err := decode([]byte(strings.Replace(javaEvent, "GRPC_V2", "REMOTING", 1))); got != nil || err != nil {
		t.Errorf("a consumer of Remoting: %v %v", got, err)
	}
	for _, bad := range []string{"", "{}", `{"channelData":"{}"}`, strings.Replace(javaEvent, "3s", "x", 1), javaEvent[:100]} {
		if _, got, err := decode([]byte(bad)); err == nil && got != nil {
			t.Errorf("%.60q is taken", bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(javaEvent))
	f.Add([]byte(`{"channelData":"{}","clientId":"c","localProxyId":"p"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, got, err := decode(text)
		if err == nil && (e.ClientID == "" || e.Proxy == "") {
			t.Errorf("nobody says of nobody: %+v", e)
		}
		if err != nil && got != nil {
			t.Error("settings beside an error")
		}
	})
}
