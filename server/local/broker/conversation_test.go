package broker_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/broker/brokertest"
)

var update = flag.Bool("update", false, "write what happened into testdata")

// TestConversations plays testdata/*.txt. A file is a list of turns: lines that say what
// happens, "----", and lines that say what comes of it. A turn ends with its batch committed.
// It is noon; bodies name messages, and *N behind one is its delivery attempt after the first.
//
// First come the settings, if any:
//
//	limits NAME=N…         inflight parked waiters groupwaiters topics groups lite bytes scan
//	config [retain=D] [delaymax=D] [checks=N] [noautotopics] [noautogroups] [queues=N]
//
// What happens:
//
//	topic|group create|change|delete NAME [type=T] [queues=N]
//	send TOPIC BODY,… [tag=T] [group=G] [delay=D] [at=D] [level=N] [priority=N] [lite=L] [half] [immunity=N] [bytes=N]
//	pop NAME GROUP TOPIC [max=N] [invisible=D] [wait=D] [filter=EXPR] [sql=EXPR] [fifo] [attempt=A] [client=C]
//	cancel NAME
//	pull NAME TOPIC [queue=N] [from=N] [max=N] [wait=D] [filter=EXPR] [sql=EXPR]
//	set GROUP TOPIC N [queue=N]       moves the group to offset N
//	position GROUP TOPIC [queue=N]
//	since TOPIC D [queue=N]           the offset of what was stored since D after noon
//	ack GROUP BODY…        by the last receipt; BODY@NAME is the receipt kept under NAME
//	keep GROUP BODY NAME
//	forge GROUP BODY [queue=N] [offset=N] [pop=N] [topic=T]    an ack that was never given out so
//	change GROUP BODY D [suspend]
//	dead GROUP BODY
//	end TOPIC BODY commit|rollback
//	recall TOPIC BODY
//	subscribe GROUP CLIENT PARENT NAME,… [start=min|max|tail:N|offset:N|since:D] [quota=N]
//	unsubscribe GROUP CLIENT PARENT NAME,…
//	only GROUP CLIENT [NAME,…]
//	droponce               what an operator's size limit does
//	tick [D]               the clock goes on and Tick runs
//	later D                the clock goes on, and nobody ticks
//	seal, apply, commit    end of the batch, it is in the store, the broker is told
//	hold                   the turn does not end with that
//	crash                  what was not applied is lost; Open
//	damage|fault BODY, heal   what holds BODY cannot be read, for good or for now
//	garble BODY            what holds BODY is something else
//	show BODY…             properties of the last delivery
//	status, topics, groups, queues TOPIC, positions GROUP, due
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			g, w := strings.Split(got, "\n"), strings.Split(string(text), "\n")
			for i := range g {
				if i >= len(w) || g[i] != w[i] {
					t.Fatalf("line %d: got %q\n%s", i+1, g[i], got)
				}
			}
			if len(g) != len(w) {
				t.Fatalf("fewer lines than wanted\n%s", got)
			}
		})
	}
}

func play(t *testing.T, text string) string {
	s := &stage{
		t: t, store: brokertest.NewStore(), open: &brokertest.Batch{}, now: noon,
		pops: map[string]*broker.Pop{}, receipts: map[string]broker.Receipt{}, shown: map[string]string{}, due: map[string]int64{},
	}
	var result strings.Builder
	for i, turn := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if i > 0 {
			result.WriteString("\n")
		}
		s.log, s.hold = nil, false
		does, _, _ := strings.Cut(turn+"\n", "----\n")
		for line := range strings.Lines(does) {
			result.WriteString(line)
			if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
				s.does(words[0], words[1:])
			}
		}
		if !s.hold {
			s.commit()
		}
		result.WriteString("----\n")
		for _, line := range s.log {
			result.WriteString(line + "\n")
		}
	}
	return result.String()
}

const noon = 1_764_072_000_000 // 2025-11-25 12:00:00 UTC

