package scenario

import (
	"fmt"
	"time"
)

// What messages that are sent look like, whatever carries them.

const (
	messageTag = "tagA"
	messageKey = "key-1"
	bornHost   = "bench-host"
)

// body is BodyBytes of text.
func (p *Params) body() []byte {
	b := make([]byte, p.BodyBytes)
	for i := range b {
		b[i] = byte('a' + i%26)
	}
	return b
}

const topicDigits = 4 // behind the names of many topics

// topic is the name of the i-th of many topics.
func (p *Params) topic(i int) string { return fmt.Sprintf("%s%0*d", p.Topic, topicDigits, i) }

const (
	messageIDChars = 34 // "01" and 32 hex digits, as 5.x clients choose them
	counterChars   = 16 // of which the last digits count
	hexUpper       = "0123456789ABCDEF"
)

// messageIDs are those of one connection, all of one length.
type messageIDs struct {
	id    []byte // the last
	count uint64
}

func newMessageIDs(conn int) messageIDs {
	return messageIDs{id: fmt.Appendf(nil, "01%08X%08X%016X", time.Now().Unix()&0xffffffff, conn, 0)}
}

// appendNext adds an id that no other message has.
func (m *messageIDs) appendNext(b []byte) []byte {
	m.count++
	digits := m.id[messageIDChars-counterChars:]
	for i := range digits {
		digits[i] = hexUpper[m.count>>uint(4*(counterChars-1-i))&15]
	}
	return append(b, m.id...)
}
