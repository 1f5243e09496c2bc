package message

import "bytes"

// Type is what a message is, as its properties say.
type Type byte

// The types, in no order of the wire.
const (
	TypeNormal Type = iota
	TypeFIFO
	TypeDelay
	TypeTransaction
	TypePriority
	TypeLite
)

var typeNames = [...]string{"NORMAL", "FIFO", "DELAY", "TRANSACTION", "PRIORITY", "LITE"}

// String is the value that the topic attribute message.type has for the type.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "UNSPECIFIED"
}

// TypeOf is the type of a message with these properties. Several may fit; the first of
// transaction, delay, FIFO, priority and lite counts. gRPC specification 3.4.
func TypeOf(properties []byte) Type {
	var seen [len(typeNames)]bool
	r := ReadProperties(properties)
	for len(r.rest) > 0 {
		pair := r.pair()
		if !mayTellType(pair) {
			continue
		}
		mid := bytes.IndexByte(pair, nameEnd)
		if mid < 0 || mid == len(pair)-1 { // no pair: no name, or no value
			continue
		}
		switch value := pair[mid+1:]; string(pair[:mid]) {
		case NameTranMsg:
			seen[TypeTransaction] = isTrue(value) // the last one counts
		case NameDelay, NameTimerDeliverMs, NameTimerDelaySec, NameTimerDelayMs:
			seen[TypeDelay] = true
		case NameShardingKey:
			seen[TypeFIFO] = true
		case NamePriority:
			seen[TypePriority] = true
		case NameLiteTopic:
			seen[TypeLite] = true
		}
	}
	for _, t := range [...]Type{TypeTransaction, TypeDelay, TypeFIFO, TypePriority, TypeLite} {
		if seen[t] {
			return t
		}
	}
	return TypeNormal
}

// mayTellType spares most properties a closer look: the names that tell a type begin so.
func mayTellType(pair []byte) bool {
	return len(pair) > 0 && (pair[0] == 'T' || pair[0] == 'D' || pair[0] == '_')
}

func isTrue(v []byte) bool {
	return len(v) == 4 && v[0]|0x20 == 't' && v[1]|0x20 == 'r' && v[2]|0x20 == 'u' && v[3]|0x20 == 'e'
}
