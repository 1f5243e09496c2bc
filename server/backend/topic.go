package backend

// MessageType is what a topic accepts, or what a message is by its properties.
type MessageType uint8

// The message types, named as the attribute message.type of a topic names them.
const (
	TypeUnspecified MessageType = iota // not known; a send to such a topic is refused
	TypeNormal
	TypeFIFO
	TypeDelay
	TypeTransaction
	TypePriority
	TypeLite
	TypeMixed // a topic that takes normal, FIFO, delay and transaction messages
	TypeAny   // a topic of Local mode that was made on first use: it takes every type
)

var typeNames = [...]string{"UNSPECIFIED", "NORMAL", "FIFO", "DELAY", "TRANSACTION", "PRIORITY", "LITE", "MIXED", "ANY"}

func (t MessageType) String() string { return typeNames[t] }

// ParseMessageType reads the value of the attribute message.type.
func ParseMessageType(name string) MessageType {
	for t, known := range typeNames {
		if known == name {
			return MessageType(t)
		}
	}
	return TypeUnspecified
}

// Topic is what is known of a topic at one moment. It is immutable and may be shared.
type Topic struct {
	Name   string
	Exists bool
	Type   MessageType
	// Queues lists the queues by broker, in the order in which they were announced.
	Queues []BrokerQueues
	// Route is the backend's own knowledge behind this one.
	Route any
}

// BrokerQueues is a topic's queues on one broker.
type BrokerQueues struct {
	Broker      string
	BrokerIDs   []int64 // of the replicas with an address, ascending; 0 is the master
	Read, Write int     // how many queues may be read, written
	Readable    bool
	Writable    bool
}

// FetchTopic learns of a topic. After it came home without a fault, Found is set.
type FetchTopic struct {
	Exchange
	Name  []byte // borrowed until it comes home
	Found *Topic
}
