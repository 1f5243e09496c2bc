package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/codec/apiv2"
)

func stamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

// rule is a message and how it is refused; code 0 is not refused.
type rule struct {
	name   string
	change func(*apiv2.Message)
	code   apiv2.Code
	text   string
}

func (r rule) check(p *peer) {
	p.Helper()
	c := p.call("SendMessage", sendRequest(message1(r.change)))
	if r.code == 0 {
		if p.fake.pending() != 1 {
			var answer apiv2.SendMessageResponse
			c.answer(&answer)
			p.Errorf("%s: refused: %v", r.name, answer.GetStatus())
			return
		}
		p.works()
		return
	}
	var answer apiv2.SendMessageResponse
	c.answer(&answer)
	if s := answer.GetStatus(); s.GetCode() != r.code || s.GetMessage() != r.text || len(answer.GetEntries()) != 0 {
		p.Errorf("%s: %v %q, %d entries; want %v %q", r.name, s.GetCode(), s.GetMessage(), len(answer.GetEntries()), r.code, r.text)
	}
}

func system(change func(*apiv2.SystemProperties)) func(*apiv2.Message) {
	return func(m *apiv2.Message) { change(m.SystemProperties) }
}

func property(key, value string) func(*apiv2.Message) {
	return func(m *apiv2.Message) { m.UserProperties = map[string]string{key: value} }
}

// properties is n properties of size bytes together.
func properties(n, size int) func(*apiv2.Message) {
	return func(m *apiv2.Message) {
		m.UserProperties = map[string]string{}
		for i := range n {
			m.UserProperties[fmt.Sprintf("k%03d", i)] = ""
		}
		m.UserProperties["k000"] = strings.Repeat("v", size-4*n)
	}
}

