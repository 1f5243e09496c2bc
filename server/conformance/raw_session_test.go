package conformance

import (
	"strings"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/types/known/durationpb"
)

// TestHandlesAreChecked in acks, changes and forwards.
func TestHandlesAreChecked(t *testing.T) {
	eachTransport(t, "stubs: sessions and handles", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		p.opens().settles(p.consumerSettings(v2.ClientType_SIMPLE_CONSUMER, name, group, "*"))
		const garbage = "garbage"
		expired := "0 1000 1000 0 0 " + p.brokerName + " 0 0 0"
		strange := "0 " + millisFromNow(0) + " 60000 0 0 no-such-broker 0 0 0"
		// Java takes a handle it cannot read for a failure of its own.
		unread := code(v2.Code_INTERNAL_SERVER_ERROR, v2.Code_INVALID_RECEIPT_HANDLE)
		invalid := code(v2.Code_INVALID_RECEIPT_HANDLE)

		ack := func(what string, want []v2.Code, handles ...string) refusal {
			return refusal{"ack " + what, func(p peer) (*v2.Status, error) {
				request := &v2.AckMessageRequest{Topic: resource(name), Group: resource(group)}
				for _, h := range handles {
					request.Entries = append(request.Entries, &v2.AckMessageEntry{MessageId: "m", ReceiptHandle: h})
				}
				answer, err := p.AckMessage(p.with(), request)
				if len(answer.GetEntries()) != len(handles) {
					p.Errorf("ack %s: %d entries for %d", what, len(answer.GetEntries()), len(handles))
				}
				for i, e := range answer.GetEntries() {
					if e.GetReceiptHandle() != handles[i] || e.GetMessageId() != "m" {
						p.Errorf("ack %s: entry %v", what, e)
					}
				}
				return answer.GetStatus(), err
			}, want}
		}
		change := func(what, handle string, invisible time.Duration, want []v2.Code) refusal {
			return refusal{"change " + what, func(p peer) (*v2.Status, error) {
				answer, err := p.ChangeInvisibleDuration(p.with(), &v2.ChangeInvisibleDurationRequest{
					Topic: resource(name), Group: resource(group), ReceiptHandle: handle, MessageId: "m", InvisibleDuration: durationpb.New(invisible),
				})
				return answer.GetStatus(), err
			}, want}
		}
		forward := func(what, handle string, want []v2.Code) refusal {
			return refusal{"forward " + what, func(p peer) (*v2.Status, error) {
				answer, err := p.ForwardMessageToDeadLetterQueue(p.with(), &v2.ForwardMessageToDeadLetterQueueRequest{
					Topic: resource(name), Group: resource(group), ReceiptHandle: handle, MessageId: "m",
				})
				return answer.GetStatus(), err
			}, want}
		}
		refused(p, []refusal{
			ack("nothing", code(v2.Code_INTERNAL_SERVER_ERROR, v2.Code_BAD_REQUEST, v2.Code_INVALID_RECEIPT_HANDLE)),
			ack("garbage", unread, garbage),
			ack("expired", invalid, expired),
			ack("unknown broker", invalid, strange),
			ack("expired and garbage", code(v2.Code_MULTIPLE_RESULTS, v2.Code_INVALID_RECEIPT_HANDLE), expired, garbage),
			change("garbage", garbage, 10*time.Second, unread),
			change("expired", expired, 10*time.Second, invalid),
			change("for 13 h", expired, 13*time.Hour, code(v2.Code_ILLEGAL_INVISIBLE_TIME)),
			change("for less than nothing", expired, -time.Second, code(v2.Code_ILLEGAL_INVISIBLE_TIME)),
			forward("garbage", garbage, unread),
			forward("without a commit log offset", strings.TrimSuffix(expired, " 0"), invalid),
		})
	})
}

// TestClientsAreKnownByTheirSettings, until they say goodbye.
func TestClientsAreKnownByTheirSettings(t *testing.T) {
	eachTransport(t, "stubs: sessions and handles", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		heartbeat := func(what string, group string, want v2.Code) refusal {
			return refusal{"heartbeat " + what, func(p peer) (*v2.Status, error) {
				request := &v2.HeartbeatRequest{ClientType: v2.ClientType_PRODUCER}
				if group != "" {
					request.Group = resource(group)
				}
				answer, err := p.Heartbeat(p.with(), request)
				return answer.GetStatus(), err
			}, code(want)}
		}
		goodbye := func(what string, group string, want v2.Code) refusal {
			return refusal{"goodbye " + what, func(p peer) (*v2.Status, error) {
				answer, err := p.NotifyClientTermination(p.with(), &v2.NotifyClientTerminationRequest{Group: resource(group)})
				return answer.GetStatus(), err
			}, code(want)}
		}
		refused(p.another(), []refusal{
			heartbeat("of a stranger", "", v2.Code_UNRECOGNIZED_CLIENT_TYPE),
			goodbye("of a stranger", group, v2.Code_UNRECOGNIZED_CLIENT_TYPE),
		})

		producer := p.another()
		producer.opens().settles(p.producerSettings(name))
		refused(producer, []refusal{
			heartbeat("of a producer", "", v2.Code_OK),
			goodbye("of a producer", "", v2.Code_OK),
			heartbeat("after it", "", v2.Code_UNRECOGNIZED_CLIENT_TYPE),
		})
		consumer := p.another()
		consumer.opens().settles(p.consumerSettings(v2.ClientType_PUSH_CONSUMER, name, group, "*"))
		refused(consumer, []refusal{
			heartbeat("of a consumer", group, v2.Code_OK),
			heartbeat("of a consumer without a group", "", v2.Code_ILLEGAL_CONSUMER_GROUP),
			goodbye("of a consumer", group, v2.Code_OK),
			heartbeat("after it", group, v2.Code_UNRECOGNIZED_CLIENT_TYPE),
		})
	})
}
