package cli

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/codec/apiv2"
)

const sendHelp = `rocketmq-proxy send sends a message to a running proxy and prints its id.

Usage:

  rocketmq-proxy send [flags] TOPIC TEXT

The body is TEXT; "-" reads it from standard input. Behind "--" nothing is a flag.

  -tag TAG              for receivers that filter by tags
  -key KEY              to find the message by; may be given again
  -property NAME=VALUE  of the message, for SQL filters and receivers; may be given again
  -delay DURATION       not before this time has passed, as 10s or 1h30m
  -message-group GROUP  in order with the other messages of this group
  -priority N           before messages with a smaller number
  -lite-topic NAME      to this lite topic of TOPIC
  -count N              send it N times; default 1

The proxy:

` + targetHelp + `
Example:

  rocketmq-proxy send hello "hi"
  rocketmq-proxy send -tag vip -key order-17 -delay 10s orders "ship it"

Exit code: 0 it is stored, 1 it is not, or nobody knows, 2 wrong command line.
`

// sendOptions are a message as the command line has it.
type sendOptions struct {
	target
	topic, body string
	tag         string
	keys        list
	properties  list
	delay       time.Duration
	group       string
	priority    int
	lite        string
	count       int
}

func parseSend(args []string, w *World) (o sendOptions, err error) {
	f := newFlags("send", sendHelp)
	o.target.flags(f)
	o.priority = -1
	o.count = 1
	f.text(&o.tag, "tag")
	f.Var(&o.keys, "key", "")
	f.Var(&o.properties, "property", "")
	f.DurationVar(&o.delay, "delay", 0, "")
	f.text(&o.group, "message-group")
	f.number(&o.priority, "priority")
	f.text(&o.lite, "lite-topic")
	f.number(&o.count, "count")
	words, err := f.parse(args)
	if err != nil {
		return o, err
	}
	if len(words) != 2 {
		return o, f.wrong("wants a topic and a text, as in: %s send hello \"hi\"", w.Program)
	}
	o.topic, o.body = words[0], words[1]
	for _, p := range o.properties {
		if name, _, ok := strings.Cut(p, "="); !ok || name == "" {
			return o, f.wrong("-property %s is not NAME=VALUE", p)
		}
	}
	var kinds []string
	f.Visit(func(one *flag.Flag) {
		if slices.Contains([]string{"delay", "message-group", "priority", "lite-topic"}, one.Name) {
			kinds = append(kinds, "-"+one.Name)
		}
	})
	switch {
	case len(kinds) > 1:
		return o, f.wrong("%s make messages of different types: choose one", strings.Join(kinds, " and "))
	case len(kinds) == 1 && kinds[0] == "-priority" && o.priority < 0:
		return o, f.wrong("-priority %d is negative", o.priority)
	case o.delay < 0:
		return o, f.wrong("-delay %v is in the past", o.delay)
	case o.count < 1:
		return o, f.wrong("-count %d is less than 1", o.count)
	}
	return o, o.target.check(f)
}

func runSend(ctx context.Context, args []string, w *World) error {
	o, err := parseSend(args, w)
	if err != nil {
		return err
	}
	if o.body == "-" {
		text, err := io.ReadAll(w.Stdin)
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		o.body = string(text)
	}
	c, err := dial(o.target)
	if err != nil {
		return err
	}
	defer c.close()
	if _, err := c.queues(ctx, o.topic, true); err != nil {
		return err
	}
	s, err := c.open(ctx, apiv2.ClientType_PRODUCER, &apiv2.Settings{
		PubSub: &apiv2.Settings_Publishing{Publishing: &apiv2.Publishing{Topics: []*apiv2.Resource{{Name: o.topic}}}},
	})
	if err != nil {
		return err
	}
	defer s.end(ctx)
	ids := newIDs(time.Now())
	for range o.count {
		if err := s.send(ctx, o.message(ids.next(), time.Now()), w.Stdout); err != nil {
			return err
		}
	}
	return nil
}

// send sends one message and prints what became of it.
func (s *session) send(ctx context.Context, m *apiv2.Message, out io.Writer) error {
	var answer apiv2.SendMessageResponse
	err := s.call(ctx, "SendMessage", &apiv2.SendMessageRequest{Messages: []*apiv2.Message{m}}, &answer)
	if err != nil {
		return err
	}
	for _, e := range answer.GetEntries() {
		if err := judge(e.GetStatus()); err != nil {
			return err
		}
		line := fmt.Sprintf("%s  sent to %s, offset %d", e.GetMessageId(), m.GetTopic().GetName(), e.GetOffset())
		if handle := e.GetRecallHandle(); handle != "" {
			line += ", recall handle " + handle
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

// message is the message of the command line.
func (o *sendOptions) message(id string, now time.Time) *apiv2.Message {
	host, _ := os.Hostname()
	body := []byte(o.body)
	system := &apiv2.SystemProperties{
		MessageId: id, Keys: o.keys, BornHost: host, BornTimestamp: timestamppb.New(now),
		BodyEncoding: apiv2.Encoding_IDENTITY, MessageType: apiv2.MessageType_NORMAL,
		BodyDigest: &apiv2.Digest{Type: apiv2.DigestType_CRC32, Checksum: fmt.Sprintf("%X", crc32.ChecksumIEEE(body))},
	}
	if o.tag != "" {
		system.Tag = proto.String(o.tag)
	}
	switch {
	case o.delay > 0:
		system.MessageType, system.DeliveryTimestamp = apiv2.MessageType_DELAY, timestamppb.New(now.Add(o.delay))
	case o.group != "":
		system.MessageType, system.MessageGroup = apiv2.MessageType_FIFO, proto.String(o.group)
	case o.priority >= 0:
		system.MessageType, system.Priority = apiv2.MessageType_PRIORITY, proto.Int32(int32(o.priority))
	case o.lite != "":
		system.MessageType, system.LiteTopic = apiv2.MessageType_LITE, proto.String(o.lite)
	}
	m := &apiv2.Message{Topic: &apiv2.Resource{Name: o.topic}, SystemProperties: system, Body: body}
	for _, p := range o.properties {
		if m.UserProperties == nil {
			m.UserProperties = make(map[string]string)
		}
		name, value, _ := strings.Cut(p, "=")
		m.UserProperties[name] = value
	}
	return m
}

// ids makes message ids of the form that official clients have (version 01): six bytes of the
// machine, here of chance, two of the process, the seconds since 2021 and a number.
type ids struct {
	fixed [13]byte
	count uint32
}

func newIDs(now time.Time) *ids {
	i := &ids{}
	i.fixed[0] = 1
	_, _ = rand.Read(i.fixed[1:7]) // it never fails
	binary.BigEndian.PutUint16(i.fixed[7:], uint16(os.Getpid()))
	epoch := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	binary.BigEndian.PutUint32(i.fixed[9:], uint32(now.Sub(epoch)/time.Second))
	return i
}

func (i *ids) next() string {
	all := binary.BigEndian.AppendUint32(i.fixed[:len(i.fixed):len(i.fixed)], i.count)
	i.count++
	return strings.ToUpper(hex.EncodeToString(all))
}
