package fakebroker

import (
	"fmt"
	"slices"
	"strings"
)

// POP_MESSAGE, specification 2.9 and 4. Covered: one queue or all in rotation, tags, long polls
// that a message wakes, the info strings, retries under the original topic with their POP_CK,
// FIFO with attempt ids and counts. Different on purpose, so that tests can rely on it: the
// retry topic is always read first, a new group begins at 0, and a message comes back when its
// invisible time is over, not two seconds later. Left out: SQL92 (everything matches), pop
// thresholds, reset offsets, retry topics v2.

const (
	popMessagesMax = 32
	pollsMax       = 1024 // per topic, group and queue
	reviveOrder    = 999
)

// subscription is a group's place in a queue.
type subscription struct {
	group, topic string // of a retry, the retry topic
	queue        int32
}

// delivery is a message that a group has got.
type delivery struct {
	subscription
	offset int64
}

// pop is a request that looks for messages, now or as long as it may wait.
type pop struct {
	request      *Request
	group, topic string
	queueID      int32
	most         int
	invisible    int64 // ms
	deadline     int64 // ms since 1970
	order        bool
	attempt      string
	tags         []string // nil is all
}

func (b *Broker) popMessage(r *Request) Response {
	now := b.now()
	born, poll := r.number("bornTime"), r.number("pollTime")
	if born == 0 {
		born = now
	}
	if now-born-poll > 500 {
		return popAnswer(210, "the broker["+b.ip()+"] pop message is timeout too much")
	}
	if refused := b.checkPop(r); refused != nil {
		return *refused
	}
	p := &pop{
		request: r, group: r.Ext["consumerGroup"], topic: r.Ext["topic"], queueID: int32(r.number("queueId")),
		most: int(r.number("maxMsgNums")), invisible: r.number("invisibleTime"), deadline: born + poll,
		order: strings.EqualFold(r.Ext["order"], "true"), attempt: r.Ext["attemptId"], tags: tagsIn(r.Ext["exp"], r.Ext["expType"]),
	}
	if response, found := b.tryPop(p); found {
		return response
	}
	switch {
	case now >= p.deadline:
		return b.popNothing(p)
	case b.pollsLike(p) >= pollsMax:
		return popAnswer(209, "")
	}
	b.waiting = append(b.waiting, p)
	return Response{Silent: true}
}

func (b *Broker) checkPop(r *Request) *Response {
	refuse := func(code int32, remark string) *Response {
		response := popAnswer(code, remark)
		return &response
	}
	if r.number("maxMsgNums") > popMessagesMax {
		return refuse(29, fmt.Sprintf("the broker[%s] pop message's num is greater than 32", b.ip()))
	}
	topic := b.cluster.topic(r.Ext["topic"], b.Name, false)
	if topic == nil {
		return refuse(17, noTopic(r.Ext["topic"]))
	}
	if !topic.Perm.Readable() {
		return refuse(16, "the topic["+topic.Name+"] peeking message is forbidden")
	}
	if r.number("queueId") >= int64(topic.Queues) {
		return refuse(29, badQueue(r, topic))
	}
	group := b.cluster.group(r.Ext["consumerGroup"], b.cluster.autoGroup)
	if group == nil {
		return refuse(26, "subscription group ["+r.Ext["consumerGroup"]+"] does not exist, "+
			"See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.")
	}
	if !group.ConsumeEnable {
		return refuse(16, "subscription group no permission, "+group.GroupName)
	}
	return nil
}

// noTopic is the remark about a topic that is not there.
func noTopic(topic string) string {
	return "topic[" + topic + "] not exist, apply first please! \nSee " +
		"https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
}

// popNothing is the answer of a pop that looked and found nothing.
func (b *Broker) popNothing(p *pop) Response {
	response := popAnswer(210, "NO_MESSAGE_IN_QUEUE")
	response.Ext["popTime"], response.Ext["invisibleTime"] = decimal(b.now()), decimal(p.invisible)
	response.Ext["startOffsetInfo"], response.Ext["msgOffsetInfo"] = "", ""
	return response
}

