package command

import (
	"bytes"
	"maps"
	"slices"
	"testing"
)

// encoders make the request of a golden file again from what is read from it. A broker or a
// name server accepted those bytes, so what they become here is right.
var encoders = map[string]func(h *Head, bodyLen int) []byte{
	"send":         encodeSend(AppendSendMessageV2),
	"send_half":    encodeSend(AppendSendMessageV2),
	"send_timer":   encodeSend(AppendSendMessageV2),
	"send_refused": encodeSend(AppendSendMessageV2),
	"send_batch":   encodeSend(AppendSendBatch),

	"pop": encodePop, "pop_fifo": encodePop, "pop_fifo_again": encodePop, "pop_nothing": encodePop,

	"pull": encodePull, "pull_tag": encodePull, "pull_sql": encodePull, "pull_no_match": encodePull, "pull_end": encodePull,
	"pull_wait": encodePull, "pull_beyond": encodePull, "pull_below": encodePull, "pull_bad_queue": encodePull,

	"ack": encodeAck, "ack_illegal": encodeAck,

	"change_invisible": func(h *Head, bodyLen int) []byte {
		r := ChangeInvisible{ConsumerGroup: h.Value("consumerGroup"), Topic: h.Value("topic"), ExtraInfo: h.Value("extraInfo")}
		r.QueueID, _ = h.Int32("queueId")
		r.Offset, _ = h.Int64("offset")
		r.InvisibleTime, _ = h.Int64("invisibleTime")
		r.Suspend, _ = h.Bool("suspend")
		return AppendChangeInvisible(nil, h.Opaque, &r, bodyLen)
	},
	"send_back": func(h *Head, bodyLen int) []byte {
		r := SendBack{Group: text1(h, "group"), OriginMsgID: text1(h, "originMsgId"), OriginTopic: text1(h, "originTopic")}
		r.Offset, _ = h.Int64("offset")
		r.DelayLevel, _ = h.Int32("delayLevel")
		r.MaxReconsumeTimes, _ = h.Int32("maxReconsumeTimes")
		return AppendSendBack(nil, h.Opaque, &r, bodyLen)
	},
	"end_transaction": func(h *Head, bodyLen int) []byte {
		r := EndTransaction{
			Topic: h.Value("topic"), ProducerGroup: h.Value("producerGroup"),
			MsgID: h.Value("msgId"), TransactionID: h.Value("transactionId"),
		}
		r.TranStateTableOffset, _ = h.Int64("tranStateTableOffset")
		r.CommitLogOffset, _ = h.Int64("commitLogOffset")
		state, _ := h.Int32("commitOrRollback")
		r.State = TransactionState(state)
		r.FromCheck, _ = h.Bool("fromTransactionCheck")
		return AppendEndTransaction(nil, h.Opaque, &r, bodyLen)
	},

	"route": encodeRoute, "route_absent": encodeRoute,

	"cluster_info": func(h *Head, bodyLen int) []byte {
		return AppendRequest(nil, RocketMQ, RequestGetClusterInfo, h.Opaque, 0, h.Ext, bodyLen)
	},
	"binary_pop": func(h *Head, bodyLen int) []byte {
		return AppendRequest(nil, RocketMQ, RequestPopMessage, h.Opaque, 0, h.Ext, bodyLen)
	},
	"topic_config": func(h *Head, bodyLen int) []byte {
		return AppendGetTopicConfig(nil, h.Opaque, &GetTopicConfig{Topic: text1(h, "topic")}, bodyLen)
	},
	"group_config": func(h *Head, bodyLen int) []byte {
		return AppendGetGroupConfig(nil, h.Opaque, &GetGroupConfig{Group: text1(h, "group")}, bodyLen)
	},
	"heartbeat": func(h *Head, bodyLen int) []byte { return AppendHeartbeat(nil, h.Opaque, bodyLen) },
	"unregister": func(h *Head, bodyLen int) []byte {
		r := Unregister{ClientID: text1(h, "clientID"), ProducerGroup: text1(h, "producerGroup"), ConsumerGroup: text1(h, "consumerGroup")}
		return AppendUnregister(nil, h.Opaque, &r, bodyLen)
	},
	"update_topic": func(h *Head, bodyLen int) []byte {
		r := UpdateTopic{Topic: text1(h, "topic"), Attributes: text1(h, "attributes")}
		r.ReadQueues, _ = h.Int32("readQueueNums")
		r.WriteQueues, _ = h.Int32("writeQueueNums")
		perm, _ := h.Int32("perm")
		r.Perm = Perm(perm)
		return AppendUpdateTopic(nil, h.Opaque, &r, bodyLen)
	},
	"recall": func(h *Head, bodyLen int) []byte {
		r := RecallMessage{Topic: text1(h, "topic"), RecallHandle: text1(h, "recallHandle")}
		return AppendRecall(nil, h.Opaque, &r, bodyLen)
	},
	"max_offset": encodeOffset(AppendGetMaxOffset),
	"min_offset": encodeOffset(AppendGetMinOffset),
	"search_offset": encodeOffset(func(dst []byte, opaque int32, r *QueueOffset, bodyLen int) []byte {
		return AppendSearchOffset(dst, opaque, r, bornTimestamp, bodyLen)
	}),
	"query_consumer_offset":         encodeConsumerOffset(AppendQueryConsumerOffset),
	"query_consumer_offset_absent":  encodeConsumerOffset(AppendQueryConsumerOffset),
	"update_consumer_offset":        encodeConsumerOffset(updateToOne),
	"update_consumer_offset_absent": encodeConsumerOffset(updateToOne),

	"check_client_config":     func(h *Head, bodyLen int) []byte { return AppendCheckClientConfig(nil, h.Opaque, bodyLen) },
	"check_client_config_bad": func(h *Head, bodyLen int) []byte { return AppendCheckClientConfig(nil, h.Opaque, bodyLen) },
}