// TestSendRules goes through the rows of gRPC specification 2.3 at their edges.
func TestSendRules(t *testing.T) {
	const charset = "^[%|a-zA-Z0-9_-]+$"
	w := newWorld(t)
	topic := func(name string) func(*apiv2.Message) {
		w.fake.topics[name] = w.fake.topics["orders"]
		return func(m *apiv2.Message) { m.Topic = resource(name) }
	}
	group := func(g string) func(*apiv2.Message) {
		return system(func(s *apiv2.SystemProperties) { s.MessageGroup = &g })
	}
	lite := func(name string) func(*apiv2.Message) {
		return system(func(s *apiv2.SystemProperties) { s.LiteTopic = &name })
	}
	tag := func(tag string) func(*apiv2.Message) {
		return system(func(s *apiv2.SystemProperties) { s.Tag = &tag })
	}
	keys := func(keys ...string) func(*apiv2.Message) {
		return system(func(s *apiv2.SystemProperties) { s.Keys = keys })
	}
	recovery := func(t apiv2.MessageType, d time.Duration) func(*apiv2.Message) {
		return system(func(s *apiv2.SystemProperties) {
			s.MessageType, s.OrphanedTransactionRecoveryDuration = t, durationpb.New(d)
		})
	}
	delivery := func(d time.Duration) func(*apiv2.Message) {
		return system(func(s *apiv2.SystemProperties) { s.DeliveryTimestamp = stamp(w.now.Add(d)) })
	}
	const hidden = "system properties cannot contain the characters U+0001 and U+0002"

	p := w.connect()
	for _, r := range []rule{
		{"as it should be", func(*apiv2.Message) {}, 0, ""},
		{"blank topic", topic(" \t"), 40002, "The specified topic is blank"},
		{"topic of 127", topic(strings.Repeat("t", 127)), 0, ""},
		{"topic of 128", topic(strings.Repeat("t", 128)), 40002, "The specified topic is longer than topic max length 127."},
		{"topic of 127 characters", topic(strings.Repeat("ü", 127)), 40002, "The specified topic[" + strings.Repeat("ü", 127) + "] contains illegal characters, allowing only " + charset},
		{"topic of 64 pairs", topic(strings.Repeat("😀", 64)), 40002, "The specified topic is longer than topic max length 127."},
		{"topic with a dot", topic("a.b"), 40002, "The specified topic[a.b] contains illegal characters, allowing only " + charset},
		{"topic with a percent sign", topic("%DLQ%g|x_-9Z"), 0, ""},
		{"system topic", topic("TBW102"), 40002, "cannot access system topic"},
		{"system topic by its prefix", topic("rmq_sys_x"), 40002, "cannot access system topic"},

		{"empty body", func(m *apiv2.Message) { m.Body = nil }, 41302, "message body cannot be empty"},
		{"body of 4 MiB and a byte", func(m *apiv2.Message) { m.Body = make([]byte, 4<<20+1) }, 41301, "message body cannot exceed the max 4194304"},

		{"128 properties", properties(128, 600), 0, ""},
		{"129 properties", properties(129, 600), 43101, "too many user properties, max is 128"},
		{"reserved", property("UNIQ_KEY", "x"), 40007, "property is used by system: UNIQ_KEY"},
		{"not reserved", property("__SHARDINGKEY", "x"), 0, ""},
		{"control character in a key", property("a\x1fb", "x"), 40007, "the key of property cannot contain control character"},
		{"control character in a value", property("a", "\u0085"), 40007, "the value of property cannot contain control character"},
		{"forged by a key", property("a\x01b", "x"), 40007, "the key of property cannot contain control character"},
		{"forged by a value", property("a", "b\x02UNIQ_KEY\x01x"), 40007, "the value of property cannot contain control character"},

		{"empty tag", tag(""), 0, ""},
		{"blank tag", tag("  "), 40004, "tag cannot be the char sequence of whitespace"},
		{"blank tag beyond ASCII", tag(" \u2003\u3000"), 40004, "tag cannot be the char sequence of whitespace"},
		{"tag of a space that does not break", tag("\u00a0"), 0, ""},
		{"tag that only begins blank", tag("\u2003a"), 0, ""},
		{"tag with a bar", tag("a|b"), 40004, "tag cannot contain '|'"},
		{"tag with a control character", tag("a\x7f"), 40004, "tag cannot contain control character"},
		{"forged by a tag", tag("a\x02b\x01c"), 40004, "tag cannot contain control character"},
		{"keys", keys("a b", ""), 0, ""},
		{"blank key", keys("a", " "), 40005, "key cannot be the char sequence of whitespace"},
		{"key with a control character", keys("a\x01b"), 40005, "key cannot contain control character"},
		{"16384 bytes of properties", properties(2, 16384), 0, ""},
		{"16385 bytes of properties", properties(2, 16385), 43101, "the total size of user property is too large, max is 16384"},
		{"tag and keys count too", func(m *apiv2.Message) { properties(2, 16380)(m); tag("abc")(m); keys("d", "e")(m) }, 43101, "the total size of user property is too large, max is 16384"},

		{"no id", system(func(s *apiv2.SystemProperties) { s.MessageId = "" }), 40009, "message id cannot be empty"},
		{"blank id", system(func(s *apiv2.SystemProperties) { s.MessageId = " " }), 40009, "message id cannot be empty"},
		{"recovery after an hour", recovery(apiv2.MessageType_TRANSACTION, time.Hour+time.Second/2), 0, ""},
		{"recovery after more", recovery(apiv2.MessageType_TRANSACTION, time.Hour+time.Second), 40000, "the max transaction recovery time of message is too large, max is 3600"},
		{"recovery of no transaction", recovery(apiv2.MessageType_NORMAL, 2*time.Hour), 0, ""},
		{"delivery in a day", delivery(24 * time.Hour), 0, ""},
		{"delivery in a day and a millisecond", delivery(24*time.Hour + time.Millisecond), 40012, "the max delay time of message is too large, max is 86400000"},
		{"delivery yesterday", delivery(-24 * time.Hour), 0, ""},
		{"delivery never", system(func(s *apiv2.SystemProperties) { s.DeliveryTimestamp = &timestamppb.Timestamp{Seconds: 1 << 62} }), 40012, "the delivery timestamp is not valid"},
		{"priority", system(func(s *apiv2.SystemProperties) { s.Priority = proto.Int32(0) }), 0, ""},
		{"negative priority", system(func(s *apiv2.SystemProperties) { s.Priority = proto.Int32(-1) }), 50001, "The priority must be greater than or equal to 0"},
		{"group of 63 bytes", group(strings.Repeat("g", 63)), 0, ""},
		{"group of 64 bytes", group(strings.Repeat("g", 64)), 40006, "message group exceed the max size 64"},
		{"group of 32 ü", group(strings.Repeat("ü", 32)), 40006, "message group exceed the max size 64"},
		{"blank group", group("\t"), 40006, "message group cannot be the char sequence of whitespace"},
		{"group with a control character", group("a\x02b"), 40006, "message group cannot contain control character"},
		{"blank lite topic", lite(" "), 40020, "lite topic cannot be the char sequence of whitespace"},
		{"lite topic of 64 bytes", lite(strings.Repeat("l", 64)), 0, ""},
		{"lite topic of 65 bytes", lite(strings.Repeat("l", 65)), 40020, "lite topic exceed the max size 64"},
		{"lite topic with a percent sign", lite("a%b"), 40020, "lite topic can only contain alphanumeric characters, hyphens(-), and underscores(_)"},

		{"forged by an id", system(func(s *apiv2.SystemProperties) { s.MessageId = "a\x02b\x01c" }), 40007, hidden},
		{"forged by a trace context", system(func(s *apiv2.SystemProperties) { s.TraceContext = proto.String("a\x01") }), 40007, hidden},
		{"forged by a born host", system(func(s *apiv2.SystemProperties) { s.BornHost = "a\x02" }), 40007, hidden},
	} {
		r.check(p)
	}
}

