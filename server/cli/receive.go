package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
)

const receiveHelp = `rocketmq-proxy receive receives messages from a running proxy, prints each on a line, and
acknowledges it, so that its group is not given it again.

Usage:

  rocketmq-proxy receive [flags] TOPIC

  -group GROUP          consumer group; default rocketmq-proxy-cli
  -count N              end after N messages; 0 goes on until it is interrupted; default 1
  -wait DURATION        end when nothing has come for so long; default 20s, not with -count 0
  -tag TAGS             only messages with one of these tags, as 'a||b'
  -sql EXPRESSION       only messages whose properties fit, as 'price > 10'
  -no-ack               do not acknowledge: they come again after -invisible
  -invisible DURATION   how long a message is kept from others meanwhile; default 30s
  -json                 print a message as JSON, with all that is known of it

Where a new group begins is the broker's rule: with what is new, and in a young topic with all
of it.

The proxy:

` + targetHelp + `
Example:

  rocketmq-proxy receive hello
  rocketmq-proxy receive -count 0 -tag vip -group shipping orders

Exit code: 0 all came, 1 it did not work, 2 wrong command line, 3 fewer came than wanted.
`

// receiveOptions are the command line.
type receiveOptions struct {
	target
	topic     string
	group     string
	count     int
	wait      time.Duration
	filter    *apiv2.FilterExpression
	keep      bool // do not acknowledge
	invisible time.Duration
	json      bool
}

func parseReceive(args []string, w *World) (o receiveOptions, err error) {
	f := newFlags("receive", receiveHelp)
	o.target.flags(f)
	o.group, o.count = "rocketmq-proxy-cli", 1
	var tags, sql string
	f.text(&o.group, "group")
	f.number(&o.count, "count")
	f.DurationVar(&o.wait, "wait", 20*time.Second, "")
	f.text(&tags, "tag")
	f.text(&sql, "sql")
	f.BoolVar(&o.keep, "no-ack", false, "")
	f.DurationVar(&o.invisible, "invisible", 30*time.Second, "")
	f.BoolVar(&o.json, "json", false, "")
	words, err := f.parse(args)
	if err != nil {
		return o, err
	}
	switch {
	case len(words) != 1:
		return o, f.wrong("wants a topic, as in: %s receive hello", w.Program)
	case tags != "" && sql != "":
		return o, f.wrong("a filter is -tag or -sql, not both")
	case o.count < 0:
		return o, f.wrong("-count %d is negative", o.count)
	case o.wait <= 0:
		return o, f.wrong("-wait %v is no time", o.wait)
	case o.invisible <= 0:
		return o, f.wrong("-invisible %v is no time", o.invisible)
	}
	o.topic = words[0]
	o.filter = &apiv2.FilterExpression{Type: apiv2.FilterType_TAG, Expression: "*"}
	if tags != "" {
		o.filter.Expression = tags
	}
	if sql != "" {
		o.filter = &apiv2.FilterExpression{Type: apiv2.FilterType_SQL, Expression: sql}
	}
	return o, o.target.check(f)
}

// errNothing says that fewer messages came than were wanted.
var errNothing = errors.New("no more messages came")

func runReceive(ctx context.Context, args []string, w *World) error {
	o, err := parseReceive(args, w)
	if err != nil {
		return err
	}
	c, err := dial(o.target)
	if err != nil {
		return err
	}
	defer c.close()
	queues, err := c.queues(ctx, o.topic, false)
	if err != nil {
		return err
	}
	group := &apiv2.Resource{Name: o.group}
	topic := &apiv2.Resource{Name: o.topic}
	s, err := c.open(ctx, apiv2.ClientType_SIMPLE_CONSUMER, &apiv2.Settings{
		PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{
			Group: group, Subscriptions: []*apiv2.SubscriptionEntry{{Topic: topic, Expression: o.filter}},
		}},
	})
	if err != nil {
		return err
	}
	defer s.end(ctx)
	beating, stop := context.WithCancel(ctx)
	defer stop()
	go s.beat(beating)
	r := &receiver{session: s, options: o, out: w.Stdout, queues: onePerBroker(queues)}
	err = r.run(ctx)
	if o.count == 0 && ctx.Err() != nil {
		return nil // interrupted, as it was meant to be
	}
	return err
}

