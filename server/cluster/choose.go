package cluster

import (
	"errors"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/remoting"
)

// pinnedQueue is the queue of a message group or lite topic.
func (r *route) pinnedQueue(shard []byte) *writeQueue {
	if n := len(r.writable); n > 0 {
		return &r.writable[message.GroupBucket(shard, n)]
	}
	return nil
}

// nextQueue is the next queue in turn whose broker is fit; else of one that is slow, else of one
// that is gone: a send is always tried. Brokers in tried are passed over; nil says that no other is
// left. Queues that are passed over take their turn, so that the others share it evenly.
func (c *Cluster) nextQueue(r *route, now time.Time, tried brokerSet) *writeQueue {
	if len(r.writable) == 0 {
		return nil
	}
	if q := r.turn(); tried == 0 && (q.peer.health.well() || r.oneWriter()) {
		return q
	}
	return c.bestQueue(r, now, tried)
}

// turn is the next queue in turn. There must be one.
func (r *route) turn() *writeQueue {
	return &r.writable[r.writeTurns.Add(1)%uint32(len(r.writable))]
}

// bestQueue is nextQueue when not all is well.
func (c *Cluster) bestQueue(r *route, now time.Time, tried brokerSet) *writeQueue {
	var second *writeQueue
	best := gone + 1
	for range r.writable {
		q := r.turn()
		if tried.has(q.index) {
			continue
		}
		at := q.peer.health.grade(now)
		if at == fit || at == due && c.probe(q, r.Name, now) {
			return q
		}
		if at == due {
			at = gone
		}
		if at < best {
			second, best = q, at
		}
	}
	return second
}

// oneWriter tells whether all queues that may be written, of which there is one, are one broker's:
// then there is nothing to choose.
func (r *route) oneWriter() bool {
	return r.writable[0].index == r.writable[len(r.writable)-1].index // they are sorted by broker
}

// brokerSet is a set of brokers of a route by their index. More than 64 share places: then a broker
// may be passed over that was not tried.
type brokerSet uint64

func (s brokerSet) has(index int) bool       { return s&(1<<(index&63)) != 0 }
func (s brokerSet) with(index int) brokerSet { return s | 1<<(index&63) }

// probe is for a queue whose broker is gone and to be tried again. It tells whether the send that
// found it is the trial; where there is a detector, none is.
func (c *Cluster) probe(q *writeQueue, topic string, now time.Time) bool {
	faults, p := &c.config.Faults, q.peer
	if !p.health.claim(now, faults.period()) {
		return false
	}
	if !faults.Detect {
		return true
	}
	encode := func(dst []byte, opaque int32) []byte {
		return command.AppendGetMaxOffset(dst, opaque, &command.QueueOffset{Topic: topic, QueueID: q.id}, 0)
	}
	ask(p.lane(sendLane), faults.DetectTimeout, encode, func(_ command.ResponseCode, _ string, _ []byte, err error) {
		if err == nil && p.health.answered(time.Time{}, 0) {
			c.report("broker answers again", p.addr, nil)
		}
	})
	return false
}

// movable are the ends of a call after which another broker may do better.
var movable = map[remoting.CallErrorKind]bool{
	remoting.ConnectionLost: true, remoting.ConnectFailed: true, remoting.GoAway: true, remoting.GoAwayTwice: true,
	remoting.TooManyInFlight: true, remoting.OutboxFull: true, remoting.QueueFull: true,
}

// unanswered are the ends of a call that are the broker's doing.
var unanswered = map[remoting.CallErrorKind]bool{remoting.Timeout: true, remoting.ConnectionLost: true, remoting.ConnectFailed: true}

// elsewhere sends the call to another broker, if the first surely did not get it: what may have
// been stored is never sent twice by us.
func (s *sendCall) elsewhere(err error) bool {
	lost, ok := errors.AsType[*remoting.CallError](err)
	if !ok || lost.Sent || len(s.op.Shard) > 0 || !movable[lost.Kind] {
		return false
	}
	now := time.Now()
	if !s.op.Deadline.After(now) {
		return false
	}
	queue := s.lane.cluster.nextQueue(s.route, now, s.tried)
	if queue == nil {
		return false
	}
	from := s.lane.turn
	s.aim(queue, now)
	from.Forward(s.lane.turn, s)
	return true
}

// noted tells the health of the broker how the call ended. Where it is our own bounds that ended
// it, or it came to the lane too late, the broker did nothing.
func (s *sendCall) noted(reply *remoting.Reply, err error) {
	c, p := s.lane.cluster, s.lane.peer
	if err == nil {
		if c.config.Faults.answeredBy(&p.health, command.ResponseCode(reply.Head.Code), s.began) {
			c.report("broker answers again", p.addr, nil)
		}
		return
	}
	lost, ok := errors.AsType[*remoting.CallError](err)
	if !ok || !unanswered[lost.Kind] || lost.Allow == 0 {
		return
	}
	if c.config.Faults.missedBy(&p.health) {
		c.report("broker does not answer", p.addr, err)
	}
}
