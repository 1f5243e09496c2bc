package fakebroker

import (
	"strings"
)

// POP_LITE_MESSAGE, specification 2.24. Covered: messages of the lite topics that the client
// subscribes to, each delivered once to a group, with their place in the lite topic. Left out:
// long polls (nothing is answered at once), acks and invisible times of lite topics.

func (b *Broker) popLite(r *Request) Response {
	if r.number("maxMsgNum") > popMessagesMax {
		return popAnswer(29, "the broker["+b.ip()+"] pop message's num is greater than 32")
	}
	topic := b.cluster.topic(r.Ext["topic"], b.Name, false)
	if topic == nil {
		return popAnswer(17, noTopic(r.Ext["topic"]))
	}
	if b.now()-r.number("bornTime") > 10_000 {
		return popAnswer(210, "the broker["+b.ip()+"] pop message is timeout too much")
	}
	set := b.lites[r.Ext["clientId"]]
	var counts []string
	var body []byte
	places := map[string]int64{}
	for id := range topic.Queues {
		q := b.queues[queueKey{topic.Name, id}]
		if q == nil {
			continue
		}
		for _, s := range q.messages {
			lite := s.property("__LITE_TOPIC")
			place := places[lite]
			places[lite]++
			seen := r.Ext["consumerGroup"] + " " + decimal(s.record.PhysicalOffset)
			if set == nil || !set.topics[lite] || b.litePopped[seen] || int64(len(counts)) >= r.number("maxMsgNum") {
				continue
			}
			b.litePopped[seen] = true
			counts = append(counts, "0")
			body = s.encode(body, topic.Name, withProperty(s.record.Properties, "INNER_MULTI_QUEUE_OFFSET", decimal(place)))
		}
	}
	ext := map[string]string{"popTime": decimal(b.now()), "invisibleTime": r.Ext["invisibleTime"], "reviveQid": decimal(reviveOrder)}
	if len(counts) == 0 {
		return Response{Code: 210, Remark: "NO_MESSAGE_IN_QUEUE", Ext: ext}
	}
	ext["orderCountInfo"] = strings.Join(counts, ";")
	return Response{Remark: "FOUND", Ext: ext, Body: body}
}
