package fakebroker

import (
	"strings"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// SEND_BATCH_MESSAGE, specification 2.8 and 3.6. Covered: every message gets its own record,
// all in one queue; the answer joins their ids. Left out: inner batches.

func (b *Broker) sendBatch(r *Request) Response {
	queueID, refused := b.checkSendV2(r)
	if refused != nil {
		return regional(*refused)
	}
	var body pool.Chain
	body.Write(r.Body)
	defer body.Release()
	var ids, keys []string
	var first Response
	reader := message.NewBatchReader(&body)
	for m := (message.BatchMessage{}); reader.Next(&m); {
		properties := append([]byte(nil), m.Properties...)
		s := b.newMessage(r, queueID, properties, r.Body[m.BodyOffset:][:m.BodyLen], m.Flag)
		response := b.accept(s)
		if ids == nil {
			first = response
		}
		ids = append(ids, response.Ext["msgId"])
		keys = append(keys, response.Ext["transactionId"])
	}
	if reader.Err() != nil || ids == nil {
		return regional(fail(13, "the batch cannot be read"))
	}
	first.Ext["msgId"] = strings.Join(ids, ",")
	first.Ext["transactionId"] = strings.Join(keys, ",")
	return regional(first)
}

func (b *Broker) checkSendV2(r *Request) (int32, *Response) {
	for short, long := range sendNames {
		if value, ok := r.Ext[short]; ok {
			r.Ext[long] = value
		}
	}
	return b.checkSend(r)
}
