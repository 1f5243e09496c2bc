package apiv2

import "rocketmq-proxy/pool"

// PullView is a PullMessageRequest, read in place. The zero PullView is ready. Its byte slices
// borrow as those of [SendView] do, and are nil where the field was absent.
type PullView struct {
	Group ResourceView
	QueueView
	Offset    int64
	BatchSize int32 // messages; any value, not checked
	FilterView
	LongPollingTimeout Duration

	scratch []byte
}

// Parse reads a PullMessageRequest. It borrows chain, which must stay as it is for as long as
// the view is used. After an error, a *[ParseError], the view is to be Reset or parsed again.
func (v *PullView) Parse(chain *pool.Chain) error {
	v.Reset()
	c := NewCursor(chain, v.scratch)
	for c.More() {
		v.readField(&c)
	}
	v.scratch = c.Scratch()
	return c.Err()
}

// Reset lets go of the chain and keeps the memory for the next Parse.
func (v *PullView) Reset() {
	*v = PullView{scratch: reuse(v.scratch, keptScratchBytesMax)}
}

func (v *PullView) readField(c *Cursor) {
	switch tag := c.Tag(); tag {
	case tagPullGroup:
		v.Group.read(c)
	case tagPullQueue:
		v.QueueView.read(c)
	case tagPullOffset:
		v.Offset = int64(c.Varint())
	case tagPullBatchSize:
		v.BatchSize = int32(c.Varint())
	case tagPullFilter:
		v.FilterView.read(c)
	case tagPullLongPollingTimeout:
		v.LongPollingTimeout.read(c)
	default:
		c.SkipField(tag)
	}
}
