package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const codeViewMessageByID = 33

// StoredMessage is a message as the broker has it.
type StoredMessage struct {
	Topic, Body    string
	Properties     []string // "KEY=value", in the order of storage
	Flag, SysFlag  int32
	BornTimestamp  int64 // ms since 1970
	ReconsumeTimes int32
}

// ViewMessage reads the message at a position of the broker's commit log.
func (c *Cluster) ViewMessage(ctx context.Context, commitLogOffset int64) (*StoredMessage, error) {
	answer, body, err := call(ctx, c.Broker, codeViewMessageByID, map[string]string{"offset": strconv.FormatInt(commitLogOffset, 10)})
	if err != nil {
		return nil, err
	}
	if answer.Code != codeSuccess {
		return nil, fmt.Errorf("viewing message %d: broker answers %d, %s", commitLogOffset, answer.Code, answer.Remark)
	}
	return parseStored(body)
}

// magicLongTopic marks records whose topic may be longer than 127 bytes: its length has two bytes.
const magicLongTopic = -626843477

// The bits of a record's sysFlag that say that a host has an IPv6 address.
const (
	flagBornV6 = 0x10
	flagHostV6 = 0x20
)

// parseStored reads a record of the commit log.
func parseStored(record []byte) (*StoredMessage, error) {
	r := &recordReader{rest: record}
	m := &StoredMessage{}
	r.skip(4) // length
	magic := r.int32()
	r.skip(4 + 4) // CRC, queue
	m.Flag = r.int32()
	r.skip(8 + 8) // queue offset, position
	m.SysFlag = r.int32()
	m.BornTimestamp = int64(binary.BigEndian.Uint64(r.take(8)))
	r.skip(hostBytes(m.SysFlag, flagBornV6) + 8) // and when it was stored
	r.skip(hostBytes(m.SysFlag, flagHostV6))
	m.ReconsumeTimes = r.int32()
	r.skip(8) // position of the half message
	m.Body = string(r.take(int(r.int32())))
	topicBytes := int(r.take(1)[0])
	if magic == magicLongTopic {
		topicBytes = topicBytes<<8 | int(r.take(1)[0])
	}
	m.Topic = string(r.take(topicBytes))
	properties := string(r.take(int(binary.BigEndian.Uint16(r.take(2)))))
	for property := range strings.SplitSeq(properties, "\x02") {
		if property != "" {
			m.Properties = append(m.Properties, strings.Replace(property, "\x01", "=", 1))
		}
	}
	return m, r.err
}

// hostBytes is the size of an address and a port.
func hostBytes(sysFlag, v6 int32) int {
	if sysFlag&v6 != 0 {
		return 16 + 4
	}
	return 4 + 4
}

// recordReader latches its first failure; what it returns then is zero.
type recordReader struct {
	rest []byte
	err  error
}

func (r *recordReader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.rest) {
		r.err = errors.New("the record ends early")
		return make([]byte, 8)
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *recordReader) skip(n int) { r.take(n) }

func (r *recordReader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }
