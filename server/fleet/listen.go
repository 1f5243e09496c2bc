package fleet

import (
	"bytes"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// seek asks where the topic is.
func (f *Fleet) seek(now time.Time) {
	f.fetch = backend.FetchTopic{Name: []byte(f.config.Topic)}
	f.fetch.Exchange = backend.Exchange{Home: f.turn, Then: (*sought)(f), Deadline: now.Add(f.config.CallTimeout)}
	f.store.FetchTopic(&f.fetch, now)
}

// sought is the event of a topic that was looked for.
type sought Fleet

// OnTurn reads its queues, or makes it.
func (s *sought) OnTurn(now time.Time) {
	f := (*Fleet)(s)
	switch topic := f.fetch.Found; {
	case f.ended:
	case !f.fetch.Fault.OK() || topic == nil:
		f.without(now, failure(f.fetch.Fault))
	case !topic.Exists:
		f.config.Create(f.config.Topic, func(err error) { f.turn.Post(&created{f, err}) })
	default:
		first := f.topic == nil
		f.topic = topic
		f.look.after(now, f.config.LookEvery)
		f.listen(now)
		if first { // nobody heard of those who came before
			for range slotsMax {
				f.announce(now)
			}
		}
	}
}

// without goes on without a look at the topic for a while. Where it is known that is no harm: its queues are
// read on, and one that cannot be read is reported for itself.
func (f *Fleet) without(now time.Time, err error) {
	f.look.again(now, f.config.PauseMax)
	if f.topic == nil && !f.alone {
		f.alone = true
		f.config.Report("other proxies are not heard of, and this one serves alone: see that the topic of heartbeatSyncerTopicName exists, or that "+
			"brokers of heartbeatSyncerTopicClusterName let it be created; trying on", f.config.Topic, err)
	}
}

// created is the event of a topic that was made, or not.
type created struct {
	fleet *Fleet
	err   error
}

// OnTurn looks for it again: name servers hear of it a little later.
func (c *created) OnTurn(now time.Time) {
	switch f := c.fleet; {
	case f.ended:
	case c.err != nil:
		f.without(now, c.err)
	default:
		f.look.again(now, f.config.PauseMax)
	}
}

// place is one queue of the topic.
type place struct {
	broker string
	queue  int32
}

// listen reads the queues that are new.
func (f *Fleet) listen(now time.Time) {
	for _, q := range f.topic.Queues {
		if !q.Readable {
			continue
		}
		for id := range q.Read {
			at := place{q.Broker, int32(id)}
			if f.readers[at] == nil {
				r := &reader{fleet: f, place: at, offset: offsetUnknown}
				f.readers[at] = r
				r.read(now)
			}
		}
	}
}

// reader reads one queue from its end on. The queues of a broker that has gone for good are asked
// for in vain, at long intervals.
//
//	read ── offset unknown ──► asked for the end ──┬─► pulling ──► read
//	  ▲                                            │
//	  └────────── rest ◄── a failure ──────────────┘
type reader struct {
	fleet *Fleet
	place place

	offset  int64
	query   backend.QueryOffset
	pull    backend.Pull
	rest    schedule
	failing bool // the last step that told
}

// offsetUnknown is the offset of a queue whose end is to be asked for.
const offsetUnknown = -1

// messagesMax is how many messages are pulled at once.
const messagesMax = 32

func (r *reader) queue() backend.Queue {
	return backend.Queue{Topic: r.fleet.topic, Broker: []byte(r.place.broker), ID: r.place.queue}
}

// read takes the next step.
func (r *reader) read(now time.Time) {
	f := r.fleet
	if r.offset == offsetUnknown {
		r.query = backend.QueryOffset{Queue: r.queue(), At: backend.AtEnd}
		r.query.Exchange = backend.Exchange{Home: f.turn, Then: (*found)(r), Deadline: now.Add(f.config.CallTimeout)}
		f.store.QueryOffset(&r.query, now)
		return
	}
	r.pull.Reset()
	r.pull.Exchange = backend.Exchange{Home: f.turn, Then: (*pulled)(r), Deadline: now.Add(f.config.Poll + f.config.CallTimeout)}
	r.pull.Queue, r.pull.Group = r.queue(), []byte(f.config.Group)
	r.pull.Offset, r.pull.MessagesMax, r.pull.Expression, r.pull.Poll = r.offset, messagesMax, []byte("*"), f.config.Poll
	f.store.Pull(&r.pull, now)
}

// failed rests. A broker is reported when the first of its queues fails, and again only after all of
// them have been read.
func (r *reader) failed(now time.Time, fault backend.Fault) {
	f := r.fleet
	r.rest.again(now, f.config.PauseMax)
	if r.failing {
		return
	}
	r.failing = true
	f.deaf[r.place.broker]++
	if f.deaf[r.place.broker] == 1 {
		f.config.Report("other proxies are not heard of through a broker: see that it runs, and lets this proxy read the topic; trying on",
			f.config.Topic+" on "+r.place.broker, failure(fault))
	}
}

// worked is told of a pull that was answered.
func (r *reader) worked() {
	if r.failing {
		r.failing = false
		r.fleet.deaf[r.place.broker]--
	}
}

// found is the event of the end of a queue.
type found reader

// OnTurn reads from there.
func (e *found) OnTurn(now time.Time) {
	r := (*reader)(e)
	switch {
	case r.fleet.ended:
	case !r.query.Fault.OK():
		r.failed(now, r.query.Fault)
	default:
		r.offset = r.query.Offset
		r.read(now)
	}
}

// pulled is the event of a pull that has come home.
type pulled reader

// OnTurn hears the messages.
func (e *pulled) OnTurn(now time.Time) {
	r := (*reader)(e)
	op := &r.pull
	switch {
	case r.fleet.ended:
	case !op.Fault.OK():
		r.failed(now, op.Fault)
	case op.Outcome == backend.PullOutside:
		r.worked()
		r.offset = offsetUnknown // what lies between is too old to matter
		r.rest.after(now, r.fleet.config.PauseMax/50)
	case op.Outcome == backend.PullFull:
		r.rest.again(now, r.fleet.config.PauseMax)
	default:
		r.worked()
		r.rest.pause = 0
		r.offset = op.Next
		for i := range op.Messages {
			m := &op.Messages[i]
			r.fleet.hear(body(&op.Body, m.BodyOffset, m.BodyLen), now)
		}
		r.read(now)
		return
	}
	op.Reset()
}

func body(records *pool.Chain, offset, n int) []byte {
	var view pool.Chain
	defer view.Release()
	view.Share(records, offset, n)
	return view.AppendTo(nil)
}

// hear takes what another proxy says. Most of what a proxy reads it has said itself: that is
// known without decoding it.
func (f *Fleet) hear(text []byte, now time.Time) {
	if bytes.Contains(text, f.mark) {
		return
	}
	e, settings, err := decode(text)
	switch {
	case err != nil && !f.puzzled:
		f.puzzled = true // once is enough: it will go on
		f.config.Report("another proxy says what cannot be understood", e.Proxy, err)
	case err != nil:
	case e.Kind == kindUnregister:
		f.sessions.Unlearn(e.ClientID, now)
	case settings.GetSubscription() != nil:
		f.sessions.Learn(e.ClientID, settings, now)
	}
}