// onePerBroker keeps a queue of each broker: who receives from one is given of all its queues.
func onePerBroker(queues []*apiv2.MessageQueue) (kept []*apiv2.MessageQueue) {
	seen := make(map[string]bool)
	for _, q := range queues {
		if name := q.GetBroker().GetName(); !seen[name] {
			seen[name] = true
			kept = append(kept, q)
		}
	}
	return kept
}

// receiver asks one broker after the other.
type receiver struct {
	session *session
	options receiveOptions
	out     io.Writer
	queues  []*apiv2.MessageQueue
	got     int
}

// The bounds of one long poll; with several brokers nobody waits for long in front of one.
const (
	pollMax        = 20 * time.Second
	pollMaxOfMany  = 5 * time.Second
	batchMax       = 32
	busyPause      = time.Second
	answerOverhead = 5 * time.Second // beyond the poll, for the way there and back
)

func (r *receiver) run(ctx context.Context) error {
	last := time.Now()
	for turn := 0; r.options.count == 0 || r.got < r.options.count; turn++ {
		poll := pollMax
		if len(r.queues) > 1 {
			poll = pollMaxOfMany
		}
		patient, cancel := ctx, context.CancelFunc(func() {})
		if r.options.count > 0 {
			left := r.options.wait - time.Since(last)
			if left <= 0 {
				return fmt.Errorf("%w in %v: %d of %d came", errNothing, r.options.wait, r.got, r.options.count)
			}
			poll = min(poll, left)
			patient, cancel = context.WithTimeout(ctx, left)
		}
		before := r.got
		err := r.poll(patient, r.queues[turn%len(r.queues)], poll)
		impatient := ctx.Err() == nil && patient.Err() != nil
		cancel()
		if r.got > before {
			last = time.Now()
		}
		said, isStatus := errors.AsType[*statusError](err)
		switch {
		case err == nil || isStatus && said.code == apiv2.Code_MESSAGE_NOT_FOUND:
		case isStatus && said.code == apiv2.Code_TOO_MANY_REQUESTS:
			select {
			case <-time.After(busyPause):
			case <-patient.Done():
			}
		case impatient: // our own patience ended the call
		default:
			return err
		}
	}
	return nil
}

// poll receives once, prints, and acknowledges.
func (r *receiver) poll(ctx context.Context, queue *apiv2.MessageQueue, poll time.Duration) error {
	batch := batchMax
	if r.options.count > 0 {
		batch = min(batch, r.options.count-r.got)
	}
	body, err := encode(&apiv2.ReceiveMessageRequest{
		Group: r.session.group, MessageQueue: queue, FilterExpression: r.options.filter, BatchSize: int32(batch),
		InvisibleDuration: durationpb.New(r.options.invisible), LongPollingTimeout: durationpb.New(poll),
	})
	if err != nil {
		return err
	}
	s, err := r.session.start(ctx, "ReceiveMessage", bytes.NewReader(body), poll+answerOverhead)
	if err != nil {
		return err
	}
	defer s.close()
	var status error
	for {
		var element apiv2.ReceiveMessageResponse
		switch err := s.next(&element); {
		case errors.Is(err, io.EOF):
			return status
		case err != nil:
			return err
		}
		switch {
		case element.GetStatus() != nil:
			status = judge(element.GetStatus())
		case element.GetMessage() != nil:
			if err := r.take(ctx, element.GetMessage()); err != nil {
				return err
			}
		}
	}
}

