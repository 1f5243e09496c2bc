package apiv2

import (
	"testing"

	"google.golang.org/protobuf/proto"
)

// The head with the body behind it is the message that went in.
func TestAppendDeliveredHead(t *testing.T) {
	rng := newRand()
	var m DeliveredMessage
	for range 1000 {
		want := &Message{}
		fill(rng, want.ProtoReflect())
		neverDelivered(want)
		m.Reset()
		deliver(&m, want)
		size := SizeDelivered(&m, len(want.Body))
		b := AppendDeliveredHead([]byte(prefix), &m, size)
		if got := len(b) - len(prefix); got != size.Head {
			t.Fatalf("head of %d bytes, %d promised", got, size.Head)
		}
		got := encoded(t, append(b, want.Body...), size.Total, &ReceiveMessageResponse{})
		wantEqual(t, got.GetMessage(), want)
	}
}

// neverDelivered takes away what DeliveredMessage has no place for, and adds what is always there.
func neverDelivered(m *Message) {
	if m.Topic == nil {
		m.Topic = &Resource{}
	}
	if m.SystemProperties == nil {
		m.SystemProperties = &SystemProperties{}
	}
	s := m.SystemProperties
	s.InvisibleDuration, s.OrphanedTransactionRecoveryDuration = nil, nil
	s.QueueOffset, s.DeliveryAttempt = proto.Int64(s.GetQueueOffset()), proto.Int32(s.GetDeliveryAttempt())
	if s.BodyDigest.GetChecksum() == "" {
		s.BodyDigest = nil
	} else {
		s.BodyDigest.Type = DigestType_MD5
	}
	if proto.Size(s.DeadLetterQueue) == 0 {
		s.DeadLetterQueue = nil
	}
}

func deliver(m *DeliveredMessage, g *Message) {
	s := g.SystemProperties
	m.Topic = ResourceView{Namespace: []byte(g.Topic.ResourceNamespace), Name: []byte(g.Topic.Name)}
	for k, v := range g.UserProperties {
		m.UserProperties = append(m.UserProperties, Property{Key: []byte(k), Value: []byte(v)})
	}
	for _, key := range s.Keys {
		m.Keys = append(m.Keys, []byte(key))
	}
	m.Tag = nilOr(s.Tag)
	m.MessageID = []byte(s.MessageId)
	m.BodyDigest = []byte(s.BodyDigest.GetChecksum())
	m.BornHost, m.StoreHost = []byte(s.BornHost), []byte(s.StoreHost)
	m.ReceiptHandle = nilOr(s.ReceiptHandle)
	m.MessageGroup, m.TraceContext, m.LiteTopic = nilOr(s.MessageGroup), nilOr(s.TraceContext), nilOr(s.LiteTopic)
	if t := s.BornTimestamp; t != nil {
		m.BornTimestamp = Timestamp{t.Seconds, t.Nanos, true}
	}
	if t := s.StoreTimestamp; t != nil {
		m.StoreTimestamp = Timestamp{t.Seconds, t.Nanos, true}
	}
	if t := s.DeliveryTimestamp; t != nil {
		m.DeliveryTimestamp = Timestamp{t.Seconds, t.Nanos, true}
	}
	m.BodyEncoding, m.MessageType = s.BodyEncoding, s.MessageType
	m.QueueID, m.QueueOffset, m.DeliveryAttempt = s.QueueId, s.GetQueueOffset(), s.GetDeliveryAttempt()
	m.Priority, m.HasPriority = s.GetPriority(), s.Priority != nil
	m.DeadLetterTopic = []byte(s.DeadLetterQueue.GetTopic())
	m.DeadLetterMessageID = []byte(s.DeadLetterQueue.GetMessageId())
}

func nilOr(s *string) []byte {
	if s == nil {
		return nil
	}
	return append([]byte{}, *s...)
}

// A broker's bytes that are no UTF-8 would make the client refuse the whole element.
func TestRepair(t *testing.T) {
	bad := func() []byte { return []byte("a\xffb") }
	m := DeliveredMessage{
		Topic:               ResourceView{Namespace: bad(), Name: bad()},
		UserProperties:      []Property{{Key: bad(), Value: bad()}, {Key: []byte("fine"), Value: []byte("fine")}},
		Keys:                [][]byte{bad(), []byte("fine")},
		Tag:                 bad(),
		MessageID:           bad(),
		BodyDigest:          bad(),
		BornHost:            bad(),
		StoreHost:           bad(),
		ReceiptHandle:       bad(),
		MessageGroup:        bad(),
		TraceContext:        bad(),
		LiteTopic:           bad(),
		DeadLetterTopic:     bad(),
		DeadLetterMessageID: bad(),
	}
	decode := func() (*ReceiveMessageResponse, error) {
		got := &ReceiveMessageResponse{}
		return got, proto.Unmarshal(AppendDeliveredHead(nil, &m, SizeDelivered(&m, 0)), got)
	}
	if _, err := decode(); err == nil {
		t.Fatal("the broken message was accepted")
	}
	m.Repair()
	got, err := decode()
	if err != nil {
		t.Fatal(err)
	}
	const repaired = "a\uFFFDb"
	if s := got.GetMessage().GetSystemProperties(); s.GetTag() != repaired || s.Keys[0] != repaired || s.Keys[1] != "fine" {
		t.Errorf("got %v", s)
	}
	if p := got.GetMessage().GetUserProperties(); p[repaired] != repaired || p["fine"] != "fine" {
		t.Errorf("got %v", p)
	}
}