// TestSendRulesOfSeveral: nothing is sent when one of several messages is refused.
func TestSendRulesOfSeveral(t *testing.T) {
	p := newWorld(t).connect()
	p.call("SendMessage", sendRequest()).says(&apiv2.SendMessageResponse{}, apiv2.Code_MESSAGE_CORRUPTED, "no message to send")
	for _, other := range []*apiv2.Resource{resource("others"), {Name: "orders", ResourceNamespace: "ns"}} {
		c := p.call("SendMessage", sendRequest(message1(), message1(func(m *apiv2.Message) { m.Topic = other })))
		c.says(&apiv2.SendMessageResponse{}, apiv2.Code_MESSAGE_CORRUPTED, "topic in message is not same")
	}
	c := p.call("SendMessage", sendRequest(message1(), message1(func(m *apiv2.Message) { m.Body = nil })))
	c.says(&apiv2.SendMessageResponse{}, apiv2.Code_MESSAGE_BODY_EMPTY, "message body cannot be empty")
	p.hears()
}

// TestSendRulesSwitchedOff by bounds of zero, where the reference does so.
func TestSendRulesSwitchedOff(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.BodyBytesMax, c.BodyEmptyCheck, c.GroupBytesMax, c.DelayMax, c.RecoveryMax = 0, false, 0, 0, 0
	})
	p := w.connect()
	for _, r := range []rule{
		{"empty body", func(m *apiv2.Message) { m.Body = nil }, 0, ""},
		{"large body", func(m *apiv2.Message) { m.Body = make([]byte, 4<<20+1) }, 0, ""},
		{"long group with a control character", system(func(s *apiv2.SystemProperties) { s.MessageGroup = proto.String(strings.Repeat("g", 99) + "\t") }), 0, ""},
		{"forged by a group all the same", system(func(s *apiv2.SystemProperties) { s.MessageGroup = proto.String("g\x01") }), 40007,
			"system properties cannot contain the characters U+0001 and U+0002"},
		{"late delivery", system(func(s *apiv2.SystemProperties) { s.DeliveryTimestamp = stamp(w.now.Add(1000 * time.Hour)) }), 0, ""},
		{"late recovery", system(func(s *apiv2.SystemProperties) {
			s.MessageType, s.OrphanedTransactionRecoveryDuration = apiv2.MessageType_TRANSACTION, durationpb.New(9*time.Hour)
		}), 0, ""},
	} {
		r.check(p)
	}
}
