package apiv2

import "rocketmq-proxy/pool"

// AckView is an AckMessageRequest, read in place. The zero AckView is ready; one that is
// parsed again and again allocates nothing. Its byte slices borrow as those of [SendView] do,
// and are nil where the field was absent.
type AckView struct {
	Group   ResourceView
	Topic   ResourceView
	Entries []AckEntryView

	scratch []byte
}

// AckEntryView is one consumed message.
type AckEntryView struct {
	MessageID     []byte
	ReceiptHandle []byte
	LiteTopic     []byte
}

// Parse reads an AckMessageRequest. It borrows chain, which must stay as it is for as long as
// the view is used. After an error, a *[ParseError], the view is to be Reset or parsed again.
func (v *AckView) Parse(chain *pool.Chain, limits *Limits) error {
	v.Reset()
	c := NewCursor(chain, v.scratch)
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagAckGroup:
			v.Group.read(&c)
		case tagAckTopic:
			v.Topic.read(&c)
		case tagAckEntries:
			v.readEntry(&c, limits)
		default:
			c.SkipField(tag)
		}
	}
	v.scratch = c.Scratch()
	return c.Err()
}

// Reset lets go of the chain and keeps the memory for the next Parse.
func (v *AckView) Reset() {
	*v = AckView{
		Entries: reuse(v.Entries, keptElementsMax),
		scratch: reuse(v.scratch, keptScratchBytesMax),
	}
}

func (v *AckView) readEntry(c *Cursor, limits *Limits) {
	if len(v.Entries) == limits.EntriesMax {
		c.fail(&LimitError{Limit: "EntriesMax", Max: limits.EntriesMax})
		return
	}
	var e AckEntryView
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagAckEntryMessageID:
			e.MessageID = c.Text()
		case tagAckEntryReceiptHandle:
			e.ReceiptHandle = c.Text()
		case tagAckEntryLiteTopic:
			e.LiteTopic = c.Text()
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
	v.Entries = append(v.Entries, e)
}
