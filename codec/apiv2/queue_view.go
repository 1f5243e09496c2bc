package apiv2

// QueueView is a MessageQueue as far as consuming cares about it. Its slices borrow as those
// of the request around it do, and are nil where the field was absent.
type QueueView struct {
	Topic      ResourceView
	BrokerName []byte
	QueueID    int32
}

func (v *QueueView) read(c *Cursor) {
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagQueueTopic:
			v.Topic.read(c)
		case tagQueueID:
			v.QueueID = int32(c.Varint())
		case tagQueueBroker:
			v.readBroker(c)
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
}

func (v *QueueView) readBroker(c *Cursor) {
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagBrokerName:
			v.BrokerName = c.Text()
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
}

// FilterView is a FilterExpression; what is said of QueueView holds for it too.
type FilterView struct {
	FilterType       FilterType
	FilterExpression []byte
}

func (v *FilterView) read(c *Cursor) {
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagFilterType:
			v.FilterType = FilterType(c.Varint())
		case tagFilterExpression:
			v.FilterExpression = c.Text()
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
}
