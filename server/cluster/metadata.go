package cluster

import (
	"errors"
	"math/rand/v2"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
)

// question is a request for knowledge: rare, so it is made anew each time and ends in a
// function.
type question struct {
	call   remoting.Call
	lane   *lane
	encode func(dst []byte, opaque int32) []byte
	answer func(code command.ResponseCode, remark string, body []byte, err error)
}

// ask sends a question on a lane; answer runs on the lane's turn.
func ask(l *lane, timeout time.Duration, encode func([]byte, int32) []byte,
	answer func(command.ResponseCode, string, []byte, error),
) {
	q := &question{lane: l, encode: encode, answer: answer}
	q.call = remoting.Call{Request: q, Deadline: time.Now().Add(timeout)}
	l.turn.Post(q)
}

// OnTurn puts the question on its lane.
func (q *question) OnTurn(now time.Time) { q.lane.line.Call(now, &q.call) }

// AppendFrame implements remoting.Request.
func (q *question) AppendFrame(out *pool.Chain, opaque int32) {
	out.Commit(q.encode(out.Reserve(256), opaque))
}

// Done implements remoting.Request.
func (q *question) Done(reply *remoting.Reply, err error) {
	if err != nil {
		q.answer(0, "", nil, err)
		return
	}
	q.answer(command.ResponseCode(reply.Head.Code), string(reply.Head.Remark), reply.Body.AppendTo(nil), nil)
}

var errNoNameServer = errors.New("no name server address is configured")

// routeQuestion is the way from one name server to the next until one answers.
type routeQuestion struct {
	cluster *Cluster
	topic   string
	failed  []failure
	then    func(*command.TopicRoute, error)
}

// failure is why a name server did not answer.
type failure struct {
	addr string
	err  error
}

// askRoute asks the name servers, one after the other until one answers, for a topic's route.
// A topic that does not exist is answered with nil and no error. then may be nil.
func (c *Cluster) askRoute(topic string, then func(*command.TopicRoute, error)) {
	q := &routeQuestion{cluster: c, topic: topic, then: then}
	q.ask()
}

func (q *routeQuestion) ask() {
	c := q.cluster
	c.mu.Lock()
	tries, addr := c.names.Len()-len(q.failed), c.names.Chosen()
	c.mu.Unlock()
	if tries == 0 {
		q.unanswered()
		return
	}
	encode := func(dst []byte, opaque int32) []byte {
		return command.AppendGetRoute(dst, opaque, &command.GetRoute{Topic: q.topic}, 0)
	}
	ask(c.peer(addr).lane(metadataLane), c.config.MetadataTimeout, encode,
		func(code command.ResponseCode, remark string, body []byte, err error) {
			switch {
			case err != nil:
			case code == command.ResponseSuccess:
				q.answered(command.ParseTopicRoute(body))
				return
			case code == command.ResponseTopicNotExist:
				q.answered(nil, nil)
				return
			default:
				err = &answerError{from: addr, code: code, remark: remark}
			}
			q.failed = append(q.failed, failure{addr, err})
			c.mu.Lock()
			c.names.Failed(addr)
			c.mu.Unlock()
			q.ask()
		})
}

func (q *routeQuestion) answered(route *command.TopicRoute, err error) {
	for _, f := range q.failed {
		q.cluster.report("name server failed", f.addr, f.err)
	}
	q.cluster.nameServersAnswered(nil)
	if q.then != nil {
		q.then(route, err)
	}
}

// unanswered is the end when no server had a route to give. One that said why is there, and what
// it said is more than that others are silent. Else nothing is reported of each server: that none
// answers is said once for all.
func (q *routeQuestion) unanswered() {
	err := errNoNameServer
	for _, f := range q.failed {
		err = f.err
		if _, said := errors.AsType[*answerError](err); said {
			q.answered(nil, err)
			return
		}
	}
	q.cluster.nameServersAnswered(err)
	if q.then != nil {
		q.then(nil, err)
	}
}

// askTopicConfig asks some broker of a route for the topic's settings.
func (c *Cluster) askTopicConfig(topic string, brokers []command.RouteBroker, then func(*command.TopicConfig, error)) {
	encode := func(dst []byte, opaque int32) []byte {
		return command.AppendGetTopicConfig(dst, opaque, &command.GetTopicConfig{Topic: topic}, 0)
	}
	ask(c.someBroker(brokers).lane(metadataLane), c.config.MetadataTimeout, encode,
		func(code command.ResponseCode, remark string, body []byte, err error) {
			if err == nil && code != command.ResponseSuccess {
				err = &answerError{code: code, remark: remark}
			}
			if err != nil {
				then(nil, err)
				return
			}
			then(command.ParseTopicConfig(body))
		})
}

func (c *Cluster) someBroker(brokers []command.RouteBroker) *peer {
	return c.peer(readAddr(&brokers[rand.IntN(len(brokers))]))
}

// askGroupConfig asks some broker of a route for a group's settings. A group that does not
// exist is answered with nil and no error.
func (c *Cluster) askGroupConfig(group string, brokers []command.RouteBroker, then func(*command.GroupConfig, error)) {
	encode := func(dst []byte, opaque int32) []byte {
		return command.AppendGetGroupConfig(dst, opaque, &command.GetGroupConfig{Group: group}, 0)
	}
	ask(c.someBroker(brokers).lane(metadataLane), c.config.MetadataTimeout, encode,
		func(code command.ResponseCode, remark string, body []byte, err error) {
			switch {
			case err != nil:
				then(nil, err)
			case code == command.ResponseGroupNotExist:
				then(nil, nil)
			case code != command.ResponseSuccess:
				then(nil, &answerError{code: code, remark: remark})
			default:
				then(command.ParseGroupConfig(body))
			}
		})
}
