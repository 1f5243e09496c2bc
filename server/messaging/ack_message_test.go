package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/backend"
)

func ackRequest(handles ...string) *apiv2.AckMessageRequest {
	r := &apiv2.AckMessageRequest{Group: resource("readers"), Topic: resource("orders")}
	for i, h := range handles {
		r.Entries = append(r.Entries, &apiv2.AckMessageEntry{MessageId: fmt.Sprint("ID", i), ReceiptHandle: h})
	}
	return r
}

// entries checks the entries of an answer: they echo the request, and end as wanted.
func (c *callStream) entries(code apiv2.Code, text string, want ...string) {
	c.Helper()
	var answer apiv2.AckMessageResponse
	c.says(&answer, code, text)
	var got []string
	for _, e := range answer.GetEntries() {
		got = append(got, fmt.Sprint(e.GetMessageId(), " ", int32(e.GetStatus().GetCode()), " ", e.GetStatus().GetMessage()))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.Errorf("entries %q, want %q", got, want)
	}
}

func TestAckOne(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	request := ackRequest(handleAt(w.now, 5))
	request.Entries[0].LiteTopic = proto.String("lite")
	c := p.call("AckMessage", request)
	p.hears("ack readers/orders@5")
	op := asked[*backend.Ack](p, 0)
	if string(op.LiteTopic) != "lite" || op.Handle.CommitLogOffset != 987654 || string(op.Handle.Broker) != "broker-a" {
		t.Errorf("%+v", op.Delivery)
	}
	op.Known = true
	p.reply(&op.Exchange, backend.Fault{})
	c.entries(apiv2.Code_OK, "OK", "ID0 20000 OK")
	var answer apiv2.AckMessageResponse
	c.answer(&answer)
	if got := answer.GetEntries()[0].GetReceiptHandle(); got != handleAt(w.now, 5) {
		t.Errorf("the handle %q is not the request's", got)
	}
}

// TestAckSeveral: answers that come in any order are told in the order of the request.
func TestAckSeveral(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	expired := handleAt(w.now.Add(-time.Minute), 9)
	c := p.call("AckMessage", ackRequest(handleAt(w.now, 0), "garbage", handleAt(w.now, 2), expired, handleAt(w.now, 4), handleAt(w.now, 5), handleAt(w.now, 6)))
	p.hears("ack readers/orders@0", "ack readers/orders@2", "ack readers/orders@4", "ack readers/orders@5", "ack readers/orders@6")
	last := asked[*backend.Ack](p, 4)
	last.Known = true
	p.reply(&last.Exchange, backend.Fault{})
	p.reply(&asked[*backend.Ack](p, 3).Exchange, backend.Fault{Kind: backend.Timeout, Text: "too late"})
	p.reply(&asked[*backend.Ack](p, 2).Exchange, backend.Fault{Kind: backend.BadHandle, Text: "cannot find broker broker-a"})
	p.reply(&asked[*backend.Ack](p, 1).Exchange, backend.Fault{}) // the broker did not know it
	if c.ended {
		t.Fatal("answered before the last entry came")
	}
	first := asked[*backend.Ack](p, 0)
	first.Known = true
	p.reply(&first.Exchange, backend.Fault{})
	c.entries(apiv2.Code_MULTIPLE_RESULTS, "MULTIPLE_RESULTS",
		"ID0 20000 OK",
		"ID1 50001 receipt handle is invalid: handle: not a receipt handle",
		"ID2 50001 ack failed: status is abnormal",
		"ID3 40013 receipt handle is expired",
		"ID4 40013 cannot find broker broker-a",
		"ID5 50400 too late",
		"ID6 20000 OK")
}

func TestAckRefuses(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	good := handleAt(w.now, 1)
	p.call("AckMessage", ackRequest()).entries(apiv2.Code_INTERNAL_SERVER_ERROR, "ack message result is empty")
	request := ackRequest(good)
	request.Topic.Name = ""
	p.call("AckMessage", request).entries(apiv2.Code_ILLEGAL_TOPIC, "The specified topic is blank")
	request = ackRequest(good)
	request.Group = nil
	p.call("AckMessage", request).entries(apiv2.Code_ILLEGAL_CONSUMER_GROUP, "the specified group is blank")
	p.call("AckMessage", ackRequest(good), "x-mq-language", "GO").entries(apiv2.Code_CLIENT_ID_REQUIRED, "client id cannot be empty")
	p.call("AckMessage", ackRequest("")).entries(apiv2.Code_INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR",
		"ID0 50001 receipt handle is invalid: handle: not a receipt handle")
	c := p.open("AckMessage")
	c.raw([]byte{0xFF}, frame.FlagEndStream)
	if !strings.HasPrefix(c.status(), "13 Invalid protobuf byte sequence: ") {
		t.Error(c.status())
	}
	p.hears()
}

