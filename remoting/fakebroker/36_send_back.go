package fakebroker

import "fmt"

// CONSUMER_SEND_MSG_BACK, specification 2.14. Covered: the dead letter topic, the retry topic
// of 4.x consumers with its delay. Left out: the group's own number of retries.

func (b *Broker) sendBack(r *Request) Response {
	group := r.Ext["group"]
	if b.cluster.group(group, b.cluster.autoGroup) == nil {
		return fail(26, "subscription group not exist, "+group)
	}
	s := b.byLog[r.number("offset")]
	if s == nil {
		return fail(1, fmt.Sprintf("look message by offset failed, %d", r.number("offset")))
	}
	properties := withProperty(s.record.Properties, "RETRY_TOPIC", string(s.record.Topic))
	if origin := r.Ext["originMsgId"]; origin != "" {
		properties = withProperty(properties, "ORIGIN_MESSAGE_ID", origin)
	}
	level := r.number("delayLevel")
	if most, ok := r.Ext["maxReconsumeTimes"]; level < 0 || ok && int64(s.record.ReconsumeTimes) >= atoi(most) {
		b.cluster.topicAt("%DLQ%" + group)
		b.put(s.copyTo("%DLQ%"+group, properties))
		return Response{}
	}
	if level == 0 {
		level = 3 + int64(s.record.ReconsumeTimes)
	}
	b.cluster.topicAt("%RETRY%" + group)
	again := s.copyTo("%RETRY%"+group, properties)
	again.record.ReconsumeTimes++
	delay := delayLevels[min(level, int64(len(delayLevels)))-1]
	b.timers = append(b.timers, timer{due: b.now() + 1000*delay, message: again})
	return Response{}
}

// topicAt makes a topic of one queue when it is not there, as brokers do for groups.
func (c *Cluster) topicAt(name string) {
	if c.topics[name] == nil {
		c.setTopic(Topic{Name: name, Queues: 1})
	}
}
