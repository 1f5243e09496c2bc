package apiv2

import "rocketmq-proxy/pool"

// SendView is a SendMessageRequest, read in place. The zero SendView is ready; one that is
// parsed again and again allocates nothing.
//
// Its byte slices borrow from the chain given to Parse (or from the view itself, where a value
// straddled two blocks) and are stale after the next Parse or Reset. A slice is nil where the
// field was absent.
type SendView struct {
	Messages []MessageView

	properties []Property // of all messages, in order
	keys       [][]byte   // of all messages, in order
	scratch    []byte     // values that straddled blocks
}

// MessageView is one message to be sent.
type MessageView struct {
	Topic          ResourceView
	UserProperties []Property // in wire order; of equal keys the last one counts
	Body           Span       // as received, never looked into

	Keys         [][]byte
	Tag          []byte
	MessageID    []byte
	BornHost     []byte
	MessageGroup []byte
	TraceContext []byte
	LiteTopic    []byte

	BornTimestamp               Timestamp
	DeliveryTimestamp           Timestamp // not to be consumed before
	OrphanedTransactionRecovery Duration  // how long to wait before asking the producer
	BodyEncoding                Encoding
	MessageType                 MessageType
	DeliveryAttempt             int32
	Priority                    int32
	HasPriority                 bool // the priority was present
}

// Property is one user property.
type Property struct {
	Key   []byte
	Value []byte
}

// Parse reads a SendMessageRequest. It borrows chain, which must stay as it is for as long as
// the view is used. After an error, a *[ParseError], the view is to be Reset or parsed again.
func (v *SendView) Parse(chain *pool.Chain, limits *Limits) error {
	v.Reset()
	c := NewCursor(chain, v.scratch)
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagSendMessages:
			v.readMessage(&c, limits)
		default:
			c.SkipField(tag)
		}
	}
	v.scratch = c.Scratch()
	return c.Err()
}

// Reset lets go of the chain and keeps the memory for the next Parse.
func (v *SendView) Reset() {
	v.Messages = reuse(v.Messages, keptElementsMax)
	v.properties = reuse(v.properties, keptElementsMax)
	v.keys = reuse(v.keys, keptElementsMax)
	v.scratch = reuse(v.scratch, keptScratchBytesMax)
}

func (v *SendView) readMessage(c *Cursor, limits *Limits) {
	if len(v.Messages) == limits.MessagesMax {
		c.fail(&LimitError{Limit: "MessagesMax", Max: limits.MessagesMax})
		return
	}
	v.Messages = append(v.Messages, MessageView{})
	m := &v.Messages[len(v.Messages)-1]
	properties, keys := len(v.properties), len(v.keys)
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagMessageTopic:
			m.Topic.read(c)
		case tagMessageUserProperties:
			v.readProperty(c, limits)
		case tagMessageSystem:
			v.readSystem(c, m, limits)
		case tagMessageBody:
			m.Body = c.Span()
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
	m.UserProperties = v.properties[properties:len(v.properties):len(v.properties)]
	m.Keys = v.keys[keys:len(v.keys):len(v.keys)]
}

func (v *SendView) readProperty(c *Cursor, limits *Limits) {
	if len(v.properties) == limits.PropertiesMax {
		c.fail(&LimitError{Limit: "PropertiesMax", Max: limits.PropertiesMax})
		return
	}
	p, ok := c.shortEntry()
	if !ok {
		p = readLongEntry(c)
	}
	v.properties = append(v.properties, p)
}

func readLongEntry(c *Cursor) (p Property) {
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagMapKey:
			p.Key = c.Text()
		case tagMapValue:
			p.Value = c.Text()
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
	return p
}

func (v *SendView) readKey(c *Cursor, limits *Limits) {
	if len(v.keys) == limits.KeysMax {
		c.fail(&LimitError{Limit: "KeysMax", Max: limits.KeysMax})
		return
	}
	v.keys = append(v.keys, c.Text())
}

// readSystem reads SystemProperties. The fields not listed are set by servers, and ignored
// when a client sends them.
func (v *SendView) readSystem(c *Cursor, m *MessageView, limits *Limits) {
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagSystemTag:
			m.Tag = c.Text()
		case tagSystemKeys:
			v.readKey(c, limits)
		case tagSystemMessageID:
			m.MessageID = c.Text()
		case tagSystemBodyEncoding:
			m.BodyEncoding = Encoding(c.Varint())
		case tagSystemMessageType:
			m.MessageType = MessageType(c.Varint())
		case tagSystemBornTimestamp:
			m.BornTimestamp.read(c)
		case tagSystemBornHost:
			m.BornHost = c.Text()
		case tagSystemDeliveryTimestamp:
			m.DeliveryTimestamp.read(c)
		case tagSystemDeliveryAttempt:
			m.DeliveryAttempt = int32(c.Varint())
		case tagSystemMessageGroup:
			m.MessageGroup = c.Text()
		case tagSystemTraceContext:
			m.TraceContext = c.Text()
		case tagSystemOrphanedTransactionRecovery:
			m.OrphanedTransactionRecovery.read(c)
		case tagSystemLiteTopic:
			m.LiteTopic = c.Text()
		case tagSystemPriority:
			m.Priority, m.HasPriority = int32(c.Varint()), true
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
}
