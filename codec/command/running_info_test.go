package command

import (
	"errors"
	"testing"
)

func TestConsumerQuestion(t *testing.T) {
	field := func(key, value string) Field { return Field{Key: []byte(key), Value: []byte(value)} }
	ext := []Field{field("jstackEnable", "true"), field("consumerGroup", "g"), field("clientId", "c")}
	r, err := ParseConsumerQuestion(&Head{Ext: ext})
	if err != nil || string(r.ConsumerGroup) != "g" || string(r.ClientID) != "c" || !r.Stack {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := ParseConsumerQuestion(&Head{Ext: ext[1:]}); err != nil || r.Stack {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := ParseConsumerQuestion(&Head{Ext: ext[:2]}); !errors.Is(err, ErrFields) {
		t.Error(err)
	}
}

// TestAnswersOfConsumers are the bodies of specification 2.25.
func TestAnswersOfConsumers(t *testing.T) {
	info := RunningInfo{
		Stack: "main", Properties: map[string]string{PropertyConsumeType: "CONSUME_PASSIVELY"},
		Subscriptions: []Subscription{{Topic: "t", Expression: "*", ExpressionType: "TAG"}},
	}
	const want = `{"jstack":"main","properties":{"PROP_CONSUME_TYPE":"CONSUME_PASSIVELY"},"subscriptionSet":[{"topic":"t","subString":"*","expressionType":"TAG","subVersion":0,"classFilterMode":false}]}`
	if body := AppendRunningInfoBody(nil, &info); string(body) != want {
		t.Errorf("%s", body)
	}
	const consumed = `{"autoCommit":true,"consumeResult":"CR_LATER","order":false,"remark":"from gRPC client","spentTimeMills":5}`
	if body := AppendConsumeDirectlyBody(nil, &ConsumeDirectly{AutoCommit: true, Result: "CR_LATER", Remark: "from gRPC client", SpentMs: 5}); string(body) != consumed {
		t.Errorf("%s", body)
	}
}
