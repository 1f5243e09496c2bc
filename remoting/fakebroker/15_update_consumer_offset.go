package fakebroker

// UPDATE_CONSUMER_OFFSET, specification 2.20. Any offset is taken, and any queue.

func (b *Broker) updateConsumerOffset(r *Request) Response {
	switch {
	case b.cluster.group(r.Ext["consumerGroup"], false) == nil:
		return fail(26, "Group "+r.Ext["consumerGroup"]+" not exist!")
	case b.cluster.topic(r.Ext["topic"], b.Name, false) == nil:
		return fail(17, "Topic "+r.Ext["topic"]+" not exist!")
	}
	b.reads[consumerOf(r)] = r.number("commitOffset")
	return Response{}
}
