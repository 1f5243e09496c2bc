package main

import (
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var errMessage = errors.New("malformed stored message")

// reserved properties are the broker's, not the user's.
var reserved = map[string]bool{
	"TRACE_ON": true, "MSG_REGION": true, "KEYS": true, "TAGS": true, "WAIT": true, "PGROUP": true, "MIN_OFFSET": true,
	"MAX_OFFSET": true, "RECONSUME_TIME": true, "UNIQ_KEY": true, "POP_CK": true, "1ST_POP_TIME": true, "CLUSTER": true,
	"__BORNHOST": true, "BORN_TIMESTAMP": true, "DELAY": true, "RETRY_TOPIC": true, "REAL_TOPIC": true, "REAL_QID": true,
}

// stored is one message as a broker returns it.
type stored struct {
	queue       int32
	offset      int64
	physical    int64
	sysFlag     int32
	born, store int64
	bornHost    string
	storeHost   string
	reconsume   int32
	body        []byte
	topic       string
	properties  map[string]string
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad = true
		return make([]byte, max(n, 0))
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }
func (r *reader) int64() int64 { return int64(binary.BigEndian.Uint64(r.take(8))) }

func (r *reader) host(v6 bool) string {
	n := 4
	if v6 {
		n = 16
	}
	ip, _ := netip.AddrFromSlice(r.take(n))
	return netip.AddrPortFrom(ip, uint16(r.int32())).String()
}

func decodeStored(b []byte) (*stored, []byte, error) {
	if len(b) < 4 {
		return nil, nil, errMessage
	}
	size := int(binary.BigEndian.Uint32(b))
	if size < 4 || size > len(b) {
		return nil, nil, errMessage
	}
	r := &reader{b: b[4:size]}
	magic := uint32(r.int32())
	r.int32() // CRC
	m := &stored{queue: r.int32()}
	r.int32() // flag
	m.offset, m.physical, m.sysFlag = r.int64(), r.int64(), r.int32()
	m.born, m.bornHost = r.int64(), r.host(m.sysFlag&0x10 != 0)
	m.store, m.storeHost = r.int64(), r.host(m.sysFlag&0x20 != 0)
	m.reconsume = r.int32()
	r.int64() // prepared transaction
	m.body = r.take(int(r.int32()))
	if magic == 0xDAA320AB {
		m.topic = string(r.take(int(binary.BigEndian.Uint16(r.take(2)))))
	} else {
		m.topic = string(r.take(int(r.take(1)[0])))
	}
	m.properties = parseProperties(string(r.take(int(binary.BigEndian.Uint16(r.take(2))))))
	if r.bad {
		return nil, nil, errMessage
	}
	return m, b[size:], nil
}

func parseProperties(s string) map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(s, "\x02") {
		if key, value, found := strings.Cut(pair, "\x01"); found && key != "" && value != "" {
			all[key] = value
		}
	}
	return all
}

// decodeMessages turns a pop's answer into what clients get.
func decodeMessages(answer *command, topic, broker string, filter *v2.FilterExpression) ([]*v2.Message, error) {
	starts := map[string]string{}
	for entry := range strings.SplitSeq(answer.ExtFields["startOffsetInfo"], ";") {
		if parts := strings.Split(entry, " "); len(parts) == 3 {
			starts[parts[0]+"@"+parts[1]] = parts[2]
		}
	}
	var messages []*v2.Message
	for b := answer.Body; len(b) > 0; {
		m, rest, err := decodeStored(b)
		if err != nil {
			return nil, err
		}
		b = rest
		if !tagMatches(filter, m.properties["TAGS"]) {
			continue
		}
		messages = append(messages, toMessage(m, topic, receiptHandle(answer, m, broker, starts)))
	}
	return messages, nil
}

func tagMatches(filter *v2.FilterExpression, tag string) bool {
	expression := filter.GetExpression()
	if filter.GetType() == v2.FilterType_SQL || expression == "" || expression == "*" {
		return true
	}
	return slices.ContainsFunc(strings.Split(expression, "||"), func(t string) bool { return strings.TrimSpace(t) == tag })
}

func receiptHandle(answer *command, m *stored, broker string, starts map[string]string) string {
	physical := strconv.FormatInt(m.physical, 10)
	if ck := m.properties["POP_CK"]; ck != "" {
		return ck + " " + physical
	}
	mark := "0"
	if strings.HasPrefix(m.topic, "%RETRY%") {
		mark = "1"
	}
	queue, offset := strconv.Itoa(int(m.queue)), strconv.FormatInt(m.offset, 10)
	start, found := starts[mark+"@"+queue]
	if !found {
		start = offset
	}
	return strings.Join([]string{start, answer.ExtFields["popTime"], answer.ExtFields["invisibleTime"],
		answer.ExtFields["reviveQid"], mark, broker, queue, offset, physical}, " ")
}

func toMessage(m *stored, topic, handle string) *v2.Message {
	encoding := v2.Encoding_IDENTITY
	if m.sysFlag&1 != 0 {
		encoding = v2.Encoding_GZIP
	}
	attempt := m.reconsume + 1
	props := &v2.SystemProperties{
		MessageId:    m.properties["UNIQ_KEY"],
		BodyDigest:   &v2.Digest{Type: v2.DigestType_MD5, Checksum: fmt.Sprintf("%X", md5.Sum(m.body))},
		BodyEncoding: encoding, MessageType: v2.MessageType_NORMAL,
		BornTimestamp: timestamppb.New(time.UnixMilli(m.born)), BornHost: m.bornHost,
		StoreTimestamp: timestamppb.New(time.UnixMilli(m.store)), StoreHost: m.storeHost,
		ReceiptHandle: &handle, QueueId: m.queue, QueueOffset: &m.offset, DeliveryAttempt: &attempt,
	}
	if tag := m.properties["TAGS"]; tag != "" {
		props.Tag = &tag
	}
	if keys := m.properties["KEYS"]; keys != "" {
		props.Keys = strings.Split(keys, " ")
	}
	if host := m.properties["__BORNHOST"]; host != "" {
		props.BornHost = host
	}
	user := map[string]string{}
	for key, value := range m.properties {
		if !reserved[key] {
			user[key] = value
		}
	}
	return &v2.Message{Topic: &v2.Resource{Name: topic}, UserProperties: user, SystemProperties: props, Body: m.body}
}
