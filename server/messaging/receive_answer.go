package messaging

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"math"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// answer sorts what was popped and streams what is left: status first, then the messages in
// the broker's order, then the time of delivery (gRPC specification 2.5 step 11).
func (m *receiveMessage) answer(s *h2.Stream, now time.Time) {
	switch m.op.Outcome {
	case backend.PopFull:
		m.refuse(s, failure(apiv2.Code_TOO_MANY_REQUESTS, "polling full"), true)
		return
	case backend.PopNone:
		m.refuse(s, nothingNew, true)
		return
	}
	m.sort()
	if len(m.kept) == 0 {
		m.refuse(s, failure(apiv2.Code_MESSAGE_NOT_FOUND, "no match message"), true)
		return
	}
	m.ended = true
	m.writeStatus(s, ok)
	sent := 0
	for _, i := range m.kept {
		sent += m.write(s, &m.op.Messages[i], now)
		m.delivered = append(m.delivered, sent)
	}
	m.finish(s, true)
}

// nothingNew is a poll that ended without a message.
var nothingNew = apiv2.Outcome{Code: apiv2.Code_MESSAGE_NOT_FOUND, Message: "no new message"}

// sort keeps the messages that are for the receiver. One whose tag only had the same hash is
// acknowledged on the group's behalf, one that was delivered too often becomes a dead letter.
func (m *receiveMessage) sort() {
	attemptsMax := int32(m.group.Found.RetryMax + 1)
	for i := range m.op.Messages {
		popped := &m.op.Messages[i]
		switch {
		case !m.filter.matches(popped.Properties):
			m.client.service.ackQuietly(m.client, m.deliveryOf(popped))
		case popped.ReconsumeTimes >= attemptsMax:
			m.client.service.deadLetterQuietly(m.client, m.deliveryOf(popped), message.Property(popped.Properties, message.NameUniqKey))
		default:
			m.kept = append(m.kept, i)
		}
	}
}

func (m *receiveMessage) deliveryOf(popped *backend.Popped) looseDelivery {
	return looseDelivery{group: m.view.Group.Name, topic: m.view.Topic.Name, handle: m.op.Handle(popped)}
}

// write streams one message: its head encoded, its body shared. It returns the bytes of the
// element on the stream.
func (m *receiveMessage) write(s *h2.Stream, popped *backend.Popped, now time.Time) int {
	m.convert(popped, now)
	size := apiv2.SizeDelivered(&m.message, popped.BodyLen)
	m.element.Commit(apiv2.AppendDeliveredHead(m.element.Reserve(size.Head), &m.message, size))
	m.element.Share(&m.op.Body, popped.BodyOffset, popped.BodyLen)
	s.Send(&m.element)
	return grpc.PrefixBytes + size.Total
}

// convert turns a record into what the client is shown (gRPC specification 3.2).
func (m *receiveMessage) convert(popped *backend.Popped, now time.Time) {
	d := &m.message
	d.Reset()
	d.Topic = apiv2.ResourceView{Name: m.view.Topic.Name}
	if prefix, name, found := bytes.Cut(m.view.Topic.Name, percent); found && len(prefix) > 0 {
		d.Topic = apiv2.ResourceView{Namespace: prefix, Name: name}
	}
	d.QueueID, d.QueueOffset = popped.QueueID, popped.QueueOffset
	d.BornTimestamp = apiv2.TimestampOfMillis(popped.BornTimestamp)
	d.StoreTimestamp = apiv2.TimestampOfMillis(popped.StoreTimestamp)
	m.hosts = popped.StoreHost.AppendTo(m.hosts[:0])
	stored := len(m.hosts)
	m.hosts = popped.BornHost.IP.AppendTo(m.hosts)
	d.StoreHost, d.BornHost = m.hosts[:stored], m.hosts[stored:]
	d.ReceiptHandle = m.op.Handle(popped)
	d.DeliveryAttempt = popped.ReconsumeTimes + 1
	d.BodyEncoding = apiv2.Encoding_IDENTITY
	if popped.SysFlag&message.FlagCompressed != 0 {
		d.BodyEncoding = apiv2.Encoding_GZIP
	}
	d.MessageType = messageTypes[typeOf(popped.Properties)]
	m.digestBody(popped)
	m.readProperties(popped.Properties, now)
	if len(d.MessageID) == 0 {
		m.offsetID = message.AppendOffsetID(m.offsetID[:0], popped.StoreHost, popped.PhysicalOffset)
		d.MessageID = m.offsetID
	}
	d.Repair()
}

var percent = []byte("%")

// digestBody is the MD5 of the body as it is delivered, in upper-case hexadecimal.
func (m *receiveMessage) digestBody(popped *backend.Popped) {
	if m.hash == nil {
		m.hash = md5.New()
	}
	m.hash.Reset()
	skip, left := popped.BodyOffset, popped.BodyLen
	for _, v := range m.op.Body.Views() {
		if left == 0 {
			break
		}
		b := v.Bytes()
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		b = b[skip:min(len(b), skip+left)]
		skip = 0
		left -= len(b)
		m.hash.Write(b)
	}
	m.hash.Sum(m.sum[:0])
	hex.Encode(m.digest[:], m.sum[:])
	for i, c := range m.digest {
		if c >= 'a' {
			m.digest[i] = c - 'a' + 'A'
		}
	}
	m.message.BodyDigest = m.digest[:]
}

// readProperties sorts the stored properties into the fields of the API; the rest is the
// user's.
func (m *receiveMessage) readProperties(properties []byte, now time.Time) {
	d := &m.message
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