// stage is a broker and what the conversation knows of it.
type stage struct {
	t            *testing.T
	config       broker.Config
	store        *brokertest.Store
	b            *broker.Broker
	open, sealed *brokertest.Batch
	now          int64
	hold         bool

	pops     map[string]*broker.Pop
	receipts map[string]broker.Receipt // by group, space, body
	shown    map[string]string         // properties by body
	due      map[string]int64          // of delayed messages, by body
	log      []string
}

func (s *stage) say(format string, args ...any) { s.log = append(s.log, fmt.Sprintf(format, args...)) }

// broker is made at the first line that needs it, after the settings.
func (s *stage) broker() *broker.Broker {
	if s.b == nil {
		s.start()
	}
	return s.b
}

func (s *stage) settings() *broker.Config {
	if s.config.ChecksMax == 0 {
		s.config = broker.DefaultConfig()
		s.config.Report = func(event string, err error) { s.say("report %s (%v)", event, err) }
		s.config.Compile = func(expression string) (broker.Matcher, error) {
			if expression == "bad" {
				return nil, errors.New("no such operator")
			}
			return has(expression), nil
		}
	}
	return &s.config
}

// has is the only SQL filter there is: a property is there.
type has string

func (h has) Match(properties []byte) bool { return len(message.Property(properties, string(h))) > 0 }

func (s *stage) start() {
	b, err := broker.Open(s.store, *s.settings())
	if err != nil {
		s.t.Fatal(err)
	}
	b.Begin(s.open)
	s.b = b
}

// does plays one line, and looks whether the broker is in order afterwards.
func (s *stage) does(verb string, words []string) {
	a := arguments{s: s, words: words}
	switch verb {
	case "limits", "config":
		s.configure(&a)
		return
	}
	b := s.broker()
	f, known := verbs[verb]
	if !known {
		s.t.Fatalf("no such verb: %s", verb)
	}
	f(s, b, &a)
	s.collect()
	if err := s.b.Invariants(); err != nil {
		s.t.Fatalf("after %s %v: %v", verb, words, err)
	}
}

func (s *stage) configure(a *arguments) {
	c := s.settings()
	for name, limit := range map[string]*int{
		"inflight": &c.InflightMax, "parked": &c.ParkedMax, "waiters": &c.WaitersMax, "groupwaiters": &c.GroupWaitersMax, "topics": &c.TopicsMax,
		"groups": &c.GroupsMax, "lite": &c.LiteTopicsMax, "bytes": &c.PopBytesMax, "scan": &c.ScanMax, "queues": &c.QueuesDefault, "checks": &c.ChecksMax,
	} {
		*limit = a.number(name, *limit)
	}
	c.RetainFor, c.DelayMax = a.span("retain", c.RetainFor), a.span("delaymax", c.DelayMax)
	c.AutoCreateTopics = c.AutoCreateTopics && !a.flag("noautotopics")
	c.AutoCreateGroups = c.AutoCreateGroups && !a.flag("noautogroups")
}

