package fakebroker

import (
	"fmt"
	"slices"
	"strings"
)

// PULL_MESSAGE, specification 2.19. Covered: offsets outside the queue, tags, long polls that a
// message wakes, and that end late: a broker looks every 5 s which of them are over. Left out:
// SQL92 (everything matches), subscriptions that do not come with the request, the offset that a
// pull may commit, how many messages and bytes a broker gives at most.

// The bits of sysFlag.
const pullSuspend = 1 << 1

// pullHoldEvery is how often pulls are looked at whose time may be over, in ms.
const pullHoldEvery = 5000

// pull is a request that reads one queue, now or as long as it may wait.
type pull struct {
	request  *Request
	topic    string
	queueID  int32
	offset   int64
	most     int
	deadline int64    // ms since 1970
	tags     []string // nil is all
}

func (b *Broker) pullMessage(r *Request) Response {
	topic := b.cluster.topic(r.Ext["topic"], b.Name, false)
	group := b.cluster.group(r.Ext["consumerGroup"], b.cluster.autoGroup)
	switch {
	case group == nil:
		return fail(26, "subscription group ["+r.Ext["consumerGroup"]+"] does not exist, "+
			"See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.")
	case !group.ConsumeEnable:
		return fail(16, "subscription group no permission, "+group.GroupName)
	case topic == nil:
		return fail(17, noTopic(r.Ext["topic"]))
	case !topic.Perm.Readable():
		return fail(16, "the topic["+topic.Name+"] pulling message is forbidden")
	case r.number("queueId") >= int64(topic.Queues):
		return fail(29, badQueue(r, topic))
	}
	p := &pull{
		request: r, topic: topic.Name, queueID: int32(r.number("queueId")), offset: r.number("queueOffset"),
		most: max(1, int(r.number("maxMsgNums"))), deadline: b.now() + r.number("suspendTimeoutMillis"),
		tags: tagsIn(r.Ext["subscription"], r.Ext["expressionType"]),
	}
	response := b.tryPull(p)
	if response.Code == 19 && r.number("sysFlag")&pullSuspend != 0 {
		b.pulls = append(b.pulls, p)
		return Response{Silent: true}
	}
	return response
}

// tryPull is the answer as things stand.
func (b *Broker) tryPull(p *pull) Response {
	q := b.queue(p.topic, p.queueID)
	end := int64(len(q.messages))
	answer := func(code int32, remark string, next int64) Response {
		return Response{Code: code, Remark: remark, Ext: map[string]string{
			"nextBeginOffset": decimal(next), "minOffset": "0", "maxOffset": decimal(end),
			"suggestWhichBrokerId": "0", "groupSysFlag": "0", "topicSysFlag": "0",
		}}
	}
	switch {
	case end == 0 && p.offset == 0:
		return answer(19, "NO_MESSAGE_IN_QUEUE", 0)
	case end == 0:
		return answer(21, "NO_MESSAGE_IN_QUEUE", 0)
	case p.offset < 0:
		return answer(21, "OFFSET_TOO_SMALL", 0)
	case p.offset == end:
		return answer(19, "OFFSET_OVERFLOW_ONE", end)
	case p.offset > end:
		return answer(21, "OFFSET_OVERFLOW_BADLY", end)
	}
	var body []byte
	next, found := p.offset, 0
	for ; next < end && found < p.most; next++ {
		if s := q.messages[next]; p.tags == nil || slices.Contains(p.tags, s.property("TAGS")) {
			body = s.encode(body, p.topic, s.record.Properties)
			found++
		}
	}
	if found == 0 {
		return answer(20, "NO_MATCHED_MESSAGE", next)
	}
	response := answer(0, "FOUND", next)
	response.Body = body
	return response
}

// wakePulls answers the pulls of a topic that find something now.
func (b *Broker) wakePulls(topic string) {
	b.answerPulls(func(p *pull) (Response, bool) {
		if p.topic != topic {
			return Response{}, false
		}
		response := b.tryPull(p)
		return response, response.Code == 0
	})
}

// tickPulls ends the late ones, every now and then.
func (b *Broker) tickPulls(now int64) {
	if now < b.pullsLooked+pullHoldEvery {
		return
	}
	b.pullsLooked = now
	b.answerPulls(func(p *pull) (Response, bool) { return b.tryPull(p), now >= p.deadline })
}

func (b *Broker) answerPulls(try func(*pull) (Response, bool)) {
	b.pulls = slices.DeleteFunc(b.pulls, func(p *pull) bool {
		if p.request.Client.gone() {
			return true
		}
		response, ends := try(p)
		if ends {
			p.request.Answer(response)
		}
		return ends
	})
}

// Pulling is the number of pulls that wait.
func (b *Broker) Pulling() int {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	return len(b.pulls)
}

// tagsIn reads a subscription; an SQL expression matches everything here.
func tagsIn(expression, kind string) []string {
	if expression == "" || expression == "*" || kind == "SQL92" {
		return nil
	}
	var tags []string
	for tag := range strings.SplitSeq(expression, "||") {
		tags = append(tags, strings.TrimSpace(tag))
	}
	return tags
}

// badQueue is the remark about a queue that the topic does not have.
func badQueue(r *Request, topic *Topic) string {
	return fmt.Sprintf("queueId[%d] is illegal, topic:[%s] topicConfig.readQueueNums:[%d] consumer:[/%s]",
		r.number("queueId"), topic.Name, topic.Queues, r.Client.Host())
}
