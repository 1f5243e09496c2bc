package conformance

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/types/known/durationpb"
)

// consumer is a client with the settings of a simple consumer.
func (p peer) consumer(topic, group string) peer {
	p.Helper()
	c := p.another()
	c.opens().settles(p.consumerSettings(v2.ClientType_SIMPLE_CONSUMER, topic, group, "*"))
	return c
}

// TestMessageIsDeliveredWithItsSystemProperties looks at every field.
func TestMessageIsDeliveredWithItsSystemProperties(t *testing.T) {
	eachTransport(t, "stubs: messages on the wire", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		c := p.consumer(name, group)
		sent := message(name)
		entry := p.sends(sent)
		if entry.GetMessageId() != sent.SystemProperties.MessageId || entry.GetStatus().GetCode() != v2.Code_OK {
			p.Errorf("sent with %v", entry)
		}

		var got polled
		for range 4 {
			var err error
			if got, err = c.polls(c.with(), receiveRequest(name, group)); err != nil {
				p.Fatal(err)
			}
			if len(got.messages) > 0 {
				break
			}
			if want := []string{"status", "delivery_timestamp"}; !slices.Equal(got.elements, want) || got.status.GetCode() != v2.Code_MESSAGE_NOT_FOUND {
				p.Errorf("an empty poll streams %v with %v", got.elements, got.status)
			}
		}
		if want := []string{"status", "message", "delivery_timestamp"}; !slices.Equal(got.elements, want) {
			p.Fatalf("streamed %v, want %v", got.elements, want)
		}
		if got.status.GetCode() != v2.Code_OK || time.Since(got.delivered.AsTime()).Abs() > time.Minute {
			p.Errorf("status %v, delivered %v", got.status, got.delivered)
		}

		m, s := got.messages[0], got.messages[0].GetSystemProperties()
		digest := md5.Sum(sent.Body)
		for what, ok := range map[string]bool{
			"topic":           m.GetTopic().GetName() == name,
			"body":            string(m.GetBody()) == string(sent.Body),
			"user properties": maps.Equal(m.GetUserProperties(), sent.UserProperties),
			"tag":             s.GetTag() == "red",
			"keys":            slices.Equal(s.GetKeys(), []string{"k1", "k2"}),
			"message id":      s.GetMessageId() == sent.SystemProperties.MessageId,
			"digest type":     s.GetBodyDigest().GetType() == v2.DigestType_MD5,
			"digest":          s.GetBodyDigest().GetChecksum() == strings.ToUpper(hex.EncodeToString(digest[:])),
			"encoding":        s.GetBodyEncoding() == v2.Encoding_IDENTITY,
			"message type":    s.GetMessageType() == v2.MessageType_NORMAL,
			"born timestamp":  s.GetBornTimestamp().AsTime().UnixMilli() == sent.SystemProperties.BornTimestamp.AsTime().UnixMilli(),
			"born host":       s.GetBornHost() == "here",
			"store timestamp": time.Since(s.GetStoreTimestamp().AsTime()).Abs() < time.Minute,
			"store host":      strings.Contains(s.GetStoreHost(), ":"),
			"receipt handle":  len(strings.Split(s.GetReceiptHandle(), " ")) == 9,
			"attempt":         s.GetDeliveryAttempt() == 1,
			"invisible":       s.InvisibleDuration == nil,
			"offset":          s.GetQueueOffset() == entry.GetOffset(),
			"message group":   s.MessageGroup == nil,
		} {
			if !ok {
				p.Errorf("%s of %v", what, m)
			}
		}

		answer, err := c.AckMessage(c.with(), &v2.AckMessageRequest{
			Topic: resource(name), Group: resource(group),
			Entries: []*v2.AckMessageEntry{{MessageId: s.GetMessageId(), ReceiptHandle: s.GetReceiptHandle()}},
		})
		if err != nil || answer.GetStatus().GetCode() != v2.Code_OK || len(answer.GetEntries()) != 1 ||
			answer.GetEntries()[0].GetStatus().GetCode() != v2.Code_OK {
			p.Errorf("acknowledged with %v, %v", answer, err)
		}
	})
}