func text1(h *Head, key string) string { return string(h.Value(key)) }

func encodeSend(encode func([]byte, int32, *SendMessage, int) []byte) func(*Head, int) []byte {
	return func(h *Head, bodyLen int) []byte {
		r := readSend(h)
		return encode(nil, h.Opaque, &r, bodyLen)
	}
}

func readSend(h *Head) SendMessage {
	r := SendMessage{ProducerGroup: h.Value("a"), Topic: h.Value("b"), Properties: h.Value("i"), BrokerName: h.Value("n")}
	r.QueueID, _ = h.Int32("e")
	r.SysFlag, _ = h.Int32("f")
	r.BornTimestamp, _ = h.Int64("g")
	r.Flag, _ = h.Int32("h")
	r.ReconsumeTimes, _ = h.Int32("j")
	r.MaxReconsumeTimes, _ = h.Int32("l")
	return r
}

func encodePop(h *Head, bodyLen int) []byte {
	r := readPop(h)
	return AppendPop(nil, h.Opaque, &r, bodyLen)
}

func readPop(h *Head) PopMessage {
	r := PopMessage{
		ConsumerGroup: h.Value("consumerGroup"), Topic: h.Value("topic"), ExpressionType: h.Value("expType"),
		Expression: h.Value("exp"), AttemptID: h.Value("attemptId"),
	}
	r.QueueID, _ = h.Int32("queueId")
	r.MaxMsgNums, _ = h.Int32("maxMsgNums")
	r.InvisibleTime, _ = h.Int64("invisibleTime")
	r.PollTime, _ = h.Int64("pollTime")
	r.BornTime, _ = h.Int64("bornTime")
	mode, _ := h.Int32("initMode")
	r.InitMode = PopInitMode(mode)
	r.Order, _ = h.Bool("order")
	return r
}

func encodePull(h *Head, bodyLen int) []byte {
	r := PullMessage{
		ConsumerGroup: h.Value("consumerGroup"), Topic: h.Value("topic"), ExpressionType: h.Value("expressionType"), Expression: h.Value("subscription"),
	}
	r.QueueID, _ = h.Int32("queueId")
	r.QueueOffset, _ = h.Int64("queueOffset")
	r.MaxMsgNums, _ = h.Int32("maxMsgNums")
	r.SuspendTimeout, _ = h.Int64("suspendTimeoutMillis")
	return AppendPull(nil, h.Opaque, &r, bodyLen)
}

func encodeConsumerOffset(encode func([]byte, int32, *ConsumerOffset, int) []byte) func(*Head, int) []byte {
	return func(h *Head, bodyLen int) []byte {
		r := ConsumerOffset{ConsumerGroup: text1(h, "consumerGroup"), Topic: text1(h, "topic")}
		r.QueueID, _ = h.Int32("queueId")
		return encode(nil, h.Opaque, &r, bodyLen)
	}
}

// updateToOne is the update of the golden files.
func updateToOne(dst []byte, opaque int32, r *ConsumerOffset, bodyLen int) []byte {
	return AppendUpdateConsumerOffset(dst, opaque, r, 1, bodyLen)
}

func encodeAck(h *Head, bodyLen int) []byte {
	r := readAck(h)
	return AppendAck(nil, h.Opaque, &r, bodyLen)
}

func readAck(h *Head) AckMessage {
	r := AckMessage{
		ConsumerGroup: h.Value("consumerGroup"), Topic: h.Value("topic"), ExtraInfo: h.Value("extraInfo"), LiteTopic: h.Value("liteTopic"),
	}
	r.QueueID, _ = h.Int32("queueId")
	r.Offset, _ = h.Int64("offset")
	return r
}

