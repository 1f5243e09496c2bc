package apiv2

import (
	"testing"

	"google.golang.org/protobuf/proto"
)

// encoded checks that size told the truth and that dst was appended to, and decodes the rest.
func encoded[M proto.Message](t *testing.T, b []byte, size int, into M) M {
	t.Helper()
	if string(b[:len(prefix)]) != prefix {
		t.Fatalf("the prefix was overwritten: %q", b)
	}
	if got := len(b) - len(prefix); got != size {
		t.Fatalf("%d bytes appended, %d promised", got, size)
	}
	if err := proto.Unmarshal(b[len(prefix):], into); err != nil {
		t.Fatal(err)
	}
	return into
}

const prefix = "kept"

func TestAppendSendMessageResponse(t *testing.T) {
	rng := newRand()
	for range 500 {
		want := &SendMessageResponse{}
		fill(rng, want.ProtoReflect())
		status, entries := outcomeOf(&want.Status), []SendResult(nil)
		for _, e := range want.Entries {
			entries = append(entries, SendResult{
				Outcome:       outcomeOf(&e.Status),
				MessageID:     []byte(e.MessageId),
				TransactionID: []byte(e.TransactionId),
				Offset:        e.Offset,
				RecallHandle:  []byte(e.RecallHandle),
			})
		}
		b := AppendSendMessageResponse([]byte(prefix), status, entries)
		got := encoded(t, b, SizeSendMessageResponse(status, entries), &SendMessageResponse{})
		wantEqual(t, got, want)
	}
}

func TestAppendAckMessageResponse(t *testing.T) {
	rng := newRand()
	for range 500 {
		want := &AckMessageResponse{}
		fill(rng, want.ProtoReflect())
		status, entries := outcomeOf(&want.Status), []AckResult(nil)
		for _, e := range want.Entries {
			entries = append(entries, AckResult{
				MessageID:     []byte(e.MessageId),
				ReceiptHandle: []byte(e.ReceiptHandle),
				Outcome:       outcomeOf(&e.Status),
			})
		}
		b := AppendAckMessageResponse([]byte(prefix), status, entries)
		got := encoded(t, b, SizeAckMessageResponse(status, entries), &AckMessageResponse{})
		wantEqual(t, got, want)
	}
}

func TestAppendChangeInvisibleDurationResponse(t *testing.T) {
	rng := newRand()
	for range 500 {
		want := &ChangeInvisibleDurationResponse{}
		fill(rng, want.ProtoReflect())
		status, handle := outcomeOf(&want.Status), []byte(want.ReceiptHandle)
		b := AppendChangeInvisibleDurationResponse([]byte(prefix), status, handle)
		got := encoded(t, b, SizeChangeInvisibleDurationResponse(status, handle), &ChangeInvisibleDurationResponse{})
		wantEqual(t, got, want)
	}
}

func TestAppendElementStatus(t *testing.T) {
	for _, status := range []Outcome{{}, {Code: Code_OK, Message: "OK"}, {Code: Code_MESSAGE_NOT_FOUND}, {Message: "消息"}} {
		b := AppendElementStatus([]byte(prefix), status)
		want := &Status{Code: status.Code, Message: status.Message}
		wantEqual(t, encoded(t, b, SizeElementStatus(status), &ReceiveMessageResponse{}).GetStatus(), want)
		wantEqual(t, encoded(t, b, SizeElementStatus(status), &PullMessageResponse{}).GetStatus(), want)
	}
}

func TestAppendReceiveDeliveryTimestamp(t *testing.T) {
	for _, millis := range []int64{0, 1, 1763939807123, -1} {
		want := TimestampOfMillis(millis)
		b := AppendReceiveDeliveryTimestamp([]byte(prefix), want)
		got := encoded(t, b, SizeReceiveDeliveryTimestamp(want), &ReceiveMessageResponse{})
		wantEqual(t, got.GetDeliveryTimestamp(), timestampSeen(want))
	}
	b := AppendReceiveDeliveryTimestamp([]byte(prefix), Timestamp{})
	if got := encoded(t, b, SizeReceiveDeliveryTimestamp(Timestamp{}), &ReceiveMessageResponse{}); got.GetDeliveryTimestamp() == nil {
		t.Error("a timestamp that was not Set was left out")
	}
}

func TestAppendPullNextOffset(t *testing.T) {
	for _, want := range []int64{0, 1, 1 << 40, -1} {
		b := AppendPullNextOffset([]byte(prefix), want)
		got := encoded(t, b, SizePullNextOffset(want), &PullMessageResponse{})
		if next, is := got.GetContent().(*PullMessageResponse_NextOffset); !is || next.NextOffset != want {
			t.Errorf("%v, want %d", got, want)
		}
	}
}

// outcomeOf is the outcome of a status; encoders always write one, so it is made present.
func outcomeOf(status **Status) Outcome {
	if *status == nil {
		*status = &Status{}
	}
	return Outcome{Code: (*status).Code, Message: (*status).Message}
}
