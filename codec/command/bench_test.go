package command

import (
	"encoding/json"
	"testing"

	"rocketmq-proxy/pool/steady"
)

// hot are the walks that must not allocate.
func hot(t testing.TB) map[string]func() {
	headOf := func(name string) (SerializeType, []byte) {
		h, head, _ := splitFrame(t, readGolden(t, name))
		return h.Kind, head
	}
	parse := func(name string) func() {
		kind, head := headOf(name)
		h := new(Head)
		return func() {
			if err := ParseHead(h, kind, head); err != nil {
				panic(err)
			}
		}
	}
	request := func(name string) *Head {
		h, _ := golden(t, name)
		return h
	}
	dst := make([]byte, 0, 4096)
	send, pop, ack := readSend(request("send_request")), readPop(request("pop_request")), readAck(request("ack_request"))
	change := ChangeInvisible{ConsumerGroup: ack.ConsumerGroup, Topic: ack.Topic, ExtraInfo: ack.ExtraInfo}
	sendAnswer, popAnswer := request("send_response"), request("pop_fifo_again_response")
	pullAnswer, changeAnswer, offsetAnswer := request("pull_response"), request("change_invisible_response"), request("max_offset_response")
	pull := PullMessage{ConsumerGroup: ack.ConsumerGroup, Topic: ack.Topic, ExpressionType: []byte("TAG"), Expression: []byte("*"), MaxMsgNums: 32, SuspendTimeout: 15_000}
	end := EndTransaction{Topic: send.Topic, ProducerGroup: send.ProducerGroup, MsgID: send.Topic, TransactionID: send.Topic, CommitLogOffset: 4711}
	back := SendBack{Group: "readers", OriginMsgID: "0A00000100002A9F00000000000000FF", OriginTopic: "orders", Offset: 4711, MaxReconsumeTimes: 16}
	offset := ConsumerOffset{ConsumerGroup: "readers", Topic: "orders", QueueID: 3}
	frame := readGolden(t, "pop_response")
	info := new(PopInfo)
	return map[string]func(){
		"ParseHead/send_response": parse("send_response"),
		"ParseHead/pop_response":  parse("pop_response"),
		"ParseHead/ack_response":  parse("ack_response"),
		"ParseHead/send_request":  parse("send_request"),
		"ParseHead/pull_response": parse("pull_response"),
		"ParseHead/binary":        parse("binary_pop_response"), // the other encoding: some brokers answer in it
		"SplitFrame": func() {
			if _, _, _, err := SplitFrame(frame); err != nil {
				panic(err)
			}
		},
		"AppendPull":                 func() { AppendPull(dst, 7, &pull, 0) },
		"AppendSendBatch":            func() { AppendSendBatch(dst, 7, &send, 100) },
		"AppendEndTransaction":       func() { AppendEndTransaction(dst, 7, &end, 0) },
		"AppendSendBack":             func() { AppendSendBack(dst, 7, &back, 0) },
		"AppendUpdateConsumerOffset": func() { AppendUpdateConsumerOffset(dst, 7, &offset, 4711, 0) },
		"AppendRequest/binary":       func() { AppendRequest(dst, RocketMQ, RequestPopMessage, 7, 0, sendAnswer.Ext, 0) },
		"ParsePullResponse": func() {
			if _, err := ParsePullResponse(pullAnswer); err != nil {
				panic(err)
			}
		},
		"ParseChangeInvisibleResponse": func() {
			if _, err := ParseChangeInvisibleResponse(changeAnswer); err != nil {
				panic(err)
			}
		},
		"ParseOffsetResponse": func() {
			if _, err := ParseOffsetResponse(offsetAnswer); err != nil {
				panic(err)
			}
		},
		"ParseHead/pop_request": parse("pop_request"),
		"AppendSendMessageV2":   func() { AppendSendMessageV2(dst, 7, &send, 100) },
		"AppendPop":             func() { AppendPop(dst, 7, &pop, 0) },
		"AppendAck":             func() { AppendAck(dst, 7, &ack, 0) },
		"AppendChangeInvisible": func() { AppendChangeInvisible(dst, 7, &change, 0) },
		"AppendResponse":        func() { AppendResponse(dst, 7, 0, "", sendAnswer.Ext, 0) },
		"ParseSendResponse":     func() { _, _ = ParseSendResponse(sendAnswer) },
		"ParsePopResponse+PopInfo": func() {
			r, _ := ParsePopResponse(popAnswer)
			if info.Parse(&r) != nil || info.Queue('0', 0) == nil || info.OrderCount('0', 0, 0) == 0 {
				panic("pop answer")
			}
		},
	}
}

func TestHotWalksDoNotAllocate(t *testing.T) {
	steady.AllocateNothing(t, hot(t))
}

// BenchmarkEncodingJSON is the neighbour of ParseHead: the same heads by the standard library.
func BenchmarkEncodingJSON(b *testing.B) {
	for _, name := range []string{"send_response", "pop_response"} {
		_, head, _ := splitFrame(b, readGolden(b, name))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var h struct {
					Code, Opaque, Flag, Version int32
					Remark                      string
					ExtFields                   map[string]string
				}
				if err := json.Unmarshal(head, &h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCommand(b *testing.B) {
	steady.Benchmark(b, hot(b))
}
