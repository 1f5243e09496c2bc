package messaging

import (
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

func forwardRequest(handle string) *apiv2.ForwardMessageToDeadLetterQueueRequest {
	return &apiv2.ForwardMessageToDeadLetterQueueRequest{Group: resource("readers"), Topic: resource("orders"), ReceiptHandle: handle, MessageId: "ID1"}
}

// TestForward ends the delivery when the message has become a dead letter, and only then.
func TestForward(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	c := p.call("ForwardMessageToDeadLetterQueue", forwardRequest(handleAt(w.now, 5)))
	p.hears("dead readers/orders@5 id ID1")
	p.reply(&asked[*backend.DeadLetter](p, 0).Exchange, backend.Fault{})
	c.says(&apiv2.ForwardMessageToDeadLetterQueueResponse{}, apiv2.Code_OK, "0")
	p.hears("ack readers/orders@5")
	p.works()

	for kind, code := range codes[1:] {
		if backend.Kind(kind+1) == backend.BadBroker { // which the handle named
			code = apiv2.Code_INVALID_RECEIPT_HANDLE
		}
		c = p.call("ForwardMessageToDeadLetterQueue", forwardRequest(handleAt(w.now, 5)))
		p.reply(&asked[*backend.DeadLetter](p, 0).Exchange, backend.Fault{Kind: backend.Kind(kind + 1), Text: "it broke"})
		c.says(&apiv2.ForwardMessageToDeadLetterQueueResponse{}, code, "it broke")
		p.hears("dead readers/orders@5 id ID1")
	}

	p.call("ForwardMessageToDeadLetterQueue", forwardRequest(handleAt(w.now, 6))).cancel()
	p.works()
	p.hears("dead readers/orders@6 id ID1", "ack readers/orders@6")
}

func TestForwardRefuses(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	good := handleAt(w.now, 5)
	for _, test := range []struct {
		change func(*apiv2.ForwardMessageToDeadLetterQueueRequest)
		code   apiv2.Code
		text   string
	}{
		{func(r *apiv2.ForwardMessageToDeadLetterQueueRequest) { r.Topic = nil }, 40002, "The specified topic is blank"},
		{func(r *apiv2.ForwardMessageToDeadLetterQueueRequest) { r.Group = nil }, 40003, "the specified group is blank"},
		{func(r *apiv2.ForwardMessageToDeadLetterQueueRequest) { r.ReceiptHandle = "garbage" }, 50001, "receipt handle is invalid: handle: not a receipt handle"},
		{func(r *apiv2.ForwardMessageToDeadLetterQueueRequest) {
			r.ReceiptHandle = strings.TrimSuffix(good, " 987654")
		}, 40013, "commit log offset is empty"},
	} {
		request := forwardRequest(good)
		test.change(request)
		p.call("ForwardMessageToDeadLetterQueue", request).says(&apiv2.ForwardMessageToDeadLetterQueueResponse{}, test.code, test.text)
	}
	p.hears()

	// Whether the delivery has expired is not asked.
	c := p.call("ForwardMessageToDeadLetterQueue", forwardRequest(handleAt(w.now.Add(-time.Hour), 5)))
	p.works()
	c.says(&apiv2.ForwardMessageToDeadLetterQueueResponse{}, apiv2.Code_OK, "0")
}
