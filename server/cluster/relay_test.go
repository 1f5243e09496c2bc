package cluster_test

import (
	"strings"
	"testing"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
)

// consumers answer operators as those behind a proxy would, at once.
type consumers struct {
	clients
	fault backend.Fault
	asked chan *backend.RunningInfo // those that are never answered, when it is set
}

// fails lets all later answers be this fault.
func (c *consumers) fails(f backend.Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

func (c *consumers) outcome() backend.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

func (c *consumers) RunningInfo(op *backend.RunningInfo) {
	if c.asked != nil {
		c.asked <- op
		return
	}
	op.Version, op.Pushes, op.Orderly = "GOLANG 5.1.4", true, true
	op.Subscriptions = []backend.Subscription{{Topic: "t", Expression: " a || b "}, {Topic: "u", Expression: "n > 1", SQL: true}, {Topic: "v"}}
	if op.Stack {
		op.Threads = "main of " + op.ClientID + " in " + op.Group
	}
	op.End(c.outcome())
}

func (c *consumers) ConsumeDirectly(op *backend.ConsumeDirectly) {
	var body pool.Chain
	body.Share(&op.Body, op.Record.BodyOffset, op.Record.BodyLen)
	op.Outcome, op.Remark = backend.ConsumedLater, string(body.AppendTo(nil))+" for "+op.ClientID
	body.Release()
	op.Body.Release()
	op.End(c.outcome())
}

// asking is a proxy whose heartbeats have reached the broker: ask asks on their connection.
func asking(t *testing.T, who *consumers) (w *world, ask func(code int32, ext map[string]string, body []byte) *fakebroker.Request) {
	w = transactional(t, often)
	who.topics = []string{"deals"}
	w.Attach(who)
	b := w.fake.Brokers[0]
	w.eventually("the broker knows the proxy", func() bool { return len(b.Producers("deals")) > 0 })
	return w, func(code int32, ext map[string]string, body []byte) *fakebroker.Request {
		return <-b.Producer("deals").Ask(code, ext, body)
	}
}

var aConsumer = map[string]string{"consumerGroup": "g", "clientId": "c", "jstackEnable": "true"}

// TestRunningInfoIsRelayed to a consumer, and its answer back to the broker.
func TestRunningInfoIsRelayed(t *testing.T) {
	_, ask := asking(t, &consumers{})
	const subscriptions = `"subscriptionSet":[{"topic":"t","subString":" a || b ","expressionType":"TAG","tagsSet":["a","b"],"codeSet":[97,98],"subVersion":0,"classFilterMode":false},` +
		`{"topic":"u","subString":"n \u003e 1","expressionType":"SQL92","subVersion":0,"classFilterMode":false},` +
		`{"topic":"v","subString":"*","expressionType":"TAG","subVersion":0,"classFilterMode":false}]}`
	const properties = `"properties":{"PROP_CLIENT_VERSION":"GOLANG 5.1.4","PROP_CONSUMEORDERLY":"true","PROP_CONSUME_TYPE":"CONSUME_PASSIVELY"},`
	if got := ask(307, aConsumer, nil); got.Code != 0 || string(got.Body) != `{"jstack":"main of c in g",`+properties+subscriptions {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask(307, map[string]string{"consumerGroup": "g", "clientId": "c"}, nil); got.Code != 0 || string(got.Body) != "{"+properties+subscriptions {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestMessagesAreConsumedDirectly by a consumer whom an operator names.
func TestMessagesAreConsumedDirectly(t *testing.T) {
	_, ask := asking(t, &consumers{})
	record := message.AppendRecord(nil, &message.Record{Topic: []byte("t")}, []byte("apples"))
	got := ask(309, aConsumer, record)
	if got.Code != 0 || !strings.HasPrefix(string(got.Body), `{"autoCommit":true,"consumeResult":"CR_LATER","order":false,"remark":"apples for c","spentTimeMills":`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask(309, aConsumer, record[:20]); got.Code != 1 || got.Remark == "" {
		t.Errorf("%d %q for half a message", got.Code, got.Remark)
	}
}

// TestRelaysAreRefused with the codes of the reference.
func TestRelaysAreRefused(t *testing.T) {
	who := &consumers{}
	_, ask := asking(t, who)
	record := message.AppendRecord(nil, &message.Record{Topic: []byte("t")}, nil)
	for kind, want := range map[backend.Kind]int32{
		backend.Timeout: int32(command.ResponseSystemBusy), backend.Busy: int32(command.ResponseSystemBusy),
		backend.NotSupported: int32(command.ResponseNoPermission), backend.Internal: int32(command.ResponseSystemError),
	} {
		who.fails(backend.Fault{Kind: kind, Text: "because"})
		for code, body := range map[int32][]byte{307: nil, 309: record} {
			if got := ask(code, aConsumer, body); got.Code != want || got.Remark != "because" || len(got.Body) > 0 {
				t.Errorf("fault %d of %d: %d %q", kind, code, got.Code, got.Remark)
			}
		}
	}
	for _, code := range []int32{307, 309} {
		if got := ask(code, map[string]string{"consumerGroup": "g"}, record); got.Code != 1 || !strings.Contains(got.Remark, "clientId") {
			t.Errorf("%d without a client: %d %q", code, got.Code, got.Remark)
		}
	}
}

// TestAnswerOfALostConnection goes nowhere: the broker's numbers begin anew on the next one.
func TestAnswerOfALostConnection(t *testing.T) {
	who := &consumers{asked: make(chan *backend.RunningInfo, 1)}
	w, _ := asking(t, who)
	b := w.fake.Brokers[0]
	first := b.Producer("deals")
	lost := first.Ask(307, aConsumer, nil)
	op := <-who.asked
	b.CloseConnections()
	w.eventually("the proxy is back", func() bool { p := b.Producer("deals"); return p != nil && p != first })
	second := b.Producer("deals").Ask(307, aConsumer, nil)
	other := <-who.asked
	op.Threads = "too late"
	op.End(backend.Fault{})
	other.Threads = "in time"
	other.End(backend.Fault{})
	if got := <-second; !strings.Contains(string(got.Body), "in time") {
		t.Errorf("%s", got.Body)
	}
	select {
	case got := <-lost:
		t.Errorf("answered %s", got.Body)
	default:
	}
}
