package brokertest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"

	"rocketmq-proxy/server/local/broker"
)

// Workload is random operations of every kind on a broker that crashes, held against a model.
// The same workload on disks that fail alike gives the same answers.
type Workload struct {
	Seed    uint64
	Choices rand.Source // instead of what Seed gives
	Crashes int         // how often the broker crashes
	Steps   int         // operations from one crash to the next, on the average
	Disk    Disk

	// Invariants, when it is not nil, is called after every operation.
	Invariants func(*broker.Broker) error
}

// Result is what came of a workload.
type Result struct {
	Answers                              uint64 // a digest of all
	Operations, Sent, Delivered, Crashes int
}

// Play runs a workload, and consumes all that is left at the end. An error says what is wrong,
// and after which operations.
func (w Workload) Play() (Result, error) {
	if w.Choices == nil {
		w.Choices = rand.NewPCG(w.Seed, 1)
	}
	p := &player{
		Workload: w, rng: rand.New(w.Choices), digest: fnv.New64a(), places: map[place]string{},
		m: model{now: noon, checks: checksMax, messages: map[string]*sent{}, order: map[string][]*sent{}},
	}
	if w.Seed%2 == 0 {
		p.m.retain = retainFor
	}
	err := p.play()
	p.Answers = p.digest.Sum64()
	if err != nil {
		err = fmt.Errorf("seed %d, operation %d: %w, after\n\t%s", w.Seed, p.Operations, err, strings.Join(p.said, "\n\t"))
	}
	return p.Result, err
}

const (
	noon      = 1_764_072_000_000
	checksMax = 3
	retainFor = 20 * 60_000
	holdMax   = 64 // receipts that are remembered
	saidMax   = 60 // operations that an error tells of
	never     = 1 << 40
)

// consumer is a group that consumes a topic.
type consumer struct {
	group, topic string
	fifo         bool
	filter       string
	clients      []string // of lite topics
	loose        bool     // the group may be deleted
}

func (c *consumer) wants(x *sent) bool {
	return x.topic == c.topic && (c.filter == "" || c.filter == x.tag)
}

var consumers = []consumer{
	{group: "g", topic: "normal"},
	{group: "g", topic: "delayed"},
	{group: "g", topic: "transactions"},
	{group: "g", topic: "priority"},
	{group: "g", topic: "deleted"},
	{group: "filtering", topic: "normal", filter: "A"},
	{group: "orderly", topic: "fifo", fifo: true},
	{group: "deleted", topic: "normal", loose: true},
	{group: "chatting", topic: "lite", clients: []string{"c1", "c2"}},
	{group: "operator", topic: "%DLQ%g"},
}

var liteNames = []string{"l1", "l2", "l3"}

// player plays a workload.
type player struct {
	Workload
	Result
	rng  *rand.Rand
	m    model
	said []string

	b            *broker.Broker
	open, sealed broker.Batch
	written      bool // the sealed batch is committed, the broker is not told
	held         []held
	waiting      []*broker.Pop
	lite         map[string]map[string]bool // subscriptions by client
	places       map[place]string           // where messages were pulled from
	wandered     [4]position                // of the wanderer
	digest       interface {
		Write(p []byte) (int, error)
		Sum64() uint64
	}
}

// held is a delivery that somebody remembers.
type held struct {
	x       *sent
	group   string
	receipt broker.Receipt
}

// asked is what a pop carries.
type asked struct {
	*consumer
	client    string
	attempt   string
	invisible int64
}

// say notes what happens, for the digest and for an error.
func (p *player) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	_, _ = p.digest.Write([]byte(line))
	if p.said = append(p.said, line); len(p.said) >= 2*saidMax {
		p.said = append(p.said[:0], p.said[saidMax:]...)
	}
}

