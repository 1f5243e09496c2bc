package apiv2

import "rocketmq-proxy/pool"

// ReceiveView is a ReceiveMessageRequest, read in place. The zero ReceiveView is ready. Its
// byte slices borrow as those of [SendView] do, and are nil where the field was absent.
type ReceiveView struct {
	Group ResourceView
	QueueView
	FilterView

	BatchSize          int32 // messages; any value, not checked
	InvisibleDuration  Duration
	AutoRenew          bool
	LongPollingTimeout Duration
	AttemptID          []byte

	scratch []byte
}

// Parse reads a ReceiveMessageRequest. It borrows chain, which must stay as it is for as long
// as the view is used. After an error, a *[ParseError], the view is to be Reset or parsed again.
func (v *ReceiveView) Parse(chain *pool.Chain) error {
	v.Reset()
	c := NewCursor(chain, v.scratch)
	for c.More() {
		v.readField(&c)
	}
	v.scratch = c.Scratch()
	return c.Err()
}

// Reset lets go of the chain and keeps the memory for the next Parse.
func (v *ReceiveView) Reset() {
	*v = ReceiveView{scratch: reuse(v.scratch, keptScratchBytesMax)}
}

func (v *ReceiveView) readField(c *Cursor) {
	switch tag := c.Tag(); tag {
	case tagReceiveGroup:
		v.Group.read(c)
	case tagReceiveQueue:
		v.QueueView.read(c)
	case tagReceiveFilter:
		v.FilterView.read(c)
	case tagReceiveBatchSize:
		v.BatchSize = int32(c.Varint())
	case tagReceiveInvisibleDuration:
		v.InvisibleDuration.read(c)
	case tagReceiveAutoRenew:
		v.AutoRenew = c.Varint() != 0
	case tagReceiveLongPollingTimeout:
		v.LongPollingTimeout.read(c)
	case tagReceiveAttemptID:
		v.AttemptID = c.Text()
	default:
		c.SkipField(tag)
	}
}