var verbs = map[string]func(s *stage, b *broker.Broker, a *arguments){
	"topic": (*stage).topic, "group": (*stage).group, "send": (*stage).send, "pop": (*stage).pop, "ack": (*stage).ack, "keep": (*stage).keep,
	"pull": (*stage).pull, "set": (*stage).set, "position": (*stage).position, "since": (*stage).since, "forge": (*stage).forge, "change": (*stage).change, "dead": (*stage).dead, "end": (*stage).end, "recall": (*stage).recall,
	"subscribe": (*stage).subscribe, "lose": (*stage).lose, "damage": (*stage).damage, "garble": (*stage).garble, "fault": (*stage).fault, "status": (*stage).status, "positions": (*stage).positions,
	"cancel": func(s *stage, b *broker.Broker, a *arguments) {
		if name := a.word(); !b.Cancel(s.pops[name]) {
			s.say("%s does not wait", name)
		}
	},
	"unsubscribe": func(s *stage, b *broker.Broker, a *arguments) {
		g, client, parent := b.Group(a.word()), a.word(), b.Topic(a.word())
		b.Unsubscribe(g, client, parent, a.list())
	},
	"only": func(s *stage, b *broker.Broker, a *arguments) {
		g, client := b.Group(a.word()), a.word()
		b.UnsubscribeOthers(g, client, a.list())
	},
	"droponce": func(s *stage, b *broker.Broker, _ *arguments) {
		if !b.DropOldest() {
			s.say("nothing to drop")
		}
	},
	"tick": func(s *stage, b *broker.Broker, a *arguments) {
		if len(a.words) > 0 {
			s.now += duration(s.t, a.word())
		}
		b.Tick(s.now)
	},
	"later":  func(s *stage, _ *broker.Broker, a *arguments) { s.now += duration(s.t, a.word()) },
	"seal":   func(s *stage, _ *broker.Broker, _ *arguments) { s.seal() },
	"apply":  func(s *stage, _ *broker.Broker, _ *arguments) { s.apply() },
	"commit": func(s *stage, _ *broker.Broker, _ *arguments) { s.commit() },
	"hold":   func(s *stage, _ *broker.Broker, _ *arguments) { s.hold = true },
	"crash": func(s *stage, _ *broker.Broker, _ *arguments) {
		s.open.Reset()
		s.sealed = nil
		s.start()
	},
	"heal": func(s *stage, _ *broker.Broker, _ *arguments) { s.store.Fault = nil },
	"show": func(s *stage, _ *broker.Broker, a *arguments) {
		for _, body := range a.words {
			s.say("%s %s", body, s.shown[body])
		}
	},
	"topics": func(s *stage, b *broker.Broker, _ *arguments) {
		for _, t := range b.Topics() {
			s.say("topic %s %s %d", t.Name, t.Type, t.Queues)
		}
	},
	"groups": func(s *stage, b *broker.Broker, _ *arguments) {
		for _, g := range b.Groups() {
			s.say("group %s retries=%d", g.Name, g.RetryMax)
		}
	},
	"queues": func(s *stage, b *broker.Broker, a *arguments) {
		for i, q := range b.Topic(a.word()).QueueStates() {
			s.say("queue %d: %d to %d", i, q.First, q.End)
		}
	},
	"due": func(s *stage, b *broker.Broker, _ *arguments) {
		switch due := b.Due(); due {
		case 0:
			s.say("due at once")
		case math.MaxInt64:
			s.say("due never")
		default:
			s.say("due in %v", time.Duration(due-s.now)*time.Millisecond)
		}
	},
}

func (s *stage) seal() {
	s.b.Seal()
	s.sealed, s.open = s.open, &brokertest.Batch{}
	s.b.Begin(s.open)
}

// apply puts the sealed batch into the store, before the broker is told.
func (s *stage) apply() {
	s.store.Apply(s.sealed)
	s.sealed.Reset()
}

// commit ends the turn, from wherever it stands.
func (s *stage) commit() {
	s.broker()
	if s.sealed == nil {
		s.seal()
	}
	s.apply()
	s.sealed = nil
	s.b.Committed(s.now)
	s.collect()
	if err := s.b.Invariants(); err != nil {
		s.t.Fatalf("after commit: %v", err)
	}
}

// collect prints what came out.
func (s *stage) collect() {
	answers := s.b.Answers()
	for _, p := range answers {
		s.answered(p)
	}
	s.b.Recycle(answers)
	pulled := s.b.Pulled()
	for _, p := range pulled {
		s.pulled(p)
	}
	s.b.RecyclePulled(pulled)
	for _, c := range s.b.Asks() {
		s.say("ask %s times=%s", c.TransactionID, message.Property(c.Delivery.Properties, message.NameTransactionCheckTimes))
		c.Out.Release()
	}
}

func (s *stage) answered(p *broker.Pop) {
	line := p.Carrier.(string) + ":"
	for i := range p.Deliveries {
		d := &p.Deliveries[i]
		body := string(p.Out.AppendRange(nil, d.BodyOffset, d.BodyLen))
		body = strings.TrimRight(body, ".")
		line += " " + body
		if d.ReconsumeTimes > 0 {
			line += "*" + strconv.Itoa(int(d.ReconsumeTimes)+1)
		}
		r := broker.Receipt{Group: p.Group.Name, Topic: p.Topic.Name, LiteTopic: d.Topic.LiteName(), Queue: d.Queue, Offset: d.Offset, PopTime: d.PopTime}
		s.receipts[p.Group.Name+" "+body] = r
		s.shown[body] = strings.NewReplacer("\x01", "=", "\x02", " ").Replace(string(d.Properties)) + fmt.Sprintf("queue=%d flags=%x", d.Queue, d.SysFlag)
	}
	switch p.Outcome {
	case broker.PopNone:
		line += " none"
	case broker.PopFull:
		line += " full"
	}
	p.Out.Release()
	s.say("%s", line)
}

