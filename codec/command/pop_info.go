package command

import "errors"

// PopInfo is what the three info strings of a [PopResponse] say, looked up by topic mark and
// queue. It is meant to be reused: then parsing allocates nothing. Specification 4.1.
//
//	startOffsetInfo  "0 3 100;1 0 7"           mark queue start
//	msgOffsetInfo    "0 3 100,101;1 0 7"       mark queue offsets
//	orderCountInfo   "0 qo3%101 2;0 3 1"       mark qo<queue>%<offset> count, or mark queue count
type PopInfo struct {
	Queues []PopQueue
	counts []popCount

	offsets []int64 // all PopQueue.Offsets; grows and is never moved under them
}

// PopQueue is one queue that a pop took messages from.
type PopQueue struct {
	Mark        byte // '0' the topic itself, '1' and '2' its retry topics
	QueueID     int32
	StartOffset int64   // where the broker began to read; PopStartAbsent when it did not say
	Offsets     []int64 // queue offsets of the messages, ascending
}

// PopStartAbsent is the StartOffset of a queue that startOffsetInfo does not list.
const PopStartAbsent = -1

// popCount is an entry of orderCountInfo. offset is popCountQueue when it is for all of a queue.
type popCount struct {
	mark    byte
	queueID int32
	offset  int64
	count   int32
}

const popCountQueue = -1

// popEntriesMax bounds the entries of each string. A pop returns 32 messages at most, so that
// brokers list no more queues than that.
const popEntriesMax = 1024

// ErrPopInfo says that an info string cannot be read. The messages of the answer cannot be
// given handles then.
var ErrPopInfo = errors.New("command: unusable info string in the answer to a pop")

// Parse reads the strings of r. Nothing is borrowed.
func (p *PopInfo) Parse(r *PopResponse) error {
	p.Queues, p.counts, p.offsets = p.Queues[:0], p.counts[:0], p.offsets[:0]
	if p.parseStarts(r.StartOffsetInfo) && p.parseOffsets(r.MsgOffsetInfo) && p.parseCounts(r.OrderCountInfo) {
		return nil
	}
	return ErrPopInfo
}

// Queue finds a queue, nil when the answer does not list it. It is valid until the next Parse.
func (p *PopInfo) Queue(mark byte, queueID int32) *PopQueue {
	for i := range p.Queues {
		if q := &p.Queues[i]; q.QueueID == queueID && q.Mark == mark {
			return q
		}
	}
	return nil
}

// OrderCount is how often a message of a FIFO group was delivered before: the count of its
// offset, else that of its queue, else 0.
func (p *PopInfo) OrderCount(mark byte, queueID int32, offset int64) (count int32) {
	for _, c := range p.counts {
		if c.queueID != queueID || c.mark != mark {
			continue
		}
		if c.offset == offset {
			return c.count
		}
		if c.offset == popCountQueue {
			count = c.count
		}
	}
	return count
}
