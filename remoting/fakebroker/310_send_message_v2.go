package fakebroker

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"rocketmq-proxy/codec/message"
)

// SEND_MESSAGE_V2 and SEND_MESSAGE, specification 2.8. Covered: auto-created topics, queue -1,
// limits and their remarks, delay levels and timer messages with recall handles, half
// messages. Left out: retry topics, inner batches, light topics, flush and replica codes (use a
// Control), rounding of timers.

const (
	bodyBytesMax       = 4 << 20
	propertiesBytesMax = 32767
)

var topicPattern = regexp.MustCompile(`^[%|a-zA-Z0-9_-]+$`)

// sendNames are the long names of the one-letter keys.
var sendNames = map[string]string{
	"a": "producerGroup", "b": "topic", "c": "defaultTopic", "d": "defaultTopicQueueNums", "e": "queueId",
	"f": "sysFlag", "g": "bornTimestamp", "h": "flag", "i": "properties", "j": "reconsumeTimes",
	"k": "unitMode", "l": "maxReconsumeTimes", "m": "batch", "n": "bname",
}

func (b *Broker) sendMessageV2(r *Request) Response {
	long := make(map[string]string, len(r.Ext))
	for key, value := range r.Ext {
		if name := sendNames[key]; name != "" {
			key = name
		}
		long[key] = value
	}
	r.Ext = long
	return b.sendMessage(r)
}

func (b *Broker) sendMessage(r *Request) Response {
	queueID, refused := b.checkSend(r)
	if refused != nil {
		return regional(*refused)
	}
	s := b.newMessage(r, queueID, []byte(r.Ext["properties"]), r.Body, int32(r.number("flag")))
	return regional(b.accept(s))
}

// regional adds what every answer to a send has, failures too.
func regional(response Response) Response {
	if response.Ext == nil {
		response.Ext = map[string]string{}
	}
	response.Ext["MSG_REGION"], response.Ext["TRACE_ON"] = "DefaultRegion", "true"
	return response
}

// checkSend refuses what brokers refuse, and chooses the queue.
func (b *Broker) checkSend(r *Request) (queueID int32, refused *Response) {
	refuse := func(code int32, remark string) (int32, *Response) { return 0, &Response{Code: code, Remark: remark} }
	name := r.Ext["topic"]
	switch {
	case len(name) > 127:
		return refuse(29, "The specified topic is longer than topic max length 127.")
	case !topicPattern.MatchString(name):
		return refuse(29, "The specified topic: "+name+", contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$")
	case len(r.Body) == 0:
		return refuse(1, "java.lang.NullPointerException: null, body")
	case len(r.Body) > bodyBytesMax || len(r.Ext["properties"]) > propertiesBytesMax:
		return refuse(13, "the message is illegal, maybe msg body or properties length not matched. "+
			"msg body length limit 4194304B, msg properties length limit 32KB.")
	}
	topic := b.cluster.topic(name, b.Name, b.cluster.autoTopic)
	if topic == nil {
		return refuse(17, "topic["+name+"] not exist, apply first please!\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.")
	}
	if !topic.Perm.Writable() {
		return refuse(16, "the broker["+b.Addr+"] sending message is forbidden")
	}
	queueID = int32(r.number("queueId"))
	if queueID < 0 {
		b.rotation++
		queueID = int32(b.rotation) % topic.Queues
	}
	if queueID >= topic.Queues {
		return refuse(29, fmt.Sprintf("request queueId[%d] is illegal, TopicConfig [topicName=%s, readQueueNums=%d, writeQueueNums=%d, perm=RW-, "+
			"topicFilterType=SINGLE_TAG, topicSysFlag=0, order=false, attributes={}] Producer: %s",
			queueID, name, topic.Queues, topic.Queues, r.Client.Host()))
	}
	return queueID, nil
}

// newMessage makes the stored message of a send. The broker adds properties of its own.
func (b *Broker) newMessage(r *Request, queueID int32, properties, body []byte, flag int32) *stored {
	s := &stored{body: body, record: message.Record{
		Topic: []byte(r.Ext["topic"]), QueueID: queueID, Flag: flag, SysFlag: int32(r.number("sysFlag")),
		ReconsumeTimes: int32(r.number("reconsumeTimes")), BornTimestamp: r.number("bornTimestamp"),
		BornHost: r.Client.Host(), Properties: properties,
	}}
	if s.property("UNIQ_KEY") == "" {
		s.record.Properties = withProperty(s.record.Properties, "UNIQ_KEY", fmt.Sprintf("%032X", b.logNext))
	}
	for _, added := range [][2]string{{"CLUSTER", b.cluster.Name}, {"MSG_REGION", "DefaultRegion"}, {"TRACE_ON", "true"}} {
		s.record.Properties = withProperty(s.record.Properties, added[0], added[1])
	}
	return s
}

// accept stores a message where its properties and flags want it, and answers.
func (b *Broker) accept(s *stored) Response {
	ext := map[string]string{"transactionId": s.property("UNIQ_KEY")}
	due, timed := dueOf(s, b.now())
	switch {
	case s.record.SysFlag&0xC == 4:
		b.putHalf(s)
	case due > 0:
		b.log(s)
		b.timers = append(b.timers, timer{due: due, message: s})
		if timed {
			ext["recallHandle"] = b.recallHandle(s, due)
		}
	default:
		b.put(s)
	}
	ext["msgId"] = string(message.AppendOffsetID(nil, s.record.StoreHost, s.record.PhysicalOffset))
	ext["queueId"] = decimal(int64(s.record.QueueID))
	ext["queueOffset"] = decimal(s.record.QueueOffset)
	return Response{Ext: ext}
}

func (b *Broker) recallHandle(s *stored, due int64) string {
	plain := strings.Join([]string{"v1", string(s.record.Topic), b.Name, decimal(due + 1), s.property("UNIQ_KEY")}, " ")
	return base64.URLEncoding.EncodeToString([]byte(plain))
}

func atoi(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