func (s *stage) topic(b *broker.Broker, a *arguments) {
	how := a.word()
	settings := broker.TopicSettings{Name: a.word(), Type: a.text("type", "ANY"), Queues: a.number("queues", 4), WriteQueues: a.number("write", 0)}
	var err error
	switch how {
	case "create":
		_, err = b.CreateTopic(settings)
	case "change":
		err = b.ChangeTopic(settings)
	default:
		err = b.DeleteTopic(settings.Name)
	}
	s.fails(err)
}

func (s *stage) group(b *broker.Broker, a *arguments) {
	how := a.word()
	settings := broker.GroupSettings{Name: a.word(), RetryMax: a.number("retries", 16)}
	var err error
	switch how {
	case "create":
		_, err = b.CreateGroup(settings)
	case "change":
		err = b.ChangeGroup(settings)
	default:
		err = b.DeleteGroup(settings.Name)
	}
	s.fails(err)
}

func (s *stage) fails(err error) {
	if err != nil {
		s.say("refused: %v", err)
	}
}

func (s *stage) send(b *broker.Broker, a *arguments) {
	t := b.UseTopic(a.word())
	if t == nil {
		s.say("no topic")
		return
	}
	var payload pool.Chain
	defer payload.Release()
	send := broker.Send{Topic: t, Payload: &payload}
	bodies := a.list()
	delay, half, least := a.span("delay", 0), a.flag("half"), a.number("bytes", 0)
	properties := message.NewPropertyWriter(nil)
	for name, property := range map[string]string{
		"tag": message.NameTags, "group": message.NameShardingKey, "level": message.NameDelay, "priority": message.NamePriority,
		"lite": message.NameLiteTopic, "immunity": message.NameCheckImmunityTime,
	} {
		if value := a.text(name, ""); value != "" {
			properties.PutString(property, value)
			if name == "group" {
				send.Shard = []byte(value)
			}
		}
	}
	if delay != 0 {
		properties.PutInt(message.NameTimerDeliverMs, s.now+delay)
	}
	for _, body := range bodies {
		own := message.NewPropertyWriter(bytes.Clone(properties.Bytes()))
		own.PutString(message.NameUniqKey, body)
		m := broker.Message{BodyOffset: payload.Len(), BodyLen: max(len(body), least), Properties: sorted(own.Bytes()), Born: s.now}
		if half {
			m.SysFlag = message.FlagTransactionPrepared
		}
		payload.Write([]byte(body + strings.Repeat(".", m.BodyLen-len(body))))
		send.Messages = append(send.Messages, m)
	}
	switch err := b.Send(&send, s.now); {
	case err != nil:
		s.fails(err)
	case send.Half:
		s.say("%s is half", bodies[0])
	case send.Due > 0:
		s.due[bodies[0]] = send.Due
		s.say("%s is due in %v", bodies[0], time.Duration(send.Due-s.now)*time.Millisecond)
	}
}

// sorted puts properties in an order that does not depend on a map.
func sorted(properties []byte) []byte {
	pairs := strings.SplitAfter(string(properties), "\x02")
	slices.Sort(pairs)
	return []byte(strings.Join(pairs, ""))
}

func (s *stage) pop(b *broker.Broker, a *arguments) {
	name, group, topic := a.word(), b.UseGroup(a.word()), b.UseTopic(a.word())
	if group == nil || topic == nil {
		s.say("no group or topic")
		return
	}
	p := &broker.Pop{
		Topic: topic, Group: group, Max: a.number("max", 32), Invisible: a.span("invisible", 30_000), Until: s.now + a.span("wait", 0),
		FIFO: a.flag("fifo"), Attempt: []byte(a.text("attempt", "")), ClientID: []byte(a.text("client", "")), Out: &pool.Chain{}, Carrier: name,
	}
	p.Lite = len(p.ClientID) > 0
	var err error
	if sql := a.text("sql", ""); sql != "" {
		p.Filter, err = b.Filter([]byte(sql), true)
	} else {
		p.Filter, err = b.Filter([]byte(a.text("filter", "*")), false)
	}
	if err != nil {
		s.fails(err)
		return
	}
	s.pops[name] = p
	b.Pop(p, s.now)
}

