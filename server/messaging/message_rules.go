package messaging

import (
	"bytes"
	"strconv"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
)

// checkMessage holds the properties of one message against the reference's rules, in its
// order: rows a to m of gRPC specification 2.3. Those that the reference does not look at are
// looked at where they are written, by [sendMessage.fill].
func (svc *Service) checkMessage(m *apiv2.MessageView, now time.Time) (apiv2.Outcome, bool) {
	if o, valid := svc.checkProperties(m); !valid {
		return o, false
	}
	if blank(m.MessageID) {
		return failure(apiv2.Code_ILLEGAL_MESSAGE_ID, "message id cannot be empty"), false
	}
	if o, valid := svc.checkTimes(m, now); !valid {
		return o, false
	}
	if m.HasPriority && m.Priority < 0 {
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, "The priority must be greater than or equal to 0"), false
	}
	if o, valid := svc.checkMessageGroup(m.MessageGroup); !valid {
		return o, false
	}
	return svc.checkLiteTopic(m.LiteTopic)
}

func (svc *Service) checkProperties(m *apiv2.MessageView) (apiv2.Outcome, bool) {
	illegal := func(text string) (apiv2.Outcome, bool) {
		return failure(apiv2.Code_ILLEGAL_MESSAGE_PROPERTY_KEY, text), false
	}
	if n := len(m.UserProperties); n > svc.PropertiesMax {
		return failure(apiv2.Code_MESSAGE_PROPERTIES_TOO_LARGE, "too many user properties, max is "+strconv.Itoa(svc.PropertiesMax)), false
	}
	size := len(m.Tag)
	for _, p := range m.UserProperties {
		switch {
		case message.Reserved(p.Key):
			return illegal("property is used by system: " + string(p.Key))
		case control(p.Key):
			return illegal("the key of property cannot contain control character")
		case control(p.Value):
			return illegal("the value of property cannot contain control character")
		}
		size += len(p.Key) + len(p.Value)
	}
	if o, valid := checkTag(m.Tag); !valid {
		return o, false
	}
	for _, key := range m.Keys {
		switch {
		case len(key) > 0 && blank(key):
			return failure(apiv2.Code_ILLEGAL_MESSAGE_KEY, "key cannot be the char sequence of whitespace"), false
		case control(key):
			return failure(apiv2.Code_ILLEGAL_MESSAGE_KEY, "key cannot contain control character"), false
		}
		size += len(key)
	}
	if size > svc.PropertiesBytesMax {
		return failure(apiv2.Code_MESSAGE_PROPERTIES_TOO_LARGE, "the total size of user property is too large, max is "+strconv.Itoa(svc.PropertiesBytesMax)), false
	}
	return apiv2.Outcome{}, true
}

func checkTag(tag []byte) (apiv2.Outcome, bool) {
	illegal := func(text string) (apiv2.Outcome, bool) { return failure(apiv2.Code_ILLEGAL_MESSAGE_TAG, text), false }
	switch {
	case len(tag) == 0:
	case blank(tag):
		return illegal("tag cannot be the char sequence of whitespace")
	case bytes.IndexByte(tag, '|') >= 0:
		return illegal("tag cannot contain '|'")
	case control(tag):
		return illegal("tag cannot contain control character")
	}
	return apiv2.Outcome{}, true
}

func (svc *Service) checkTimes(m *apiv2.MessageView, now time.Time) (apiv2.Outcome, bool) {
	if m.MessageType == apiv2.MessageType_TRANSACTION && svc.RecoveryMax > 0 && m.OrphanedTransactionRecovery.Seconds > int64(svc.RecoveryMax/time.Second) {
		return failure(apiv2.Code_BAD_REQUEST, "the max transaction recovery time of message is too large, max is "+strconv.Itoa(int(svc.RecoveryMax/time.Second))), false
	}
	if !m.DeliveryTimestamp.Valid() {
		return failure(apiv2.Code_ILLEGAL_DELIVERY_TIME, "the delivery timestamp is not valid"), false
	}
	if m.DeliveryTimestamp.Set && svc.DelayMax > 0 && m.DeliveryTimestamp.UnixMilli()-now.UnixMilli() > svc.DelayMax.Milliseconds() {
		return failure(apiv2.Code_ILLEGAL_DELIVERY_TIME, "the max delay time of message is too large, max is "+strconv.FormatInt(svc.DelayMax.Milliseconds(), 10)), false
	}
	return apiv2.Outcome{}, true
}

// checkMessageGroup: a group as long as the bound is already too long, and without a bound
// nothing is checked, as the reference has it.
func (svc *Service) checkMessageGroup(group []byte) (apiv2.Outcome, bool) {
	illegal := func(text string) (apiv2.Outcome, bool) { return failure(apiv2.Code_ILLEGAL_MESSAGE_GROUP, text), false }
	switch {
	case len(group) == 0:
	case blank(group):
		return illegal("message group cannot be the char sequence of whitespace")
	case svc.GroupBytesMax <= 0:
	case len(group) >= svc.GroupBytesMax:
		return illegal("message group exceed the max size " + strconv.Itoa(svc.GroupBytesMax))
	case control(group):
		return illegal("message group cannot contain control character")
	}
	return apiv2.Outcome{}, true
}

func (svc *Service) checkLiteTopic(name []byte) (apiv2.Outcome, bool) {
	if len(name) == 0 {
		return apiv2.Outcome{}, true
	}
	return svc.checkLiteName(name)
}

// checkLiteName holds the name of a lite topic against the rules.
func (svc *Service) checkLiteName(name []byte) (apiv2.Outcome, bool) {
	illegal := func(text string) (apiv2.Outcome, bool) { return failure(apiv2.Code_ILLEGAL_LITE_TOPIC, text), false }
	switch {
	case blank(name):
		return illegal("lite topic cannot be the char sequence of whitespace")
	case svc.LiteTopicBytesMax > 0 && len(name) > svc.LiteTopicBytesMax:
		return illegal("lite topic exceed the max size " + strconv.Itoa(svc.LiteTopicBytesMax))
	case !named(name) || bytes.ContainsAny(name, "%|"):
		return illegal("lite topic can only contain alphanumeric characters, hyphens(-), and underscores(_)")
	}
	return apiv2.Outcome{}, true
}
