package messaging

import (
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
)

var recallText = string(handle.AppendRecall(nil, &handle.Recall{
	Topic: []byte("orders"), Broker: []byte("broker-a"), Timestamp: 1_800_000_000_001, MessageID: []byte("ID1"),
}))

func recallRequest(topic, text string) *apiv2.RecallMessageRequest {
	return &apiv2.RecallMessageRequest{Topic: resource(topic), RecallHandle: text}
}

func TestRecall(t *testing.T) {
	p := newWorld(t).connect()
	c := p.call("RecallMessage", recallRequest("orders", recallText))
	op := asked[*backend.Recall](p, 0)
	if string(op.Text) != recallText || string(op.Handle.Broker) != "broker-a" || string(op.Topic) != "orders" {
		t.Errorf("%+v", op)
	}
	op.MessageID = append(op.MessageID, "ID1"...)
	p.reply(&op.Exchange, backend.Fault{})
	var answer apiv2.RecallMessageResponse
	c.says(&answer, apiv2.Code_OK, "OK")
	if answer.GetMessageId() != "ID1" {
		t.Error(answer.GetMessageId())
	}
	eachFault(t, func(t *testing.T, f backend.Fault, code string) {
		p := newWorld(t).connect()
		c := p.call("RecallMessage", recallRequest("orders", recallText))
		p.reply(&asked[*backend.Recall](p, 0).Exchange, f)
		c.says(&apiv2.RecallMessageResponse{}, apiv2.Code(apiv2.Code_value[code]), "it broke")
		c = p.call("RecallMessage", recallRequest("unheard", recallText))
		p.reply(&asked[*backend.FetchTopic](p, 0).Exchange, f)
		c.says(&apiv2.RecallMessageResponse{}, apiv2.Code(apiv2.Code_value[code]), "it broke")
	})
	p.call("RecallMessage", recallRequest("orders", recallText)).cancel()
	p.works() // and nobody is answered
}

func TestRecallRefuses(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []backend.MessageType{backend.TypeNormal, backend.TypeDelay, backend.TypeAny, backend.TypeTransaction} {
		w.fake.know(&backend.Topic{Name: "of-" + kind.String(), Exists: true, Type: kind})
	}
	p := w.connect()
	const conflict = "TopicMessageType validate failed, the expected type is "
	for _, test := range []struct {
		topic, handle string
		code          apiv2.Code
		text          string
	}{
		{"", "", 40002, "The specified topic is blank"},
		{"of-NORMAL", "", 40014, conflict + "NORMAL, but actual type is DELAY"},
		{"of-TRANSACTION", recallText, 40014, conflict + "TRANSACTION, but actual type is DELAY"},
		{"orders", "", 50001, "recall handle is invalid"},
		{"of-DELAY", "!", 50001, "recall handle is invalid"},
		{"of-ANY", "djE", 50001, "recall handle is invalid"},
	} {
		p.call("RecallMessage", recallRequest(test.topic, test.handle)).says(&apiv2.RecallMessageResponse{}, test.code, test.text)
	}
	p.hears()

	// A topic that does not exist has no type.
	c := p.call("RecallMessage", recallRequest("unheard", recallText))
	op := asked[*backend.FetchTopic](p, 0)
	op.Found = &backend.Topic{Name: "unheard"}
	p.reply(&op.Exchange, backend.Fault{})
	c.says(&apiv2.RecallMessageResponse{}, 40014, conflict+"UNSPECIFIED, but actual type is DELAY")
	p.hears("topic unheard")

	// Types may be nobody's business.
	p = newWorld(t, func(c *Config) { c.TypeCheck = false }).connect()
	p.call("RecallMessage", recallRequest("unheard", recallText))
	p.hears("recall ID1 of unheard")
	p.works()
}
