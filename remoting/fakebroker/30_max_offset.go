package fakebroker

// GET_MAX_OFFSET and GET_MIN_OFFSET, specification 2.20. An unknown topic is
// empty. Nothing is ever deleted, so the smallest offset is 0.

func (b *Broker) maxOffset(r *Request) Response {
	n := len(b.queue(r.Ext["topic"], int32(r.number("queueId"))).messages)
	return Response{Ext: map[string]string{"offset": decimal(int64(n))}}
}

func (b *Broker) minOffset(*Request) Response {
	return Response{Ext: map[string]string{"offset": "0"}}
}
