package fakebroker

import (
	"fmt"
	"strings"
)

// ACK_MESSAGE, specification 2.10. Covered: acks are idempotent, late ones succeed without an
// effect, illegal offsets are 208, a queue that the topic does not have 13. Left out: light topics.

// receipt is what an ack or a change says of its delivery.
type receipt struct {
	delivery
	popTime int64 // ms since 1970
	revive  int64 // revive queue
	order   bool
}

// receipt reads the request and checks that there is such a message.
func (b *Broker) receipt(r *Request) (receipt, *Response) {
	c := receipt{delivery: delivery{
		subscription{r.Ext["consumerGroup"], r.Ext["topic"], int32(r.number("queueId"))}, r.number("offset"),
	}}
	fields := strings.Fields(r.Ext["extraInfo"])
	if len(fields) < 8 {
		return c, &Response{Code: 1, Remark: "java.lang.IllegalArgumentException: getBrokerName fail, extraInfoStrs length " + decimal(int64(len(fields)))}
	}
	c.popTime, c.revive = atoi(fields[1]), atoi(fields[3])
	c.order = c.revive == reviveOrder
	q, topic := b.queues[queueKey{c.topic, c.queue}], b.cluster.topic(c.topic, b.Name, false)
	switch {
	case q == nil && topic == nil:
		return c, &Response{Code: 17, Remark: noTopic(c.topic)}
	case topic != nil && c.queue >= topic.Queues:
		return c, &Response{Code: 13, Remark: badQueue(r, topic)}
	}
	if q == nil || c.offset < 0 || c.offset >= int64(len(q.messages)) {
		most := 0
		if q != nil {
			most = len(q.messages)
		}
		return c, &Response{Code: 208, Remark: fmt.Sprintf("offset is illegal, key:%s@%d, commit:%d, store:0~%d",
			c.topic, c.queue, c.offset, most)}
	}
	return c, nil
}

func (b *Broker) ackMessage(r *Request) Response {
	c, refused := b.receipt(r)
	if refused != nil {
		return *refused
	}
	if c.order {
		return b.ackOrder(c.subscription, c.offset, c.popTime)
	}
	b.acked(c)
	return Response{}
}

// acked ends a delivery, unless a later one has taken its place.
func (b *Broker) acked(c receipt) {
	if i := b.popped[c.delivery]; i != nil && i.popTime == c.popTime {
		delete(b.popped, c.delivery)
	}
}
