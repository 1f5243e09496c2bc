package apiv2

import "rocketmq-proxy/pool"

// ChangeInvisibleView is a ChangeInvisibleDurationRequest, read in place. The zero
// ChangeInvisibleView is ready. Its byte slices borrow as those of [SendView] do, and are nil
// where the field was absent.
type ChangeInvisibleView struct {
	Group             ResourceView
	Topic             ResourceView
	ReceiptHandle     []byte
	MessageID         []byte
	LiteTopic         []byte
	InvisibleDuration Duration // counted from now; absent means zero
	Suspend           bool     // the delivery attempt does not count

	scratch []byte
}

// Parse reads a ChangeInvisibleDurationRequest. It borrows chain, which must stay as it is for
// as long as the view is used. After an error, a *[ParseError], the view is to be Reset or
// parsed again.
func (v *ChangeInvisibleView) Parse(chain *pool.Chain) error {
	v.Reset()
	c := NewCursor(chain, v.scratch)
	for c.More() {
		v.readField(&c)
	}
	v.scratch = c.Scratch()
	return c.Err()
}

// Reset lets go of the chain and keeps the memory for the next Parse.
func (v *ChangeInvisibleView) Reset() {
	*v = ChangeInvisibleView{scratch: reuse(v.scratch, keptScratchBytesMax)}
}

func (v *ChangeInvisibleView) readField(c *Cursor) {
	switch tag := c.Tag(); tag {
	case tagChangeGroup:
		v.Group.read(c)
	case tagChangeTopic:
		v.Topic.read(c)
	case tagChangeReceiptHandle:
		v.ReceiptHandle = c.Text()
	case tagChangeInvisibleDuration:
		v.InvisibleDuration.read(c)
	case tagChangeMessageID:
		v.MessageID = c.Text()
	case tagChangeLiteTopic:
		v.LiteTopic = c.Text()
	case tagChangeSuspend:
		v.Suspend = c.Varint() != 0
	default:
		c.SkipField(tag)
	}
}