func (p *player) start() error {
	config := broker.DefaultConfig()
	config.InflightMax, config.ParkedMax, config.GroupWaitersMax = 60, 8, 3
	config.PopBytesMax, config.ScanMax = 2000, 16
	config.ChecksMax, config.RetainFor = checksMax, p.m.retain
	config.Report = func(event string, err error) { p.say("report %s: %v", event, err) }
	b, err := broker.Open(p.Disk.Store(), config)
	if err != nil {
		return err
	}
	p.b, p.open, p.sealed, p.written = b, p.Disk.Batch(), nil, false
	p.waiting, p.lite = nil, map[string]map[string]bool{"c1": {}, "c2": {}}
	b.Begin(p.open)
	return nil
}

func (p *player) play() error {
	if err := p.start(); err != nil {
		return err
	}
	if _, err := p.b.CreateTopic(broker.TopicSettings{Name: "priority", Type: "PRIORITY", Queues: 3}); err != nil {
		return err
	}
	for i := range consumers { // every group is there before the first message is lost to retention
		if err := p.pop(&consumers[i], 1, 0); err != nil {
			return err
		}
	}
	if err := p.commitAll(); err != nil {
		return err
	}
	for p.Result.Crashes < p.Workload.Crashes {
		if err := p.step(p.Steps); err != nil {
			return err
		}
	}
	for range p.Steps {
		if err := p.step(never); err != nil {
			return err
		}
	}
	return p.drain()
}

// step does one operation, goes on with commits, and crashes once in so many steps.
func (p *player) step(crashOnce int) error {
	err := p.operation()
	if err == nil && p.rng.IntN(3) == 0 {
		err = p.goOn()
	}
	if err == nil && p.rng.IntN(crashOnce) == 0 {
		err = p.crash(false)
	}
	return err
}

// after looks at what an operation has left.
func (p *player) after(err error) error {
	p.Operations++
	if err == nil {
		err = p.collect()
	}
	if err == nil && p.Invariants != nil {
		err = p.Invariants(p.b)
	}
	return err
}

// goOn takes a commit one step further: sealed, written, told.
func (p *player) goOn() error {
	switch {
	case p.sealed == nil:
		p.say("seal")
		p.b.Seal()
		p.m.seal()
		p.sealed, p.open = p.open, p.Disk.Batch()
		p.b.Begin(p.open)
	case !p.written:
		p.say("write")
		if err := p.Disk.Commit(p.sealed); err != nil {
			return p.crash(true)
		}
		p.m.kept()
		p.written = true
	default:
		p.say("committed")
		p.b.Committed(p.m.now)
		p.sealed, p.written = nil, false
	}
	return p.after(nil)
}

// commitAll commits what there is.
func (p *player) commitAll() error {
	crashes := p.Result.Crashes
	for p.sealed != nil {
		if err := p.goOn(); err != nil {
			return err
		}
	}
	for range 3 {
		if err := p.goOn(); err != nil || p.Result.Crashes > crashes {
			return err
		}
	}
	return nil
}

func (p *player) crash(doubt bool) error {
	p.say("crash")
	p.Result.Crashes++
	p.m.crash(doubt)
	if err := p.Disk.Crash(); err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	return p.after(nil)
}

// collect holds the answers against the model.
func (p *player) collect() error {
	answers := p.b.Answers()
	defer p.b.Recycle(answers)
	for _, pop := range answers {
		p.waiting = slices.DeleteFunc(p.waiting, func(other *broker.Pop) bool { return other == pop })
		if err := p.answered(pop); err != nil {
			return err
		}
	}
	pulled := p.b.Pulled()
	defer p.b.RecyclePulled(pulled)
	for _, pull := range pulled {
		if err := p.pulled(pull); err != nil {
			return err
		}
	}
	for _, c := range p.b.Asks() {
		id := string(c.TransactionID)
		p.say("ask %s", id)
		c.Out.Release()
		x := p.m.messages["transactions "+id]
		if x == nil || x.presence != half && x.presence != perhaps {
			return fmt.Errorf("%s was asked about, and is %+v", id, x)
		}
		x.asked++
	}
	return nil
}