func (s *stage) receipt(group, body string) *broker.Receipt {
	r, known := s.receipts[group+" "+body]
	if !known {
		s.t.Fatalf("%s was never delivered to %s", body, group)
	}
	return &r
}

func (s *stage) ack(b *broker.Broker, a *arguments) {
	group := a.word()
	for _, body := range a.words {
		if !b.Ack(s.receipt(group, body)) {
			s.say("ack of %s: no such delivery", body)
		}
	}
}

func (s *stage) keep(_ *broker.Broker, a *arguments) {
	group, body := a.word(), a.word()
	s.receipts[group+" "+body+"@"+a.word()] = *s.receipt(group, body)
}

func (s *stage) forge(b *broker.Broker, a *arguments) {
	group, body := a.word(), a.word()
	r := s.receipt(group, body)
	r.Queue, r.Offset, r.PopTime = int32(a.number("queue", int(r.Queue))), int64(a.number("offset", int(r.Offset))), int64(a.number("pop", int(r.PopTime)))
	r.Topic = a.text("topic", r.Topic)
	r.Group = a.text("as", r.Group)
	s.say("ack of a forged receipt: %v", b.Ack(r))
}

func (s *stage) change(b *broker.Broker, a *arguments) {
	group, body := a.word(), a.word()
	r := s.receipt(group, body)
	popTime, plausible := b.ChangeInvisible(r, duration(s.t, a.word()), a.flag("suspend"), s.now)
	if !plausible {
		s.say("change of %s: no such delivery", body)
		return
	}
	if popTime == r.PopTime {
		s.say("change of %s: nothing to change", body)
	}
	r.PopTime = popTime
	s.receipts[group+" "+body] = *r
}

func (s *stage) dead(b *broker.Broker, a *arguments) {
	group, body := a.word(), a.word()
	is, err := b.DeadLetter(s.receipt(group, body), s.now)
	s.fails(err)
	if !is {
		s.say("%s is not there", body)
	}
}

func (s *stage) end(b *broker.Broker, a *arguments) {
	topic, body := b.Topic(a.word()), a.word()
	is, err := b.EndTransaction(topic, []byte(body), a.word() == "commit", s.now)
	s.fails(err)
	if !is {
		s.say("no half message %s", body)
	}
}

func (s *stage) recall(b *broker.Broker, a *arguments) {
	topic, body := b.Topic(a.word()), a.word()
	due, known := s.due[body]
	if !known {
		due = s.now
	}
	is, err := b.Recall(topic, due, []byte(body))
	s.fails(err)
	if !is {
		s.say("no delayed message %s", body)
	}
}

func (s *stage) subscribe(b *broker.Broker, a *arguments) {
	g, client, parent := b.UseGroup(a.word()), a.word(), b.UseTopic(a.word())
	kind, value, _ := strings.Cut(a.text("start", ""), ":")
	start := broker.Start{Kind: map[string]broker.StartKind{
		"min": broker.StartMin, "max": broker.StartMax, "tail": broker.StartTail, "offset": broker.StartOffset, "since": broker.StartTimestamp,
	}[kind]}
	switch kind {
	case "tail", "offset":
		n, _ := strconv.Atoi(value)
		start.Value = int64(n)
	case "since":
		start.Value = noon + duration(s.t, value)
	}
	quota := a.number("quota", 100)
	s.fails(b.Subscribe(g, client, parent, a.list(), start, quota))
}

// damaged is the error of keys that are lost.
type damaged struct{ from, to string }

func (damaged) Error() string             { return "checksum mismatch" }
func (d damaged) Lost() (from, to []byte) { return []byte(d.from), []byte(d.to) }

