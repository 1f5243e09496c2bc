package fakebroker

import "sort"

// SEARCH_OFFSET_BY_TIMESTAMP, specification 2.20: the first message that is not older, behind
// the last one when there is none. An unknown topic is empty. Left out: the boundary "upper".

func (b *Broker) searchOffset(r *Request) Response {
	q, since := b.queue(r.Ext["topic"], int32(r.number("queueId"))), r.number("timestamp")
	offset := sort.Search(len(q.messages), func(i int) bool { return q.messages[i].record.StoreTimestamp >= since })
	return Response{Ext: map[string]string{"offset": decimal(int64(offset))}}
}
