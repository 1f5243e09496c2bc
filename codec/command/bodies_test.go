package command

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestRouteBody(t *testing.T) {
	_, body := golden(t, "route_response")
	route, err := ParseTopicRoute(body)
	if err != nil || len(route.Brokers) != 1 || len(route.Queues) != 1 {
		t.Fatal(route, err)
	}
	b, q := route.Brokers[0], route.Queues[0]
	if b.Master() != "127.0.0.1:10911" || b.BrokerName != q.BrokerName || q.Read != 2 || q.Write != 2 || !q.Perm.Readable() {
		t.Errorf("%+v", route)
	}
	again, err := ParseTopicRoute(AppendTopicRoute(nil, route))
	if err != nil || !reflect.DeepEqual(again, route) {
		t.Errorf("%+v %v", again, err)
	}
	bare := `{"brokerDatas":[{"brokerAddrs":{0:"h:1",1:"h:2"},"brokerName":"b"}]}`
	if route, err = ParseTopicRoute([]byte(bare)); err != nil || route.Brokers[0].Master() != "h:1" || route.Brokers[0].Addrs[1] != "h:2" {
		t.Errorf("%+v %v", route, err)
	}
	if _, err = ParseTopicRoute([]byte(`{"brokerDatas":7}`)); err == nil {
		t.Error("nonsense is accepted")
	}
}

func TestConfigBodies(t *testing.T) {
	_, body := golden(t, "topic_config_response")
	topic, err := ParseTopicConfig(body)
	if err != nil || topic.MessageType() != "FIFO" || topic.Perm != PermRead|PermWrite || topic.FilterType != "SINGLE_TAG" {
		t.Errorf("%+v %v", topic, err)
	}
	if (&TopicConfig{}).MessageType() != MessageTypeNormal {
		t.Error("a topic without the attribute is NORMAL")
	}
	if again, err := ParseTopicConfig(AppendTopicConfig(nil, topic)); err != nil || !reflect.DeepEqual(again, topic) {
		t.Errorf("%+v %v", again, err)
	}
	_, body = golden(t, "group_config_response")
	group, err := ParseGroupConfig(body)
	if err != nil || group.RetryMaxTimes != 16 || !group.ConsumeEnable || group.RetryPolicy.Type != RetryCustomized {
		t.Errorf("%+v %v", group, err)
	}
	if again, err := ParseGroupConfig(AppendGroupConfig(nil, group)); err != nil || !reflect.DeepEqual(again, group) {
		t.Errorf("%+v %v", again, err)
	}
	policy := `{"groupRetryPolicy":{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,"max":7200000,"multiplier":2}}}`
	group, err = ParseGroupConfig([]byte(policy))
	if err != nil || *group.RetryPolicy.Exponential != (ExponentialRetry{5000, 7_200_000, 2}) {
		t.Errorf("%+v %v", group, err)
	}
	group, err = ParseGroupConfig([]byte(`{"groupRetryPolicy":{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1,2]}}}`))
	if err != nil || !reflect.DeepEqual(group.RetryPolicy.Customized.Next, []int64{1, 2}) {
		t.Errorf("%+v %v", group, err)
	}
}

func TestHeartbeatBody(t *testing.T) {
	_, body := golden(t, "heartbeat_request")
	beat, err := ParseHeartbeatBody(body)
	if err != nil || len(beat.Consumers) != 1 || len(beat.Producers) != 1 || beat.Consumers[0].Subscriptions[0].TagHashes[0] != 97 {
		t.Fatalf("%+v %v", beat, err)
	}
	if string(AppendHeartbeatBody(nil, beat)) != string(body) {
		t.Error("encoded otherwise than captured")
	}
}

func TestQuoteNumericKeys(t *testing.T) {
	for in, want := range map[string]string{
		`{0:"a",-1:"b", 22:{3:4}}`:            `{"0":"a","-1":"b", "22":{"3":4}}`,
		`{"a":"{0:","b":"\",1:","c":[1,2,3]}`: `{"a":"{0:","b":"\",1:","c":[1,2,3]}`,
		`{-:1}`:                               `{-:1}`,
		`{1`:                                  `{1`,
		`{-`:                                  `{-`,
		``:                                    ``,
		`[1,2]`:                               `[1,2]`,
	} {
		if got := string(quoteNumericKeys([]byte(in))); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
	_, body := golden(t, "cluster_info_response")
	if json.Valid(body) || !json.Valid(quoteNumericKeys(body)) {
		t.Errorf("%s", body)
	}
}

func FuzzQuoteNumericKeys(f *testing.F) {
	f.Add([]byte(`{0:"a",-1:"b", "22":{3:4}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if out := quoteNumericKeys(in); json.Valid(in) && string(out) != string(in) {
			t.Fatalf("%q became %q", in, out)
		}
	})
}

func FuzzParseTopicRoute(f *testing.F) {
	_, body := golden(f, "route_response")
	f.Add(body)
	f.Fuzz(func(_ *testing.T, in []byte) { _, _ = ParseTopicRoute(in) })
}
