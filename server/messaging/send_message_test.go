package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/backend"
)

// message1 is a message of the topic "orders".
func message1(change ...func(*apiv2.Message)) *apiv2.Message {
	m := &apiv2.Message{Topic: resource("orders"), Body: []byte("hello"), SystemProperties: &apiv2.SystemProperties{MessageId: "ID1"}}
	for _, c := range change {
		c(m)
	}
	return m
}

func sendRequest(messages ...*apiv2.Message) *apiv2.SendMessageRequest {
	return &apiv2.SendMessageRequest{Messages: messages}
}

func TestSendOne(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	c := p.call("SendMessage", sendRequest(message1()))
	p.hears(`send orders ["hello"]`)
	op := asked[*backend.Send](p, 0)
	if want := w.now.Add(2 * time.Second); !op.Deadline.Equal(want) || op.Shard != nil {
		t.Errorf("deadline %v, shard %q; want %v and none", op.Deadline, op.Shard, want)
	}
	op.Offset, op.TransactionID, op.RecallHandle = 42, []byte("TX"), []byte("recall")
	p.reply(&op.Exchange, backend.Fault{})

	var answer apiv2.SendMessageResponse
	c.says(&answer, apiv2.Code_OK, "OK")
	entry := &apiv2.SendResultEntry{
		Status: &apiv2.Status{Code: apiv2.Code_OK, Message: "OK"}, MessageId: "ID1", TransactionId: "TX", Offset: 42, RecallHandle: "recall",
	}
	if len(answer.GetEntries()) != 1 || !proto.Equal(answer.GetEntries()[0], entry) {
		t.Errorf("entries %v, want %v", answer.GetEntries(), entry)
	}
}

// TestSendInAnyPieces: chopped anywhere, the conversation is the same.
func TestSendInAnyPieces(t *testing.T) {
	for _, piece := range []int{1, 7, 64, 1000} {
		p := newWorld(t).connect()
		p.piece = piece
		c := p.call("SendMessage", sendRequest(
			message1(func(m *apiv2.Message) { m.UserProperties = map[string]string{"color": "red"} }),
			message1(func(m *apiv2.Message) { m.Body = []byte(strings.Repeat("x", 300)) }),
		))
		p.hears(fmt.Sprintf("send orders %q", []string{"hello", strings.Repeat("x", 300)}))
		op := asked[*backend.Send](p, 0)
		if got := string(op.Messages[0].Properties); !strings.HasPrefix(got, "color\x01red\x02") {
			t.Errorf("properties %q", got)
		}
		p.works()
		c.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
	}
}

// TestSendBatch: N messages are stored together and answered by one entry.
func TestSendBatch(t *testing.T) {
	p := newWorld(t).connect()
	second := message1(func(m *apiv2.Message) {
		m.Body, m.SystemProperties.MessageId, m.SystemProperties.MessageGroup = []byte("two"), "ID2", proto.String("g")
	})
	c := p.call("SendMessage", sendRequest(message1(), second))
	p.hears(`send orders ["hello" "two"]`)
	op := asked[*backend.Send](p, 0)
	if op.Shard != nil {
		t.Errorf("a batch is pinned by %q", op.Shard)
	}
	p.works()
	var answer apiv2.SendMessageResponse
	c.says(&answer, apiv2.Code_OK, "OK")
	if len(answer.GetEntries()) != 1 || answer.GetEntries()[0].GetMessageId() != "ID1,ID2" {
		t.Errorf("entries %v", answer.GetEntries())
	}
}

// TestSendBatchRefuses what brokers do not store together with others.
func TestSendBatchRefuses(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"%RETRY%readers", "delays"} {
		w.fake.topics[name] = &backend.Topic{Name: name, Exists: true, Type: backend.TypeMixed}
	}
	p := w.connect()
	second := func(m *apiv2.Message) { m.SystemProperties.MessageId = "ID2" }
	delayed := system(func(s *apiv2.SystemProperties) { s.DeliveryTimestamp = stamp(w.now.Add(time.Minute)) })
	to := func(topic string) func(*apiv2.Message) { return func(m *apiv2.Message) { m.Topic = resource(topic) } }
	for _, test := range []struct {
		first, second *apiv2.Message
		text          string
	}{
		{message1(to("delays")), message1(to("delays"), second, delayed), "Delayed messages are not supported for batching"},
		{message1(to("%RETRY%readers")), message1(to("%RETRY%readers"), second), "Retry Group is not supported for batching"},
	} {
		p.call("SendMessage", sendRequest(test.first, test.second)).says(&apiv2.SendMessageResponse{}, apiv2.Code_INTERNAL_SERVER_ERROR, test.text)
		p.hears()
	}
}

