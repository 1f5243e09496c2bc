package command

import (
	"maps"
	"strings"
	"testing"
)

const javaProperties = "UNIQ_KEY\x0101AABBCCDDEEFF00010000000100000001\x02TAGS\x01täg \"q\" \\\x02😀\x01中\x02"

// asJava holds our encodings of what the reference's own classes were filled with when they
// wrote testdata/java_*.hex.
func asJava() map[string][]byte {
	send := SendMessage{
		ProducerGroup: []byte("orders"), Topic: []byte("orders"), QueueID: 3, SysFlag: 4,
		BornTimestamp: bornTimestamp, Properties: []byte(javaProperties),
	}
	end := EndTransaction{
		Topic: []byte("orders"), ProducerGroup: []byte("orders"), TranStateTableOffset: 1, CommitLogOffset: 21879,
		State: TransactionCommit, FromCheck: true, MsgID: []byte("7C7C"), TransactionID: []byte("7C7C"),
	}
	pop := PopMessage{
		ConsumerGroup: []byte("g"), Topic: []byte("orders"), QueueID: -1, MaxMsgNums: 32, InvisibleTime: 60_000, PollTime: 20_000,
		InitMode: PopInitMax, ExpressionType: []byte("TAG"), Expression: []byte("a||b"), Order: true, AttemptID: []byte("attempt-1"),
	}
	ack := AckMessage{
		ConsumerGroup: []byte("g"), Topic: []byte("%RETRY%g_orders"), ExtraInfo: []byte("0 1795387088695 10000 1 1 broker-a 0 0 8242"),
	}
	change := ChangeInvisible{
		ConsumerGroup: []byte("g"), Topic: []byte("orders"), InvisibleTime: 1000, Suspend: true,
		ExtraInfo: []byte("0 1795387088695 10000 1 0 broker-a 0 0 8242"),
	}
	back := SendBack{Group: "g", Offset: 8242, DelayLevel: DelayLevelDeadLetter, OriginMsgID: "7C7C", OriginTopic: "orders"}
	topic := UpdateTopic{Topic: "orders", ReadQueues: 8, WriteQueues: 8, Perm: PermRead | PermWrite}
	return map[string][]byte{
		"java_send_v2_json":             AppendSendMessageV2(nil, 7, &send, 5),
		"java_send_v2_rocketmq":         AppendSendMessageV2(nil, 7, &send, 5),
		"java_send_batch_json":          AppendSendBatch(nil, 7, &send, 1),
		"java_end_transaction_json":     AppendEndTransaction(nil, 7, &end, 0),
		"java_end_transaction_rocketmq": AppendEndTransaction(nil, 7, &end, 0),
		"java_pop_json":                 AppendPop(nil, 7, &pop, 0),
		"java_ack_json":                 AppendAck(nil, 7, &ack, 0),
		"java_change_invisible_json":    AppendChangeInvisible(nil, 7, &change, 0),
		"java_send_back_json":           AppendSendBack(nil, 7, &back, 0),
		"java_recall_json":              AppendRecall(nil, 7, &RecallMessage{Topic: "orders", RecallHandle: "djEg"}, 0),
		"java_unregister_json":          AppendUnregister(nil, 7, &Unregister{ClientID: "c", ProducerGroup: "orders"}, 0),
		"java_max_offset_json":          AppendGetMaxOffset(nil, 7, &QueueOffset{Topic: "orders", QueueID: 1}, 0),
		"java_update_topic_json":        AppendUpdateTopic(nil, 7, &topic, 0),
		"java_client_route_request":     AppendGetRoute(nil, 0, &GetRoute{Topic: liveTopic}, 0),
	}
}

// TestWeSayWhatJavaSays compares heads as what they say: encoding and order may differ.
func TestWeSayWhatJavaSays(t *testing.T) {
	for name, ours := range asJava() {
		want, body := golden(t, name)
		got, _, _ := splitFrame(t, append(ours, body...))
		w, g := headAsOracle(want), headAsOracle(got)
		if !maps.Equal(g.ext, w.ext) || !maps.Equal(g.numbers, w.numbers) || g.remark != w.remark || got.Language != want.Language {
			t.Errorf("%s:\n got %v\nwant %v", name, g, w)
		}
	}
}

// TestSendIsJavaByteForByte: the reference writes these fields in the order of their letters.
func TestSendIsJavaByteForByte(t *testing.T) {
	const name = "java_send_v2_rocketmq"
	want := readGolden(t, name)
	if got := append(asJava()[name], "hello"...); string(got) != string(want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestJavaClientFrames(t *testing.T) {
	h, body := golden(t, "java_client_send_request")
	if r := readSend(h); string(r.Topic) != liveTopic || string(body) != "hello" || !strings.Contains(string(r.Properties), "TAGS\x01tag\x02") {
		t.Errorf("%+v", r)
	}
	_, body = golden(t, "java_client_heartbeat_request")
	beat, err := ParseHeartbeatBody(body)
	if err != nil || len(beat.Producers) != 2 || beat.ClientID == "" {
		t.Errorf("%+v %v", beat, err)
	}
	h, _ = golden(t, "java_client_unregister_request")
	if text1(h, "producerGroup") == "" || text1(h, "clientID") != beat.ClientID {
		t.Error(describe(h, nil))
	}
}