// TestChangeGivesANewHandle, and the new one acknowledges.
func TestChangeGivesANewHandle(t *testing.T) {
	eachTransport(t, "stubs: messages on the wire", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		c := p.consumer(name, group)
		p.sends(message(name))
		s := c.gets(name, group).GetSystemProperties()
		changed, err := c.ChangeInvisibleDuration(c.with(), &v2.ChangeInvisibleDurationRequest{
			Topic: resource(name), Group: resource(group),
			ReceiptHandle: s.GetReceiptHandle(), MessageId: s.GetMessageId(), InvisibleDuration: durationpb.New(40 * time.Second),
		})
		if err != nil || changed.GetStatus().GetCode() != v2.Code_OK {
			p.Fatalf("changed with %v, %v", changed, err)
		}
		before, after := strings.Split(s.GetReceiptHandle(), " "), strings.Split(changed.GetReceiptHandle(), " ")
		if len(after) != 9 || after[2] != "40000" || !slices.Equal(after[5:], before[5:]) {
			p.Errorf("handle %q became %q", before, after)
		}
		acked, err := c.AckMessage(c.with(), &v2.AckMessageRequest{
			Topic: resource(name), Group: resource(group),
			Entries: []*v2.AckMessageEntry{{MessageId: s.GetMessageId(), ReceiptHandle: changed.GetReceiptHandle()}},
		})
		if err != nil || acked.GetStatus().GetCode() != v2.Code_OK {
			p.Errorf("acknowledged with %v, %v", acked, err)
		}
	})
}

// TestForwardedMessageIsADeadLetter: it stands in the topic of %DLQ% and the
// group's name, under its own id. (The broker does not note where it was, so
// dead_letter_queue is empty.)
func TestForwardedMessageIsADeadLetter(t *testing.T) {
	eachTransport(t, "stubs: messages on the wire", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		c := p.consumer(name, group)
		sent := message(name)
		p.sends(sent)
		s := c.gets(name, group).GetSystemProperties()
		answer, err := c.ForwardMessageToDeadLetterQueue(c.with(), &v2.ForwardMessageToDeadLetterQueueRequest{
			Topic: resource(name), Group: resource(group), ReceiptHandle: s.GetReceiptHandle(), MessageId: s.GetMessageId(),
			DeliveryAttempt: 1, MaxDeliveryAttempts: 1,
		})
		if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
			p.Fatalf("forwarded with %v, %v", answer, err)
		}

		dead, undertaker := "%DLQ%"+group, freshName(p.T)
		if !p.local() {
			if err := p.target.cluster.AwaitRoute(p.with(), dead); err != nil {
				p.Fatal(err)
			}
		}
		got := p.consumer(dead, undertaker).gets(dead, undertaker)
		if string(got.GetBody()) != string(sent.Body) || got.GetTopic().GetName() != dead || got.GetSystemProperties().GetMessageId() != s.GetMessageId() {
			p.Errorf("dead letter %v, want message %s in topic %s", got, s.GetMessageId(), dead)
		}
	})
}

// TestBatchIsSentInOneCall: three messages, and every id in the answer. Java
// joins the ids in one entry; an entry each is as good.
func TestBatchIsSentInOneCall(t *testing.T) {
	eachTransport(t, "batch send", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		c := p.consumer(name, group)
		var sent []*v2.Message
		var want []string
		for range 3 {
			m := message(name)
			sent, want = append(sent, m), append(want, m.SystemProperties.MessageId)
		}
		answer, err := p.SendMessage(p.with(), &v2.SendMessageRequest{Messages: sent})
		if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
			p.Fatalf("sent with %v, %v", answer, err)
		}
		var ids []string
		for _, e := range answer.GetEntries() {
			ids = append(ids, strings.Split(e.GetMessageId(), ",")...)
		}
		if !slices.Equal(ids, want) {
			p.Errorf("sent %q, answered %q", want, ids)
		}
		var got []string
		for range want {
			got = append(got, c.gets(name, group).GetSystemProperties().GetMessageId())
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			p.Errorf("sent %q, received %q", want, got)
		}
	})
}