// popAnswer is an answer without messages: the four numbers are there all the same.
func popAnswer(code int32, remark string) Response {
	return Response{Code: code, Remark: remark, Ext: map[string]string{
		"popTime": "0", "invisibleTime": "0", "reviveQid": "0", "restNum": "0",
	}}
}

func (p *pop) matches(s *stored) bool {
	return p.tags == nil || slices.Contains(p.tags, s.property("TAGS"))
}

// popResult gathers what a pop found.
type popResult struct {
	now                     int64
	revive                  int32
	n                       int
	rest                    int
	starts, offsets, counts []string
	body                    []byte
}

// tryPop answers the pop if there is anything for it.
func (b *Broker) tryPop(p *pop) (Response, bool) {
	found := popResult{now: b.now(), revive: reviveOrder}
	if !p.order {
		found.revive = b.revive % 8
		b.take(p, &found, retryTopic(p.group, p.topic), 1, 0)
	}
	for _, id := range b.queuesFor(p) {
		if p.order {
			b.takeOrder(p, &found, id)
		} else {
			b.take(p, &found, p.topic, 0, id)
		}
	}
	if found.n == 0 {
		return Response{}, false
	}
	b.revive++
	b.rotation++
	ext := map[string]string{
		"popTime": decimal(found.now), "invisibleTime": decimal(p.invisible), "reviveQid": decimal(int64(found.revive)),
		"restNum": decimal(int64(found.rest)), "startOffsetInfo": strings.Join(found.starts, ";"),
		"msgOffsetInfo": strings.Join(found.offsets, ";"),
	}
	if p.order {
		ext["orderCountInfo"] = strings.Join(found.counts, ";")
	}
	return Response{Remark: "FOUND", Ext: ext, Body: found.body}, true
}

// queuesFor is the queues a pop looks into, in its order.
func (b *Broker) queuesFor(p *pop) []int32 {
	if p.queueID >= 0 {
		return []int32{p.queueID}
	}
	topic := b.cluster.topic(p.topic, b.Name, false)
	if topic == nil {
		return nil
	}
	ids := make([]int32, topic.Queues)
	for i := range ids {
		ids[i] = (int32(b.rotation) + int32(i)) % topic.Queues
	}
	return ids
}

// take pops from one queue; topic is the one that is read, mark says which kind.
func (b *Broker) take(p *pop, found *popResult, topic string, mark int, id int32) {
	q := b.queues[queueKey{topic, id}]
	if q == nil {
		return
	}
	sub := subscription{p.group, topic, id}
	start := b.reads[sub]
	next := start
	var taken []int64
	for ; next < int64(len(q.messages)) && found.n < p.most; next++ {
		s := q.messages[next]
		if !p.matches(s) {
			continue
		}
		taken = append(taken, next)
		found.n++
		b.popped[delivery{sub, next}] = &invisible{
			message: s, topic: p.topic, popTime: found.now, due: found.now + p.invisible,
		}
		properties := s.record.Properties
		if mark != 0 {
			properties = withProperty(properties, "POP_CK", fmt.Sprintf("%d %d %d %d %d %s %d %d",
				start, found.now, p.invisible, found.revive, mark, b.Name, id, next))
		}
		found.body = s.encode(found.body, p.topic, properties)
	}
	b.reads[sub] = next
	found.add(len(q.messages)-int(next), mark, id, start, taken)
}

// add writes the info strings of one queue (specification 4.1).
func (found *popResult) add(rest, mark int, id int32, start int64, taken []int64) {
	found.rest += rest
	if len(taken) == 0 {
		return
	}
	numbers := make([]string, len(taken))
	for i, offset := range taken {
		numbers[i] = decimal(offset)
	}
	found.starts = append(found.starts, fmt.Sprintf("%d %d %d", mark, id, start))
	found.offsets = append(found.offsets, fmt.Sprintf("%d %d %s", mark, id, strings.Join(numbers, ",")))
}
