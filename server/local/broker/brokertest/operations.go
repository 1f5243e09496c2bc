package brokertest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/local/broker"
)

// operation does one of the operations.
func (p *player) operation() error {
	switch n := p.rng.IntN(100); {
	case n < 25:
		return p.send()
	case n < 50:
		c := &consumers[p.rng.IntN(len(consumers))]
		return p.pop(c, 1+p.rng.IntN(4), int64(p.rng.IntN(3)*p.rng.IntN(10_000)))
	case n < 70:
		return p.withHeld(p.ack)
	case n < 76:
		return p.withHeld(p.change)
	case n < 78:
		return p.withHeld(p.bury)
	case n < 83:
		return p.end()
	case n < 85:
		return p.recall()
	case n < 87:
		return p.subscribeSome()
	case n < 88:
		return p.delete()
	case n < 89:
		return p.cancel()
	case n < 92:
		return p.pull()
	case n < 94:
		return p.wander()
	default:
		return p.pass()
	}
}

// kinds are the topics that messages are sent to.
var kinds = []string{"normal", "normal", "fifo", "fifo", "fifo", "delayed", "transactions", "priority", "lite", "deleted"}

func (p *player) send() error {
	topic := kinds[p.rng.IntN(len(kinds))]
	var payload pool.Chain
	defer payload.Release()
	s := broker.Send{Topic: p.b.UseTopic(topic), Payload: &payload}
	key, tag, due := "", string(rune('A'+p.rng.IntN(2))), int64(0)
	properties := message.NewPropertyWriter(nil)
	properties.PutString(message.NameTags, tag)
	flags, then := int32(0), present
	switch topic {
	case "fifo":
		key = strconv.Itoa(p.rng.IntN(4))
		s.Shard = []byte(key)
		properties.PutString(message.NameShardingKey, key)
	case "lite":
		key = liteNames[p.rng.IntN(len(liteNames))]
		properties.PutString(message.NameLiteTopic, key)
	case "delayed":
		due = p.m.now + int64(p.rng.IntN(60_000)>>(4*p.rng.IntN(3)))
		properties.PutInt(message.NameTimerDeliverMs, due)
	case "priority":
		properties.PutInt(message.NamePriority, int64(p.rng.IntN(3)))
	case "transactions":
		flags, then = message.FlagTransactionPrepared, half
	}
	count := 1
	if topic == "normal" || topic == "fifo" {
		count = 1 + p.rng.IntN(3)
	}
	var batch []*sent
	for range count {
		p.Sent++
		id := topic[:1] + strconv.Itoa(p.Sent)
		own := message.NewPropertyWriter(append([]byte(nil), properties.Bytes()...))
		own.PutString(message.NameUniqKey, id)
		body := id + strings.Repeat(".", p.rng.IntN(20)*p.rng.IntN(40))
		s.Messages = append(s.Messages, broker.Message{
			BodyOffset: payload.Len(), BodyLen: len(body), Properties: own.Bytes(), SysFlag: flags, Born: p.m.now,
		})
		payload.Write([]byte(body))
		batch = append(batch, &sent{id: id, topic: topic, key: key, tag: tag, due: due, loose: topic == "deleted"})
	}
	if err := p.b.Send(&s, p.m.now); err != nil {
		return err
	}
	for _, x := range batch {
		x.due = s.Due
		p.m.send(x, then)
	}
	p.say("send %d to %s, first %s: offset %d due %d", count, topic, batch[0].id, s.Offset, s.Due)
	return p.after(nil)
}

func (p *player) pop(c *consumer, most int, wait int64) error {
	a := asked{consumer: c, invisible: int64(1000 + p.rng.IntN(30_000))}
	if c.fifo && p.rng.IntN(2) == 0 {
		a.attempt = string(rune('a' + p.rng.IntN(3)))
	}
	pop := &broker.Pop{
		Topic: p.b.UseTopic(c.topic), Group: p.b.UseGroup(c.group), FIFO: c.fifo, Attempt: []byte(a.attempt), Max: most,
		Invisible: a.invisible, Until: p.m.now + wait, Out: &pool.Chain{},
	}
	if len(c.clients) > 0 {
		a.client = c.clients[p.rng.IntN(len(c.clients))]
		pop.Lite, pop.ClientID = true, []byte(a.client)
	}
	pop.Carrier = a
	var err error
	if pop.Filter, err = p.b.Filter([]byte(c.filter), false); err != nil {
		return err
	}
	p.say("pop %s %s %s max %d for %d", c.group, c.topic, a.client+a.attempt, most, a.invisible)
	p.waiting = append(p.waiting, pop)
	p.b.Pop(pop, p.m.now)
	return p.after(nil)
}

func (p *player) withHeld(do func(held) error) error {
	if len(p.held) == 0 {
		return nil
	}
	return do(p.held[p.rng.IntN(len(p.held))])
}

