package broker

import (
	"math"
	"strconv"

	"rocketmq-proxy/codec/message"
)

// wishes are what the properties of a message ask of the broker. They are read in one go:
// looking for each by itself was half of a send.
type wishes struct {
	delayLevel int64 // these are -1 when they are not there or make no sense
	delaySec   int64
	delayMs    int64
	deliverMs  int64
	priority   int64
	lite       []byte // lite topic, borrowed
}

func readWishes(properties []byte) wishes {
	w := wishes{delayLevel: -1, delaySec: -1, delayMs: -1, deliverMs: -1, priority: -1}
	r := message.ReadProperties(properties)
	for key, value, more := r.Next(); more; key, value, more = r.Next() {
		switch string(key) {
		case message.NameDelay:
			w.delayLevel = number(value)
		case message.NameTimerDelaySec:
			w.delaySec = number(value)
		case message.NameTimerDelayMs:
			w.delayMs = number(value)
		case message.NameTimerDeliverMs:
			w.deliverMs = number(value)
		case message.NamePriority:
			w.priority = number(value)
		case message.NameLiteTopic:
			w.lite = value
		}
	}
	return w
}

// number reads a decimal number; anything else is -1.
func number(text []byte) int64 {
	if len(text) == 0 || len(text) > 15 {
		return -1
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// due is when the message is to be delivered, 0 for at once. Remoting specification 7.3: a
// level comes before a time, a time from now before a moment. levels are Config.DelayLevels.
func (w *wishes) due(now int64, levels []int64) int64 {
	switch {
	case w.delayLevel > 0 && len(levels) > 0:
		return now + levels[min(w.delayLevel, int64(len(levels)))-1]
	case w.delaySec > 0:
		return now + min(w.delaySec, math.MaxInt32)*1000
	case w.delayMs > 0:
		return now + w.delayMs
	}
	return max(w.deliverMs, 0)
}
