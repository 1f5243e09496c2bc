package fakebroker

import "strings"

// CHANGE_MESSAGE_INVISIBLETIME, specification 2.12. Covered: a delivery with a new time in the
// place of the old one, which can still be acked without an effect; FIFO keeps its pop time;
// suspend. As real brokers do, it does not ask whether the message was acked before.

func (b *Broker) changeInvisible(r *Request) Response {
	c, refused := b.receipt(r)
	if refused != nil {
		refused.Ext = changed(0, 0, 0).Ext
		if refused.Code == 208 {
			refused.Remark = notSet
		}
		return *refused
	}
	invisibleTime := r.number("invisibleTime")
	if c.order {
		return b.changeOrder(c.subscription, c.offset, c.popTime, invisibleTime)
	}
	now := b.now()
	s := b.queues[queueKey{c.topic, c.queue}].messages[c.offset]
	topic := strings.TrimPrefix(c.topic, "%RETRY%"+c.group+"_")
	b.popped[c.delivery] = &invisible{
		message: s, topic: topic, popTime: now, due: now + invisibleTime, suspend: r.Ext["suspend"] == "true",
	}
	return changed(now, invisibleTime, c.revive)
}

func changed(popTime, invisibleTime, revive int64) Response {
	return Response{Remark: notSet, Ext: map[string]string{
		"popTime": decimal(popTime), "invisibleTime": decimal(invisibleTime), "reviveQid": decimal(revive),
	}}
}