func (p *player) ack(h held) error {
	plausible := p.b.Ack(&h.receipt)
	p.say("ack %s of %s at %d: %v", h.x.id, h.group, h.receipt.PopTime, plausible)
	p.m.acked(h.x, h.group, h.receipt.PopTime)
	return p.after(nil)
}

func (p *player) change(h held) error {
	invisible, suspend := int64(p.rng.IntN(30_000)), p.rng.IntN(2) == 0
	popTime, plausible := p.b.ChangeInvisible(&h.receipt, invisible, suspend, p.m.now)
	p.say("change %s of %s at %d to %d: %d %v", h.x.id, h.group, h.receipt.PopTime, invisible, popTime, plausible)
	p.m.changed(h.x, h.group, h.receipt.PopTime, popTime, invisible, suspend)
	h.receipt.PopTime = popTime
	p.held = append(p.held, h)
	return p.after(nil)
}

// bury sends a message to the dead letters, as a consumer does that gives up.
func (p *player) bury(h held) error {
	const grave = "%DLQ%g"
	if h.group != "g" || p.m.messages[grave+" "+h.x.id] != nil {
		return nil
	}
	is, err := p.b.DeadLetter(&h.receipt, p.m.now)
	p.say("bury %s: %v", h.x.id, is)
	switch {
	case is:
		p.m.send(&sent{id: h.x.id, topic: grave, base: 1}, present)
	case h.x.presence == present && !h.x.loose && !p.m.old(h.x):
		return fmt.Errorf("%s is not there to be buried", h.x.id)
	}
	return p.after(err)
}

func (p *player) some(topic string) *sent {
	var some []*sent
	for _, x := range p.m.list[max(0, len(p.m.list)-100):] {
		if x.topic == topic {
			some = append(some, x)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[p.rng.IntN(len(some))]
}

func (p *player) end() error {
	x := p.some("transactions")
	if x == nil {
		return nil
	}
	commit := p.rng.IntN(3) > 0
	is, err := p.b.EndTransaction(p.b.UseTopic("transactions"), []byte(x.id), commit, p.m.now)
	p.say("end %s %v: %v", x.id, commit, is)
	return p.after(errors.Join(err, p.m.ended(x, commit, is)))
}

func (p *player) recall() error {
	x := p.some("delayed")
	if x == nil {
		return nil
	}
	is, err := p.b.Recall(p.b.UseTopic("delayed"), x.due, []byte(x.id))
	p.say("recall %s: %v", x.id, is)
	return p.after(errors.Join(err, p.m.recalled(x, is)))
}

func (p *player) subscribeSome() error {
	c := &consumers[8]
	client, names := c.clients[p.rng.IntN(2)], liteNames[p.rng.IntN(len(liteNames)):]
	if p.rng.IntN(3) == 0 {
		p.say("unsubscribe %s %v", client, names)
		p.b.Unsubscribe(p.b.UseGroup(c.group), client, p.b.UseTopic(c.topic), names)
		for _, name := range names {
			delete(p.lite[client], name)
		}
		return p.after(nil)
	}
	return p.subscribe(c, client, names)
}

func (p *player) subscribe(c *consumer, client string, names []string) error {
	p.say("subscribe %s %v", client, names)
	for _, name := range names {
		p.lite[client][name] = true
	}
	return p.after(p.b.Subscribe(p.b.UseGroup(c.group), client, p.b.UseTopic(c.topic), names, broker.Start{}, 10))
}

// delete deletes the topic or the group that may be deleted.
func (p *player) delete() error {
	p.say("delete")
	if p.rng.IntN(2) == 0 {
		p.m.dropTopic("deleted")
		p.b.UseTopic("deleted")
		return p.after(p.b.DeleteTopic("deleted"))
	}
	p.m.forgetGroup("deleted")
	p.b.UseGroup("deleted")
	return p.after(p.b.DeleteGroup("deleted"))
}

func (p *player) cancel() error {
	if len(p.waiting) == 0 {
		return nil
	}
	p.say("cancel")
	if !p.b.Cancel(p.waiting[p.rng.IntN(len(p.waiting))]) {
		return errors.New("a pop that waits cannot be cancelled")
	}
	return p.after(nil)
}

// pass lets time go by, and mostly does what is due then.
func (p *player) pass() error {
	p.m.now += int64(p.rng.IntN(4000))
	if p.rng.IntN(10) == 0 || p.b.Due() > p.m.now {
		return nil
	}
	return p.tick()
}

// tick does what is due, all of it.
func (p *player) tick() error {
	for range 1000 {
		if p.b.Due() > p.m.now {
			return nil
		}
		p.say("tick %d", p.m.now-noon)
		p.b.Tick(p.m.now)
		if err := p.after(nil); err != nil {
			return err
		}
	}
	return errors.New("there is always something due")
}
