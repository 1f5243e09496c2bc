package broker_test

import (
	"fmt"
	"strconv"
	"strings"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/local/broker"
)

func (s *stage) pull(b *broker.Broker, a *arguments) {
	name := a.word()
	p := &broker.Pull{
		Topic: b.UseTopic(a.word()), Queue: int32(a.number("queue", 0)), Offset: int64(a.number("from", 0)), Max: a.number("max", 32),
		Until: s.now + a.span("wait", 0), Out: &pool.Chain{}, Carrier: name,
	}
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
	b.Pull(p, s.now)
}

// pulled prints what a pull brought, each with its offset, and where it goes on.
func (s *stage) pulled(p *broker.Pull) {
	line := p.Carrier.(string) + ":"
	for i := range p.Deliveries {
		d := &p.Deliveries[i]
		body := strings.TrimRight(string(p.Out.AppendRange(nil, d.BodyOffset, d.BodyLen)), ".")
		line += fmt.Sprintf(" %s@%d", body, d.Offset)
		s.shown[body] = strings.NewReplacer("\x01", "=", "\x02", " ").Replace(string(d.Properties)) + fmt.Sprintf("queue=%d flags=%x", d.Queue, d.SysFlag)
	}
	p.Out.Release()
	s.say("%s%s, next %d", line, [...]string{
		broker.PullFound: "", broker.PullNone: " none", broker.PullOutside: " outside", broker.PullFull: " full",
	}[p.Outcome], p.Next)
}

func (s *stage) set(b *broker.Broker, a *arguments) {
	g, t, queue := b.UseGroup(a.word()), b.UseTopic(a.word()), int32(a.number("queue", 0))
	next, err := strconv.ParseInt(a.word(), 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	s.fails(b.SetPosition(g, t, queue, next))
}

func (s *stage) position(b *broker.Broker, a *arguments) {
	next, known := b.Group(a.word()).Position(b.Topic(a.word()), int32(a.number("queue", 0)))
	if !known {
		s.say("no position")
		return
	}
	s.say("position %d", next)
}

func (s *stage) since(b *broker.Broker, a *arguments) {
	t, at := b.Topic(a.word()), noon+duration(s.t, a.word())
	s.say("offset %d", b.OffsetSince(t, int32(a.number("queue", 0)), at))
}
