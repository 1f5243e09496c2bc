package fakebroker

// QUERY_CONSUMER_OFFSET, specification 2.20. A group's place in a queue is one, whether it pops
// or pulls. Left out: the 0 that a broker answers with when it may and there is none.

func (b *Broker) queryConsumerOffset(r *Request) Response {
	next, known := b.reads[consumerOf(r)]
	if !known {
		return fail(22, "Not found, do not set to zero, maybe this group boot first")
	}
	return Response{Ext: map[string]string{"offset": decimal(next)}}
}

func consumerOf(r *Request) subscription {
	return subscription{r.Ext["consumerGroup"], r.Ext["topic"], int32(r.number("queueId"))}
}