// TestSendIsPinned by the message group, else by the lite topic.
func TestSendIsPinned(t *testing.T) {
	for _, test := range []struct {
		group, lite *string
		shard       string
	}{
		{nil, nil, ""},
		{proto.String("g"), proto.String("l"), "g"},
		{nil, proto.String("l"), "l"},
		{proto.String(""), proto.String("l"), "l"},
	} {
		p := newWorld(t).connect()
		c := p.call("SendMessage", sendRequest(message1(func(m *apiv2.Message) {
			m.SystemProperties.MessageGroup, m.SystemProperties.LiteTopic = test.group, test.lite
		})))
		if got := string(asked[*backend.Send](p, 0).Shard); got != test.shard {
			t.Errorf("group %v, lite topic %v: pinned by %q, want %q", test.group, test.lite, got, test.shard)
		}
		p.works()
		c.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
	}
}

// TestSendStoreStatuses: what is stored less safely is told by the entry, without an id.
func TestSendStoreStatuses(t *testing.T) {
	for stored, want := range map[backend.StoreStatus]struct {
		code      apiv2.Code
		all, text string
	}{
		backend.StoreFlushDiskTimeout:    {apiv2.Code_MASTER_PERSISTENCE_TIMEOUT, "MASTER_PERSISTENCE_TIMEOUT", "send message failed, sendStatus=FLUSH_DISK_TIMEOUT"},
		backend.StoreFlushReplicaTimeout: {apiv2.Code_SLAVE_PERSISTENCE_TIMEOUT, "SLAVE_PERSISTENCE_TIMEOUT", "send message failed, sendStatus=FLUSH_SLAVE_TIMEOUT"},
		backend.StoreReplicaNotAvailable: {apiv2.Code_HA_NOT_AVAILABLE, "HA_NOT_AVAILABLE", "send message failed, sendStatus=SLAVE_NOT_AVAILABLE"},
	} {
		p := newWorld(t).connect()
		c := p.call("SendMessage", sendRequest(message1()))
		op := asked[*backend.Send](p, 0)
		op.Stored, op.Offset = stored, 9
		p.reply(&op.Exchange, backend.Fault{})
		var answer apiv2.SendMessageResponse
		c.says(&answer, want.code, want.all)
		entry := &apiv2.SendResultEntry{Status: &apiv2.Status{Code: want.code, Message: want.text}}
		if len(answer.GetEntries()) != 1 || !proto.Equal(answer.GetEntries()[0], entry) {
			t.Errorf("entries %v, want %v", answer.GetEntries(), entry)
		}
	}
}

func TestSendFails(t *testing.T) {
	eachFault(t, func(t *testing.T, f backend.Fault, code string) {
		p := newWorld(t).connect()
		c := p.call("SendMessage", sendRequest(message1()))
		p.reply(&asked[*backend.Send](p, 0).Exchange, f)
		var answer apiv2.SendMessageResponse
		c.says(&answer, apiv2.Code(apiv2.Code_value[code]), "it broke")
		if len(answer.GetEntries()) != 0 {
			t.Errorf("entries %v, want none", answer.GetEntries())
		}

		fetch := p.call("SendMessage", sendRequest(message1(func(m *apiv2.Message) { m.Topic.Name = "unheard" })))
		p.reply(&asked[*backend.FetchTopic](p, 0).Exchange, f)
		fetch.says(&apiv2.SendMessageResponse{}, apiv2.Code(apiv2.Code_value[code]), "it broke")
	})
}

// TestSendToUnknownTopic waits for the topic. One that does not exist has no type, and so every
// message is refused by its type, unless types are not checked.
func TestSendToUnknownTopic(t *testing.T) {
	unheard := sendRequest(message1(func(m *apiv2.Message) { m.Topic.Name = "unheard" }))
	answerTopic := func(p *peer, found *backend.Topic) {
		op := asked[*backend.FetchTopic](p, 0)
		op.Found = found
		p.reply(&op.Exchange, backend.Fault{})
	}

	p := newWorld(t).connect()
	c := p.call("SendMessage", unheard)
	p.hears("topic unheard")
	answerTopic(p, &backend.Topic{Name: "unheard", Exists: true, Type: backend.TypeNormal})
	p.hears(`send unheard ["hello"]`)
	p.works()
	c.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")

	c = p.call("SendMessage", unheard)
	answerTopic(p, &backend.Topic{Name: "unheard"})
	c.says(&apiv2.SendMessageResponse{}, apiv2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE,
		"TopicMessageType validate failed, the expected type is UNSPECIFIED, but actual type is NORMAL")

	p = newWorld(t, func(c *Config) { c.TypeCheck = false }).connect()
	c = p.call("SendMessage", unheard)
	answerTopic(p, &backend.Topic{Name: "unheard"})
	c.says(&apiv2.SendMessageResponse{}, apiv2.Code_TOPIC_NOT_FOUND,
		"CODE: 17  DESC: No topic route info in name server for the topic: unheard")
}

