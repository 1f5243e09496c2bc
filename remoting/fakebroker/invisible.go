package fakebroker

import "slices"

// invisible is a delivery that waits for its ack.
type invisible struct {
	message *stored
	topic   string // that was polled
	popTime int64  // ms since 1970
	due     int64  // ms since 1970
	suspend bool   // the next delivery does not count as a retry
}

// tickInvisible puts what was not acked in time into the retry topic (specification 4.7).
func (b *Broker) tickInvisible(now int64) {
	type late struct {
		delivery
		*invisible
	}
	var expired []late
	for d, i := range b.popped {
		if i.due <= now {
			expired = append(expired, late{d, i})
			delete(b.popped, d)
		}
	}
	slices.SortFunc(expired, func(a, b late) int {
		return int(a.message.record.PhysicalOffset - b.message.record.PhysicalOffset)
	})
	for _, l := range expired {
		b.reviveMessage(l.group, l.invisible)
	}
}

func (b *Broker) reviveMessage(group string, i *invisible) {
	properties := i.message.record.Properties
	if i.message.property("1ST_POP_TIME") == "" {
		properties = withProperty(properties, "1ST_POP_TIME", decimal(i.popTime))
		properties = withProperty(properties, "ORIGIN_GROUP", group)
	}
	again := i.message.copyTo(retryTopic(group, i.topic), properties)
	again.record.BornHost = b.host()
	if !i.suspend {
		again.record.ReconsumeTimes++
	}
	b.put(again)
}

// Invisible is the number of deliveries that wait for their ack, FIFO ones among them.
func (b *Broker) Invisible() int {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	n := len(b.popped)
	for _, o := range b.orders {
		n += len(o.open())
	}
	return n
}
