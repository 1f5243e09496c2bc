package messaging

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"hash"
	"math"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// shown is a stored message as clients are shown it (gRPC specification 3.2), whether they
// received it or are asked about it. The zero value is ready; its memory is reused from one
// message to the next.
type shown struct {
	message  apiv2.DeliveredMessage
	hash     hash.Hash
	sum      [md5.Size]byte
	digest   [2 * md5.Size]byte
	hosts    []byte
	offsetID []byte
}

// convert turns a record of a chain into what the client is shown under a topic.
func (v *shown) convert(topic []byte, r *message.Record, records *pool.Chain, now time.Time) {
	d := &v.message
	d.Reset()
	d.Topic = apiv2.ResourceView{Name: topic}
	if prefix, name, found := bytes.Cut(topic, percent); found && len(prefix) > 0 {
		d.Topic = apiv2.ResourceView{Namespace: prefix, Name: name}
	}
	d.QueueID, d.QueueOffset = r.QueueID, r.QueueOffset
	d.BornTimestamp = apiv2.TimestampOfMillis(r.BornTimestamp)
	d.StoreTimestamp = apiv2.TimestampOfMillis(r.StoreTimestamp)
	v.hosts = r.StoreHost.AppendTo(v.hosts[:0])
	stored := len(v.hosts)
	v.hosts = r.BornHost.IP.AppendTo(v.hosts)
	d.StoreHost, d.BornHost = v.hosts[:stored], v.hosts[stored:]
	d.DeliveryAttempt = r.ReconsumeTimes + 1
	d.BodyEncoding = apiv2.Encoding_IDENTITY
	if r.SysFlag&message.FlagCompressed != 0 {
		d.BodyEncoding = apiv2.Encoding_GZIP
	}
	d.MessageType = messageTypes[typeOf(r.Properties)]
	v.digestBody(r, records)
	v.readProperties(r.Properties, now)
	if len(d.MessageID) == 0 {
		v.offsetID = message.AppendOffsetID(v.offsetID[:0], r.StoreHost, r.PhysicalOffset)
		d.MessageID = v.offsetID
	}
}

// appendTo appends the element of a stream that holds the message: its head encoded, its body
// shared. It returns the bytes of it.
func (v *shown) appendTo(element *pool.Chain, bodyOffset, bodyLen int, records *pool.Chain) int {
	v.message.Repair()
	size := apiv2.SizeDelivered(&v.message, bodyLen)
	element.Commit(apiv2.AppendDeliveredHead(element.Reserve(size.Head), &v.message, size))
	element.Share(records, bodyOffset, bodyLen)
	return size.Total
}

var percent = []byte("%")

// digestBody is the MD5 of the body as it is delivered, in upper-case hexadecimal.
func (v *shown) digestBody(r *message.Record, records *pool.Chain) {
	if v.hash == nil {
		v.hash = md5.New()
	}
	v.hash.Reset()
	skip, left := r.BodyOffset, r.BodyLen
	for _, view := range records.Views() {
		if left == 0 {
			break
		}
		b := view.Bytes()
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		b = b[skip:min(len(b), skip+left)]
		skip = 0
		left -= len(b)
		v.hash.Write(b)
	}
	v.hash.Sum(v.sum[:0])
	hex.Encode(v.digest[:], v.sum[:])
	for i, c := range v.digest {
		if c >= 'a' {
			v.digest[i] = c - 'a' + 'A'
		}
	}
	v.message.BodyDigest = v.digest[:]
}

// readProperties sorts the stored properties into the fields of the API; the rest is the
// user's.
func (v *shown) readProperties(properties []byte, now time.Time) {
	d := &v.message
	r := message.ReadProperties(properties)
	for key, value, more := r.Next(); more; key, value, more = r.Next() {
		switch string(key) {
		case message.NameTags:
			d.Tag = value
		case message.NameKeys:
			d.Keys = splitKeys(d.Keys, value)
		case message.NameUniqKey:
			d.MessageID = value
		case message.NameBornHost:
			d.BornHost = value
		case message.NameShardingKey:
			d.MessageGroup = value
		case message.NameLiteTopic:
			d.LiteTopic = value
		case message.NameTraceContext:
			d.TraceContext = value
		case message.NameTimerDelaySec:
			if seconds := number(value); seconds >= 0 && seconds <= math.MaxInt32 {
				d.DeliveryTimestamp = apiv2.TimestampOf(now.Add(time.Duration(seconds) * time.Second))
			}
		case message.NameTimerDeliverMs:
			if millis := number(value); millis >= 0 && !d.DeliveryTimestamp.Set {
				d.DeliveryTimestamp = apiv2.TimestampOfMillis(millis)
			}
		case message.NamePriority:
			if p := number(value); p >= 0 && p <= math.MaxInt32 {
				d.Priority, d.HasPriority = int32(p), true
			}
		case message.NameDLQOriginTopic:
			d.DeadLetterTopic = value
		case message.NameDLQOriginMessageID:
			d.DeadLetterMessageID = value
		}
		if !message.Reserved(key) {
			d.UserProperties = append(d.UserProperties, apiv2.Property{Key: key, Value: value})
		}
	}
	if d.DeadLetterTopic == nil || d.DeadLetterMessageID == nil {
		d.DeadLetterTopic, d.DeadLetterMessageID = nil, nil
	}
}

// splitKeys cuts at single spaces as Java's split does: empty keys at the end are left out.
func splitKeys(keys [][]byte, joined []byte) [][]byte {
	joined = bytes.TrimRight(joined, " ")
	for len(joined) > 0 {
		key, rest, _ := bytes.Cut(joined, space)
		keys = append(keys, key)
		joined = rest
	}
	return keys
}

var space = []byte(" ")

// number reads a decimal number, -1 for anything else.
func number(digits []byte) (n int64) {
	if len(digits) == 0 || len(digits) > 18 {
		return -1
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
