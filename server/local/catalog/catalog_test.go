package catalog

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"rocketmq-proxy/server/backend"
)

func TestTopicChange(t *testing.T) {
	is := func(change func(*Topic)) Topic {
		topic := DefaultTopic("orders", 4)
		change(&topic)
		return topic
	}
	plain := is(func(*Topic) {})
	fifo := is(func(x *Topic) { x.Type = "FIFO" })
	for _, test := range []struct {
		name    string
		from    Topic
		change  TopicChange
		want    Topic
		outcome Outcome
		err     string
	}{
		{name: "nothing asked", from: plain, want: plain, outcome: Unchanged},
		{name: "a type", from: plain, change: TopicChange{Attributes: "+message.type=fifo"}, want: fifo, outcome: Changed},
		{name: "the same type", from: fifo, change: TopicChange{Attributes: "+message.type=FIFO"}, want: fifo, outcome: Unchanged},
		{name: "no type any more", from: fifo, change: TopicChange{Attributes: "-message.type"}, want: plain, outcome: Changed},
		{name: "other attributes stay", from: is(func(x *Topic) { x.Attributes = map[string]string{"queue.type": "SimpleCQ"} }), change: TopicChange{Attributes: " +message.type=FIFO , "},
			want: is(func(x *Topic) { x.Type = "FIFO"; x.Attributes = map[string]string{"queue.type": "SimpleCQ"} }), outcome: Changed},
		{name: "write queues take read queues along", from: plain, change: TopicChange{WriteQueues: 8}, want: is(func(x *Topic) { x.ReadQueues, x.WriteQueues = 8, 8 }), outcome: Changed},
		{name: "fewer to read", from: plain, change: TopicChange{ReadQueues: 2}, want: is(func(x *Topic) { x.ReadQueues, x.WriteQueues = 2, 2 }), outcome: Changed},
		{name: "fewer to write, to empty queues first", from: plain, change: TopicChange{WriteQueues: 2}, want: is(func(x *Topic) { x.WriteQueues = 2 }), outcome: Changed},
		{name: "read only", from: plain, change: TopicChange{Perm: 4}, want: is(func(x *Topic) { x.Perm = 4 }), outcome: Changed},

		{name: "queues nobody reads", from: plain, change: TopicChange{ReadQueues: 1, WriteQueues: 2}, err: "would never be received"},
		{name: "too many queues", from: plain, change: TopicChange{WriteQueues: QueuesMax + 1}, err: "1 to 1024 queues"},
		{name: "negative queues", from: plain, change: TopicChange{WriteQueues: -1}, err: "not 4 and -1"},
		{name: "permission", from: plain, change: TopicChange{Perm: 1}, err: "the permission is 1"},
		{name: "type", from: plain, change: TopicChange{Attributes: "+message.type=SLOW"}, err: `message.type is "SLOW", expected one of NORMAL, FIFO`},
		{name: "lite and back", from: fifo, change: TopicChange{Attributes: "+message.type=LITE"}, err: "is of type FIFO and cannot become LITE"},
		{name: "unknown attribute", from: plain, change: TopicChange{Attributes: "+colour=red"}, err: "there is no attribute colour; the attributes are cleanup.policy, lite.topic.expiration, message.type, queue.type"},
		{name: "no sign", from: plain, change: TopicChange{Attributes: "message.type=FIFO"}, err: "expected +key=value"},
		{name: "no value", from: plain, change: TopicChange{Attributes: "+message.type"}, err: "expected +key=value"},
		{name: "removed with a value", from: plain, change: TopicChange{Attributes: "-message.type=FIFO"}, err: "expected +key=value"},
		{name: "a sign alone", from: plain, change: TopicChange{Attributes: "+"}, err: "expected +key=value"},
		{name: "twice", from: plain, change: TopicChange{Attributes: "+message.type=FIFO,-message.type"}, err: "changed twice"},
		{name: "number", from: plain, change: TopicChange{Attributes: "+lite.topic.expiration=soon"}, err: "expected a number from -1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, _ := json.Marshal(test.from)
			test.change.Name = "orders"
			got, outcome, err := test.from.Change(test.change)
			if after, _ := json.Marshal(test.from); string(after) != string(before) {
				t.Errorf("the topic changed under its owner: %s", after)
			}
			if checkError(t, err, test.err); test.err != "" {
				return
			}
			if outcome != test.outcome || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %s %+v, want %s %+v", outcome, got, test.outcome, test.want)
			}
		})
	}
}