func (p *player) answered(pop *broker.Pop) error {
	c := pop.Carrier.(asked)
	p.say("answer %s %s %d: %d", c.group, c.topic, pop.Outcome, len(pop.Deliveries))
	defer pop.Out.Release()
	if (len(pop.Deliveries) > 0) != (pop.Outcome == broker.PopFound) || len(pop.Deliveries) > pop.Max {
		return fmt.Errorf("outcome %d with %d of %d messages", pop.Outcome, len(pop.Deliveries), pop.Max)
	}
	if c.group == wanderer.group {
		return p.strayed(pop)
	}
	var with []*sent
	for i := range pop.Deliveries {
		d := &pop.Deliveries[i]
		body := string(pop.Out.AppendRange(nil, d.BodyOffset, d.BodyLen))
		id := strings.TrimRight(body, ".")
		p.say("%s %d/%d at %d times %d", id, d.Queue, d.Offset, d.PopTime, d.ReconsumeTimes)
		if len(c.clients) > 0 && !p.lite[c.client][d.Topic.LiteName()] {
			return fmt.Errorf("%s was delivered to %s, which does not subscribe to %s", id, c.client, d.Topic.LiteName())
		}
		x, err := p.m.delivered(c.topic, c.group, id, c.attempt, d, c.invisible, with)
		if err != nil {
			return err
		}
		if c.filter != "" && x.tag != c.filter {
			return fmt.Errorf("%s with tag %s was delivered to who wants %s", id, x.tag, c.filter)
		}
		with = append(with, x)
		p.Delivered++
		p.held = append(p.held, held{x, c.group, broker.Receipt{
			Group: c.group, Topic: c.topic, LiteTopic: d.Topic.LiteName(), Queue: d.Queue, Offset: d.Offset, PopTime: d.PopTime, Sequence: d.Sequence,
		}})
	}
	if drop := len(p.held) - holdMax; drop > 0 {
		p.held = p.held[drop:]
	}
	return nil
}

// drain consumes all that is left.
func (p *player) drain() error {
	p.Disk = neverFails{p.Disk}
	if err := p.settle(); err != nil {
		return err
	}
	for idle := 0; idle < 3; {
		before := p.Delivered
		p.m.now += 65_000 // longer than any invisible time
		if err := p.tick(); err != nil {
			return err
		}
		for i := range consumers {
			if err := p.consumeAll(&consumers[i]); err != nil {
				return err
			}
		}
		if idle++; p.Delivered > before || p.m.now < p.lastDue() {
			idle = 0
		}
	}
	for i := range consumers {
		if c := &consumers[i]; !c.loose {
			if err := p.m.missing(c.group, c.wants); err != nil {
				return err
			}
		}
	}
	return nil
}

// consumeAll acknowledges all that a consumer can get now.
func (p *player) consumeAll(c *consumer) error {
	for before := -1; before < p.Delivered; {
		before = p.Delivered
		for _, client := range c.clients {
			if err := p.subscribe(c, client, liteNames); err != nil {
				return err
			}
		}
		p.held = p.held[:0]
		if err := p.popPatiently(c); err != nil {
			return err
		}
		for _, h := range p.held {
			if err := p.ack(h); err != nil {
				return err
			}
		}
		if err := p.commitAll(); err != nil {
			return err
		}
	}
	return nil
}

// popPatiently gives a pop that has much to look at as many turns as it needs.
func (p *player) popPatiently(c *consumer) error {
	if err := p.pop(c, 8, 1); err != nil {
		return err
	}
	if err := p.tick(); err != nil {
		return err
	}
	for len(p.waiting) > 0 {
		if err := p.cancel(); err != nil {
			return err
		}
	}
	return nil
}

// lastDue is when the last delayed message is due.
func (p *player) lastDue() (due int64) {
	for _, x := range p.m.list {
		if x.presence == present || x.presence == perhaps {
			due = max(due, x.due)
		}
	}
	return due
}

// neverFails is a disk whose commits succeed: a workload ends on one.
type neverFails struct{ Disk }

// Commit implements Disk.
func (d neverFails) Commit(b broker.Batch) error {
	if m, is := d.Disk.(*Memory); is {
		m.Fail = nil
	}
	return d.Disk.Commit(b)
}