// TestAckCanceled: the acks go on, and nobody hears of them.
func TestAckCanceled(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	p.open("AckMessage").cancel()
	c := p.call("AckMessage", ackRequest(handleAt(w.now, 0), handleAt(w.now, 1)))
	p.reply(&asked[*backend.Ack](p, 0).Exchange, backend.Fault{})
	c.cancel()
	p.hears("ack readers/orders@0", "ack readers/orders@1")
	p.works()
	p.call("AckMessage", ackRequest(handleAt(w.now, 2)))
	p.close()
	p.works()
}

// TestAckAnswerWaitsForTheWindow while others use the memory of calls.
func TestAckAnswerWaitsForTheWindow(t *testing.T) {
	w := newWorld(t)
	p := w.connect(10)
	c := p.call("AckMessage", ackRequest(handleAt(w.now, 0), handleAt(w.now, 1)))
	asked[*backend.Ack](p, 0).Known, asked[*backend.Ack](p, 1).Known = true, true
	p.works()
	other := p.call("AckMessage", ackRequest(handleAt(w.now, 3)))
	p.works()
	other.cancel()
	c.window(1000)
	c.entries(apiv2.Code_OK, "OK", "ID0 20000 OK", "ID1 20000 OK")
}

func changeRequest(handle string, d time.Duration) *apiv2.ChangeInvisibleDurationRequest {
	return &apiv2.ChangeInvisibleDurationRequest{
		Group: resource("readers"), Topic: resource("orders"), ReceiptHandle: handle, MessageId: "ID1", InvisibleDuration: durationpb.New(d),
	}
}

func TestChangeInvisible(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	request := changeRequest(handleAt(w.now, 5), 15*time.Second)
	request.Suspend = proto.Bool(true)
	c := p.call("ChangeInvisibleDuration", request)
	p.hears("change readers/orders@5 to 15s suspended")
	op := asked[*backend.ChangeInvisible](p, 0)
	op.Known, op.NewHandle = true, append(op.NewHandle, "new handle"...)
	p.reply(&op.Exchange, backend.Fault{})
	var answer apiv2.ChangeInvisibleDurationResponse
	c.says(&answer, apiv2.Code_OK, "OK")
	if answer.GetReceiptHandle() != "new handle" {
		t.Errorf("handle %q", answer.GetReceiptHandle())
	}

	c = p.call("ChangeInvisibleDuration", changeRequest(handleAt(w.now, 5), 0))
	p.hears("change readers/orders@5 to 0s")
	op = asked[*backend.ChangeInvisible](p, 0)
	op.NewHandle = append(op.NewHandle, "a leftover"...)
	p.reply(&op.Exchange, backend.Fault{}) // the broker did not know it
	c.says(&answer, apiv2.Code_INTERNAL_SERVER_ERROR, "changeInvisibleDuration failed: status is abnormal")
	if answer.GetReceiptHandle() != "" {
		t.Errorf("handle %q", answer.GetReceiptHandle())
	}
}

func TestChangeInvisibleFails(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	for kind, code := range codes[1:] {
		f := backend.Fault{Kind: backend.Kind(kind + 1), Text: "it broke"}
		c := p.call("ChangeInvisibleDuration", changeRequest(handleAt(w.now, 5), time.Second))
		p.reply(&asked[*backend.ChangeInvisible](p, 0).Exchange, f)
		c.says(&apiv2.ChangeInvisibleDurationResponse{}, code, "it broke")
	}
}

func TestChangeInvisibleRefuses(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	good := handleAt(w.now, 1)
	for _, test := range []struct {
		request *apiv2.ChangeInvisibleDurationRequest
		code    apiv2.Code
		text    string
	}{
		{&apiv2.ChangeInvisibleDurationRequest{}, 40002, "The specified topic is blank"},
		{&apiv2.ChangeInvisibleDurationRequest{Topic: resource("orders")}, 40003, "the specified group is blank"},
		{changeRequest("garbage", -time.Millisecond), 40011, "the invisibleTime is too small. min is 0"},
		{changeRequest("garbage", 12*time.Hour+time.Millisecond), 40011, "the invisibleTime is too large. max is 43200000"},
		{changeRequest("garbage", 12*time.Hour), 50001, "receipt handle is invalid: handle: not a receipt handle"},
		{changeRequest(handleAt(w.now.Add(-time.Minute), 1), 0), 40013, "receipt handle is expired"},
	} {
		p.call("ChangeInvisibleDuration", test.request).says(&apiv2.ChangeInvisibleDurationResponse{}, test.code, test.text)
	}
	p.call("ChangeInvisibleDuration", changeRequest(good, 0), "x-mq-client-id", "").
		says(&apiv2.ChangeInvisibleDurationResponse{}, apiv2.Code_CLIENT_ID_REQUIRED, "client id cannot be empty")
	p.open("ChangeInvisibleDuration").cancel()
	p.hears()
	p.call("ChangeInvisibleDuration", changeRequest(good, 0)).cancel()
	p.works()
}
