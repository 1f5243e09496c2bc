package messaging

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"rocketmq-proxy/codec/apiv2"
)

// The bounds of names (gRPC specification 2).
const (
	topicCharsMax = 127
	groupCharsMax = 120
)

const nameCharset = "^[%|a-zA-Z0-9_-]+$"

// nameByte tells which bytes a topic or group may have.
var nameByte = func() (allowed [256]bool) {
	for _, c := range []byte("%|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") {
		allowed[c] = true
	}
	return allowed
}()

// isSystemTopic tells whether clients may not touch a topic. It is a switch because that compares
// nothing but the length of most names.
func isSystemTopic[T text](name T) bool {
	switch string(name) {
	case "TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "RMQ_SYS_TRANS_HALF_TOPIC",
		"RMQ_SYS_TRACE_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC",
		"SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT", "CHECKPOINT_TOPIC",
		"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC":
		return true
	}
	return hasPrefix(name, systemTopicPrefix)
}

const (
	systemTopicPrefix = "rmq_sys_"
	systemGroupPrefix = "CID_RMQ_SYS_"
)

type text interface{ ~string | ~[]byte }

// checkTopic holds a topic's name against the rules; ok is true when it passes.
func checkTopic[T text](name T) (o apiv2.Outcome, valid bool) {
	illegal := func(text string) (apiv2.Outcome, bool) { return failure(apiv2.Code_ILLEGAL_TOPIC, text), false }
	switch {
	case blank(name):
		return illegal("The specified topic is blank")
	case len(name) > topicCharsMax && chars(name) > topicCharsMax:
		return illegal("The specified topic is longer than topic max length " + strconv.Itoa(topicCharsMax) + ".")
	case !named(name):
		return illegal("The specified topic[" + string(name) + "] contains illegal characters, allowing only " + nameCharset)
	case isSystemTopic(name):
		return illegal("cannot access system topic")
	}
	return apiv2.Outcome{}, true
}

// checkGroup holds a consumer group's name against the rules.
func checkGroup[T text](name T) (o apiv2.Outcome, valid bool) {
	illegal := func(text string) (apiv2.Outcome, bool) {
		return failure(apiv2.Code_ILLEGAL_CONSUMER_GROUP, text), false
	}
	switch {
	case blank(name):
		return illegal("the specified group is blank")
	case len(name) > groupCharsMax && chars(name) > groupCharsMax:
		return illegal("the specified group[" + string(name) + "] is longer than group max length: " + strconv.Itoa(groupCharsMax) + ".")
	case !named(name):
		return illegal("the specified group[" + string(name) + "] contains illegal characters, allowing only " + nameCharset)
	case hasPrefix(name, systemGroupPrefix):
		return illegal("cannot use system consumer group")
	}
	return apiv2.Outcome{}, true
}

// checkTopicAndGroup is the two in the reference's order.
func checkTopicAndGroup[T text](topic, group T) (apiv2.Outcome, bool) {
	if o, valid := checkTopic(topic); !valid {
		return o, false
	}
	return checkGroup(group)
}

// checkQueue holds what names a queue of a topic against the rules: one broker, and an id that is
// that broker's own. Whether there is such a queue the backend knows.
func checkQueue[T text](broker T, id int32) (o apiv2.Outcome, valid bool) {
	switch {
	case blank(broker):
		return failure(apiv2.Code_BAD_REQUEST, "the broker of the message queue is blank"), false
	case id < 0:
		return failure(apiv2.Code_BAD_REQUEST, "queue id "+strconv.Itoa(int(id))+" is illegal"), false
	}
	return apiv2.Outcome{}, true
}

func named[T text](name T) bool {
	for i := range len(name) {
		if !nameByte[name[i]] {
			return false
		}
	}
	return true
}

func hasPrefix[T text](s T, prefix string) bool {
	return len(s) >= len(prefix) && string(s[:len(prefix)]) == prefix
}

// blank tells whether there is nothing but white space.
func blank[T text](s T) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf {
			return blankBeyondASCII(s[i:])
		} else if c != ' ' && (c < '\t' || c > '\r') && (c < 0x1c || c > 0x1f) {
			return false
		}
	}
	return true
}

// blankBeyondASCII is blank by the rule of Java's Character.isWhitespace: spaces that do not break
// a line are none.
func blankBeyondASCII[T text](s T) bool {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
		s = s[n:]
		space := unicode.In(r, unicode.Z) && r != '\u00a0' && r != '\u2007' && r != '\u202f'
		if !space && (r < '\t' || r > '\r') && (r < 0x1c || r > 0x1f) {
			return false
		}
	}
	return true
}

// chars counts as Java's String.length does: UTF-16 units.
func chars[T text](s T) int {
	n := 0
	for _, r := range string(s) {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// control tells whether there is an ISO control character: U+0000 to U+001F, U+007F to U+009F.
func control[T text](s T) bool {
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c == 0x7f {
			return true
		}
		if c == 0xc2 && i+1 < len(s) && s[i+1] >= 0x80 && s[i+1] <= 0x9f {
			return true
		}
	}
	return false
}
