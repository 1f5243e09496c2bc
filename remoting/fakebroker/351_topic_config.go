package fakebroker

import (
	"strings"

	"rocketmq-proxy/codec/command"
)

// GET_TOPIC_CONFIG and UPDATE_AND_CREATE_TOPIC, specification 2.5 and 2.7. Left out: static
// topics, legality of attribute values, deletion of attributes.

func (b *Broker) topicConfig(r *Request) Response {
	topic := b.cluster.topic(r.Ext["topic"], b.Name, false)
	if topic == nil {
		return fail(17, "No topic in this broker. topic: "+r.Ext["topic"])
	}
	config := &command.TopicConfig{
		TopicName: topic.Name, FilterType: "SINGLE_TAG", Attributes: map[string]string{},
		ReadQueues: topic.Queues, WriteQueues: topic.Queues, Perm: topic.Perm,
	}
	if topic.Type != "" {
		config.Attributes["message.type"] = topic.Type
	}
	return Response{Body: command.AppendTopicConfig(nil, config)}
}

func (b *Broker) updateTopic(r *Request) Response {
	topic := Topic{Name: r.Ext["topic"], Queues: int32(r.number("writeQueueNums")), Perm: command.Perm(r.number("perm"))}
	for attribute := range strings.SplitSeq(r.Ext["attributes"], ",") {
		if kind, ok := strings.CutPrefix(attribute, "+message.type="); ok {
			topic.Type = kind
		}
	}
	b.cluster.setTopic(topic)
	return Response{Remark: notSet}
}