func encodeRoute(h *Head, bodyLen int) []byte {
	return AppendGetRoute(nil, h.Opaque, &GetRoute{Topic: text1(h, "topic")}, bodyLen)
}

func encodeOffset(encode func([]byte, int32, *QueueOffset, int) []byte) func(*Head, int) []byte {
	return func(h *Head, bodyLen int) []byte {
		r := QueueOffset{Topic: text1(h, "topic")}
		r.QueueID, _ = h.Int32("queueId")
		return encode(nil, h.Opaque, &r, bodyLen)
	}
}

func TestGoldenRequests(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(encoders)) {
		frame := readGolden(t, name+"_request")
		h, _, body := splitFrame(t, frame)
		got := append(encoders[name](h, len(body)), body...)
		if !bytes.Equal(got, frame) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, frame)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	dst := []byte("before")
	for name, got := range map[string][]byte{
		"json":   AppendGetRoute(dst, 1, &GetRoute{Topic: "t"}, 5),
		"binary": AppendSendMessageV2(dst, 1, &SendMessage{Topic: []byte("t")}, 5),
	} {
		if !bytes.HasPrefix(got, dst) {
			t.Error(name, "overwrote dst")
		}
		frame := append(got[len(dst):], "12345"...)
		if _, _, body := splitFrame(t, frame); string(body) != "12345" {
			t.Errorf("%s: body %q", name, body)
		}
	}
}

func TestJSONWriterEscapes(t *testing.T) {
	ugly := make([]byte, 0, 0x90)
	for c := range byte(0x80) {
		ugly = append(ugly, c)
	}
	ugly = append(ugly, "äß😀\u2028"...)
	frame := AppendResponse(nil, -7, 1, string(ugly), []Field{{ugly, ugly}, {[]byte("null"), nil}}, 0)
	h, head, _ := splitFrame(t, frame)
	checkAgainstOracle(t, head)
	if !bytes.Equal(h.Remark, ugly) || len(h.Ext) != 1 || !bytes.Equal(h.Ext[0].Key, ugly) || !bytes.Equal(h.Ext[0].Value, ugly) {
		t.Errorf("%q", head)
	}
	if h.Opaque != -7 || h.Code != 1 || !h.IsResponse() || h.Version != Version || h.Language != LanguageJava {
		t.Errorf("%+v", h)
	}
	for _, c := range head {
		if c < 0x20 {
			t.Fatalf("raw control character %#x", c)
		}
	}
}

func TestSendDefaultsAndOptions(t *testing.T) {
	r := SendMessage{MaxReconsumeTimes: 3, DefaultTopicQueues: 9, BrokerName: []byte("b")}
	h, _, _ := splitFrame(t, AppendSendBatch(nil, 1, &r, 0))
	if text1(h, "d") != "9" || text1(h, "l") != "3" || text1(h, "m") != "true" || text1(h, "n") != "b" || text1(h, "c") != "TBW102" {
		t.Error(describe(h, nil))
	}
	h, _, _ = splitFrame(t, AppendSendMessageV2(nil, 1, &SendMessage{}, 0))
	if text1(h, "d") != "4" || h.Value("l") != nil || h.Value("m") != nil || h.Value("n") != nil || h.Value("i") != nil {
		t.Error(describe(h, nil))
	}
}

func TestServerSideRequests(t *testing.T) {
	check := CheckTransaction{
		MsgID: []byte("m"), TransactionID: []byte("t"), OffsetMsgID: []byte("o"), BrokerName: []byte("b"),
		TranStateTableOffset: 1, CommitLogOffset: 2,
	}
	h, _, _ := splitFrame(t, AppendCheckTransaction(nil, 9, &check, 0))
	if got, err := ParseCheckTransaction(h); err != nil || !equalChecks(got, check) || !h.IsOneway() {
		t.Errorf("%+v %v", got, err)
	}
	h, _, _ = splitFrame(t, AppendNotifyConsumerIDs(nil, 9, &NotifyConsumerIDs{ConsumerGroup: []byte("g")}, 0))
	if got, err := ParseNotifyConsumerIDs(h); err != nil || string(got.ConsumerGroup) != "g" || !h.IsOneway() {
		t.Errorf("%+v %v", got, err)
	}
}

func equalChecks(a, b CheckTransaction) bool {
	return bytes.Equal(a.MsgID, b.MsgID) && bytes.Equal(a.TransactionID, b.TransactionID) &&
		bytes.Equal(a.OffsetMsgID, b.OffsetMsgID) && bytes.Equal(a.BrokerName, b.BrokerName) &&
		a.TranStateTableOffset == b.TranStateTableOffset && a.CommitLogOffset == b.CommitLogOffset
}