func TestGroupChange(t *testing.T) {
	yes, three, many := true, 3, 1<<20
	plain := DefaultGroup("billing")
	policy := func(text string) *RetryPolicy {
		var p RetryPolicy
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		return &p
	}
	for _, test := range []struct {
		name    string
		change  GroupChange
		check   func(Group) bool
		outcome Outcome
		err     string
	}{
		{name: "nothing asked", check: func(g Group) bool { return reflect.DeepEqual(g, plain) }, outcome: Unchanged},
		{name: "order and retries", change: GroupChange{Orderly: &yes, RetryMax: &three}, check: func(g Group) bool { return g.Orderly && g.RetryMax == 3 }, outcome: Changed},
		{name: "attributes", change: GroupChange{Attributes: "+lite.bind.topic=events,+priority.factor=50"}, check: func(g Group) bool {
			return g.Attributes[AttributeLiteBindTopic] == "events" && g.Attributes["priority.factor"] == "50"
		}, outcome: Changed},
		{name: "a table of rests", change: GroupChange{Retry: policy(`{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1000,5000]}}`)}, check: func(g Group) bool { return len(g.Retry.Customized.NextMs) == 2 }, outcome: Changed},
		{name: "growing rests", change: GroupChange{Retry: policy(`{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,"max":7200000,"multiplier":2}}`)}, check: func(g Group) bool { return g.Retry.Exponential.MaxMs == 7200000 }, outcome: Changed},

		{name: "retries", change: GroupChange{RetryMax: &many}, err: "the retry maximum is 1048576"},
		{name: "policy of no type", change: GroupChange{Retry: &RetryPolicy{}}, err: "the retry policy is of type"},
		{name: "rest too long", change: GroupChange{Retry: policy(`{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[604800001]}}`)}, err: "cannot rest 604800001 ms"},
		{name: "no rests", change: GroupChange{Retry: policy(`{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[]}}`)}, err: "has 0 rests"},
		{name: "shrinking rests", change: GroupChange{Retry: policy(`{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5,"max":1,"multiplier":2}}`)}, err: "wants initial <= max"},
		{name: "unknown attribute", change: GroupChange{Attributes: "+message.type=FIFO"}, err: "there is no attribute message.type; the attributes are lite.bind.topic"},
		{name: "empty value", change: GroupChange{Attributes: "+lite.bind.topic="}, err: "has no value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.change.Name = "billing"
			got, outcome, err := plain.Change(test.change)
			if checkError(t, err, test.err); test.err != "" {
				return
			}
			if outcome != test.outcome || !test.check(got) {
				t.Errorf("got %s %+v", outcome, got)
			}
			if again, outcome, err := got.Change(test.change); outcome != Unchanged || err != nil {
				t.Errorf("the same change changes again: %s %+v %v", outcome, again, err)
			}
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind != Invalid || !strings.Contains(e.Message, want) {
		t.Errorf("got %v, want an invalid one with %q", err, want)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"orders": "", "a-b_c%d|e": "", strings.Repeat("x", 120): "",
		"": "is missing", "a b": `has the character ' '`, "ä": "has the character", strings.Repeat("x", 128): "has 128 characters",
	} {
		for what, check := range map[string]func(string) error{"topic": CheckTopicName, "group": CheckGroupName} {
			t.Run(what+" "+name, func(t *testing.T) { checkError(t, check(name), want) })
		}
	}
	for _, name := range []string{"TBW102", "rmq_sys_wheel_timer", "%RETRY%billing", "%DLQ%billing"} {
		checkError(t, CheckTopicName(name), name)
	}
	checkError(t, CheckGroupName("CID_RMQ_SYS_X"), "keeps names")
}

// TestMessageTypes keeps the words of message.type and the backend's together.
func TestMessageTypes(t *testing.T) {
	for _, word := range MessageTypes {
		if got := backend.ParseMessageType(word); got == backend.TypeUnspecified || got.String() != word {
			t.Errorf("the backend does not know the message type %s", word)
		}
	}
	if len(MessageTypes) != int(backend.TypeAny) {
		t.Error("the backend knows more message types")
	}
}

func TestAsError(t *testing.T) {
	if e := AsError(NoTopic("x")); e.Kind != NotFound || e.Error() != "there is no topic x" {
		t.Errorf("%+v", e)
	}
	if e := AsError(errors.New("odd")); e.Kind != Internal || e.Message != "odd" {
		t.Errorf("%+v", e)
	}
}