// take prints a message and acknowledges it: in this order, so that a message that nobody saw
// comes again. It is not interrupted between the two.
func (r *receiver) take(ctx context.Context, m *apiv2.Message) error {
	line, err := r.line(m)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(r.out, line); err != nil {
		return err
	}
	r.got++
	if r.options.keep {
		return nil
	}
	entry := &apiv2.AckMessageEntry{
		MessageId: m.GetSystemProperties().GetMessageId(), ReceiptHandle: m.GetSystemProperties().GetReceiptHandle(), LiteTopic: m.GetSystemProperties().LiteTopic,
	}
	var answer apiv2.AckMessageResponse
	err = r.session.call(context.WithoutCancel(ctx), "AckMessage", &apiv2.AckMessageRequest{Group: r.session.group, Topic: m.GetTopic(), Entries: []*apiv2.AckMessageEntry{entry}}, &answer)
	for _, e := range answer.GetEntries() {
		if err == nil {
			err = judge(e.GetStatus())
		}
	}
	if err != nil {
		return fmt.Errorf("message %s was received but not acknowledged, so it will come again: %w", entry.MessageId, err)
	}
	return nil
}

// line is a message in one line.
func (r *receiver) line(m *apiv2.Message) (string, error) {
	if r.options.json {
		return jsonLine(m)
	}
	p := m.GetSystemProperties()
	line := p.GetMessageId() + "  " + printable(string(m.GetBody()))
	var more []string
	say := func(name, value string) {
		if value != "" {
			more = append(more, name+"="+printable(value))
		}
	}
	say("tag", p.GetTag())
	say("keys", strings.Join(p.GetKeys(), ","))
	say("message-group", p.GetMessageGroup())
	say("lite-topic", p.GetLiteTopic())
	if p.Priority != nil {
		say("priority", strconv.Itoa(int(p.GetPriority())))
	}
	for _, name := range slices.Sorted(maps.Keys(m.GetUserProperties())) {
		if !strings.HasPrefix(name, "__") { // RocketMQ's own, such as the message group once more
			say(name, m.GetUserProperties()[name])
		}
	}
	if n := p.GetDeliveryAttempt(); n > 1 {
		say("attempt", strconv.Itoa(int(n)))
	}
	if len(more) > 0 {
		line += "  {" + strings.Join(more, " ") + "}"
	}
	return line, nil
}

// printable is s on one line: quoted, as Go has it, where it would do harm to a terminal.
func printable(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}

// jsonLine is a message for programs.
func jsonLine(m *apiv2.Message) (string, error) {
	p := m.GetSystemProperties()
	line := struct {
		ID         string            `json:"id"`
		Topic      string            `json:"topic"`
		Body       *string           `json:"body,omitempty"`       // when it is text
		BodyBytes  []byte            `json:"bodyBase64,omitempty"` // when it is not
		Tag        string            `json:"tag,omitempty"`
		Keys       []string          `json:"keys,omitempty"`
		Properties map[string]string `json:"properties,omitempty"`
		Type       string            `json:"type"`
		Group      string            `json:"messageGroup,omitempty"`
		LiteTopic  string            `json:"liteTopic,omitempty"`
		Priority   *int32            `json:"priority,omitempty"`
		Attempt    int32             `json:"attempt"`
		Queue      int32             `json:"queue"`
		Offset     int64             `json:"offset"`
		BornMs     int64             `json:"bornMs,omitempty"`
		StoredMs   int64             `json:"storedMs,omitempty"`
		Handle     string            `json:"receiptHandle"`
	}{
		ID: p.GetMessageId(), Topic: m.GetTopic().GetName(), Tag: p.GetTag(), Keys: p.GetKeys(), Properties: m.GetUserProperties(),
		Type: p.GetMessageType().String(), Group: p.GetMessageGroup(), LiteTopic: p.GetLiteTopic(), Priority: p.Priority,
		Attempt: p.GetDeliveryAttempt(), Queue: p.GetQueueId(), Offset: p.GetQueueOffset(), Handle: p.GetReceiptHandle(),
	}
	if text := string(m.GetBody()); utf8.ValidString(text) {
		line.Body = &text
	} else {
		line.BodyBytes = m.GetBody()
	}
	if p.GetBornTimestamp() != nil {
		line.BornMs = p.GetBornTimestamp().AsTime().UnixMilli()
	}
	if p.GetStoreTimestamp() != nil {
		line.StoredMs = p.GetStoreTimestamp().AsTime().UnixMilli()
	}
	text, err := json.Marshal(line)
	return string(text), err
}