// lose has the store refuse the keys of one kind that are there, as one damaged block. Of numbered
// things the first few may be kept.
func (s *stage) lose(_ *broker.Broker, a *arguments) {
	prefix, kept := a.word(), a.number("but", 0)
	bad := map[string]bool{}
	var d damaged
	_ = s.store.Scan([]byte(prefix), []byte{prefix[0] + 1}, func(key, _ []byte) bool {
		if kept--; kept >= 0 {
			return true
		}
		if d.from == "" {
			d.from = string(key)
		}
		d.to = string(key)
		bad[d.to] = true
		return true
	})
	s.refuse(bad, func([]byte) error { return d })
}

func (s *stage) damage(_ *broker.Broker, a *arguments) {
	s.unreadable(a.word(), func(key []byte) error { return damaged{string(key), string(key)} })
}
func (s *stage) fault(_ *broker.Broker, a *arguments) {
	s.unreadable(a.word(), func([]byte) error { return errors.New("no more files") })
}

func (s *stage) garble(_ *broker.Broker, a *arguments) {
	batch := &brokertest.Batch{}
	for key := range s.holding(a.word()) {
		k, v := batch.Put(len(key), 3)
		copy(k, key)
		copy(v, "odd")
	}
	s.store.Apply(batch)
}

// holding finds the keys of messages, delayed messages and half messages with a body.
func (s *stage) holding(body string) map[string]bool {
	keys := map[string]bool{}
	_ = s.store.Scan([]byte{0}, []byte{0xFF}, func(key, value []byte) bool {
		if strings.IndexByte("mth", key[0]) >= 0 && bytes.HasSuffix(value, []byte(body)) {
			keys[string(key)] = true
		}
		return true
	})
	return keys
}

// unreadable has the store refuse what holds a body.
func (s *stage) unreadable(body string, err func(key []byte) error) {
	before := s.store.Fault
	s.store.Fault = nil
	bad := s.holding(body)
	s.store.Fault = before
	s.refuse(bad, err)
}

// refuse has the store refuse some keys, beside those that it refuses already.
func (s *stage) refuse(bad map[string]bool, err func(key []byte) error) {
	before := s.store.Fault
	s.store.Fault = func(key []byte) error {
		switch {
		case bad[string(key)]:
			return err(key)
		case before != nil:
			return before(key)
		}
		return nil
	}
}

func (s *stage) status(b *broker.Broker, _ *arguments) {
	s.say("inflight=%d waiting=%d", b.Inflight(), b.Waiting())
}

func (s *stage) positions(b *broker.Broker, a *arguments) {
	for _, p := range b.Group(a.word()).Positions() {
		s.say("%s/%d: %d of %d, %d in flight", p.Topic, p.Queue, p.Next, p.End, p.Inflight)
	}
}

// arguments are the words behind a verb.
type arguments struct {
	s     *stage
	words []string
}

func (a *arguments) word() string {
	if len(a.words) == 0 {
		a.s.t.Fatal("a word is missing")
	}
	w := a.words[0]
	a.words = a.words[1:]
	return w
}

// list is the next word taken apart at its commas; nothing when there is no next word.
func (a *arguments) list() []string {
	if len(a.words) == 0 {
		return nil
	}
	return strings.Split(a.word(), ",")
}

func (a *arguments) flag(name string) bool {
	i := slices.Index(a.words, name)
	if i >= 0 {
		a.words = slices.Delete(a.words, i, i+1)
	}
	return i >= 0
}

func (a *arguments) text(name, otherwise string) string {
	for i, w := range a.words {
		if value, is := strings.CutPrefix(w, name+"="); is {
			a.words = slices.Delete(a.words, i, i+1)
			return value
		}
	}
	return otherwise
}

func (a *arguments) number(name string, otherwise int) int {
	n, err := strconv.Atoi(a.text(name, strconv.Itoa(otherwise)))
	if err != nil {
		a.s.t.Fatal(err)
	}
	return n
}

func (a *arguments) span(name string, otherwise int64) int64 {
	return duration(a.s.t, a.text(name, fmt.Sprintf("%dms", otherwise)))
}

func duration(t *testing.T, text string) int64 {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.Milliseconds()
}