func TestSendChecksTheType(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	kinds := map[backend.MessageType]func(*apiv2.Message){
		backend.TypeNormal: func(*apiv2.Message) {},
		backend.TypeFIFO:   func(m *apiv2.Message) { m.SystemProperties.MessageGroup = proto.String("g") },
		backend.TypeDelay: func(m *apiv2.Message) {
			m.SystemProperties.DeliveryTimestamp = stamp(w.now.Add(time.Minute))
			m.SystemProperties.MessageGroup = proto.String("g") // delay counts first
		},
		backend.TypeTransaction: func(m *apiv2.Message) { m.SystemProperties.MessageType = apiv2.MessageType_TRANSACTION },
		backend.TypePriority:    func(m *apiv2.Message) { m.SystemProperties.Priority = proto.Int32(3) },
		backend.TypeLite:        func(m *apiv2.Message) { m.SystemProperties.LiteTopic = proto.String("l") },
	}
	for topic := backend.TypeUnspecified; topic <= backend.TypeMixed; topic++ {
		for kind, change := range kinds {
			w.fake.know(&backend.Topic{Name: "typed", Exists: true, Type: topic})
			c := p.call("SendMessage", sendRequest(message1(func(m *apiv2.Message) { m.Topic.Name = "typed" }, change)))
			p.works()
			if topic == kind || topic == backend.TypeMixed {
				c.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
				continue
			}
			c.says(&apiv2.SendMessageResponse{}, apiv2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE,
				fmt.Sprintf("TopicMessageType validate failed, the expected type is %v, but actual type is %v", topic, kind))
		}
	}
	// A sender may set the message group by its own property; an empty one does not exist.
	w.fake.know(&backend.Topic{Name: "typed", Exists: true, Type: backend.TypeFIFO})
	for group, want := range map[string]apiv2.Code{"g": apiv2.Code_OK, "": apiv2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE} {
		c := p.call("SendMessage", sendRequest(message1(func(m *apiv2.Message) { m.Topic.Name = "typed" }, property("__SHARDINGKEY", group))))
		if p.fake.pending() == 1 {
			op := asked[*backend.Send](p, 0)
			if got := typeOf(op.Messages[0].Properties); got != backend.TypeFIFO {
				t.Errorf("as it is stored its type is %v", got)
			}
		}
		p.works()
		var answer apiv2.SendMessageResponse
		if c.answer(&answer); answer.GetStatus().GetCode() != want {
			t.Errorf("group %q: %v", group, answer.GetStatus())
		}
	}
	for _, name := range []string{"%RETRY%g_orders", "%DLQ%g"} {
		w.fake.know(&backend.Topic{Name: name, Exists: true})
		c := p.call("SendMessage", sendRequest(message1(func(m *apiv2.Message) { m.Topic.Name = name })))
		p.works()
		c.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
	}
}

// TestSendCanceled at every step: what is with the backend comes home to nobody.
func TestSendCanceled(t *testing.T) {
	request := sendRequest(message1())
	unheard := sendRequest(message1(func(m *apiv2.Message) { m.Topic.Name = "unheard" }))

	p := newWorld(t).connect()
	p.open("SendMessage").cancel() // before its message
	half := p.open("SendMessage")
	half.raw(make([]byte, 3), 0) // in the middle of the request
	half.cancel()
	p.hears()

	p.call("SendMessage", unheard).cancel()
	fetch := asked[*backend.FetchTopic](p, 0)
	fetch.Found = &backend.Topic{Name: "unheard", Exists: true, Type: backend.TypeNormal}
	p.reply(&fetch.Exchange, backend.Fault{})
	p.hears("topic unheard")

	c := p.call("SendMessage", request)
	c.cancel()
	p.hears(`send orders ["hello"]`)
	p.works()
	if c.data != nil || c.ended {
		t.Errorf("a canceled call was answered: %q", c.data)
	}

	p.call("SendMessage", request)
	p.close() // and the connection with it
	p.works()
}

// TestSendAnswerWaitsForTheWindow, and may never leave.
func TestSendAnswerWaitsForTheWindow(t *testing.T) {
	p := newWorld(t).connect(4)
	c := p.call("SendMessage", sendRequest(message1()))
	p.works()
	if len(c.data) != 4 || c.ended {
		t.Fatalf("%d bytes left, ended %v; want 4 and not", len(c.data), c.ended)
	}
	c.window(1000)
	c.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")

	c = p.call("SendMessage", sendRequest(message1()))
	p.works()
	c.cancel()
	c = p.call("SendMessage", sendRequest())
	c.cancel()
}

func TestSendMalformed(t *testing.T) {
	p := newWorld(t).connect()
	c := p.open("SendMessage")
	c.raw([]byte{0x0A, 0x7F}, frame.FlagEndStream)
	if c.status() != "13 Invalid protobuf byte sequence: apiv2: message ends inside a field (at byte 2)" {
		t.Errorf("status %q", c.status())
	}
	c = p.call("SendMessage", sendRequest(message1()), "x-mq-client-id", " ")
	c.says(&apiv2.SendMessageResponse{}, apiv2.Code_CLIENT_ID_REQUIRED, "client id cannot be empty")
}
