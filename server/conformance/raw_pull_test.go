package conformance

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/server/conformance/cluster"
)

// No official client pulls yet, and the Java proxy does not serve it: these are
// the rules of this proxy, the same in both modes.

// eachPuller runs a test on each target that serves pulls.
func eachPuller(t *testing.T, conversation func(p peer)) {
	eachTransport(t, "stubs: pulls and offsets", func(p peer) {
		if _, err := p.GetOffset(p.with(), &v2.GetOffsetRequest{}); status.Code(err) == codes.Unimplemented {
			p.Skip("the Java proxy has no pulls")
		}
		conversation(p)
	})
}

// line is a queue of a topic of its own, and a group.
type line struct {
	peer
	topic, group string
	queue        *v2.MessageQueue
}

func (p peer) line() line {
	p.Helper()
	name := p.makeTopic(p.T, "NORMAL", 1)
	queue := &v2.MessageQueue{Topic: resource(name), Broker: &v2.Broker{Name: p.brokerName}}
	return line{p, name, p.makeGroup(p.T, cluster.Group{RetryMax: 16}), queue}
}

// pulled is what one PullMessage streamed.
type pulled struct {
	elements []string // status, message or next_offset, in their order
	status   *v2.Status
	messages []*v2.Message
	next     int64
}

func (got *pulled) bodies() (all []string) {
	for _, m := range got.messages {
		all = append(all, string(m.GetBody()))
	}
	return all
}

// pulls pulls to the end of the stream.
func (l line) pulls(ctx context.Context, offset int64, change ...func(*v2.PullMessageRequest)) (pulled, error) {
	var got pulled
	request := &v2.PullMessageRequest{
		Group: resource(l.group), MessageQueue: l.queue, Offset: offset, BatchSize: 32,
		FilterExpression: &v2.FilterExpression{Type: v2.FilterType_TAG, Expression: "*"},
	}
	for _, f := range change {
		f(request)
	}
	stream, err := l.PullMessage(ctx, request)
	if err != nil {
		return got, err
	}
	for {
		element, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		switch c := element.GetContent().(type) {
		case *v2.PullMessageResponse_Status:
			got.elements = append(got.elements, "status")
			got.status = c.Status
		case *v2.PullMessageResponse_Message:
			got.elements = append(got.elements, "message")
			got.messages = append(got.messages, c.Message)
		case *v2.PullMessageResponse_NextOffset:
			got.elements = append(got.elements, "next_offset")
			got.next = c.NextOffset
		}
	}
}

// brings pulls and checks everything there is to it.
func (l line) brings(what string, offset int64, want v2.Code, next int64, bodies []string, change ...func(*v2.PullMessageRequest)) pulled {
	l.Helper()
	got, err := l.pulls(l.with(), offset, change...)
	if err != nil {
		l.Fatalf("%s: %v", what, err)
	}
	elements := []string{"status"}
	for range bodies {
		elements = append(elements, "message")
	}
	elements = append(elements, "next_offset")
	if got.status.GetCode() != want || got.next != next || !slices.Equal(got.bodies(), bodies) || !slices.Equal(got.elements, elements) {
		l.Errorf("%s: %v, next %d, %v, streamed as %v; want %v, next %d, %v", what, got.status, got.next, got.bodies(), got.elements, want, next, bodies)
	}
	return got
}

// says sends a message with a tag and a weight.
func (l line) says(body, tag, weight string) *v2.SendResultEntry {
	l.Helper()
	return l.sends(message(l.topic, func(m *v2.Message) {
		m.Body, m.SystemProperties.Tag = []byte(body), &tag
		m.UserProperties["weight"] = weight
	}))
}

// holds waits until the queue ends where it should: a broker puts messages into
// queues a moment after it has answered for them.
func (l line) holds(count int64) {
	l.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		got, err := l.pulls(l.with(), count-1, polling(5*time.Second))
		if err != nil {
			l.Fatal(err)
		}
		if got.next == count && len(got.messages) == 1 {
			return
		}
		if time.Now().After(end) {
			l.Fatalf("the queue never reaches %d: %v", count, got)
		}
	}
}

func polling(d time.Duration) func(*v2.PullMessageRequest) {
	return func(r *v2.PullMessageRequest) { r.LongPollingTimeout = durationpb.New(d) }
}

func filtered(kind v2.FilterType, expression string) func(*v2.PullMessageRequest) {
	return func(r *v2.PullMessageRequest) {
		r.FilterExpression = &v2.FilterExpression{Type: kind, Expression: expression}
	}
}

// TestPullReadsAQueue from any offset, again and again, with filters.
func TestPullReadsAQueue(t *testing.T) {
	eachPuller(t, func(p peer) {
		l := p.line()
		l.brings("nothing", 0, v2.Code_MESSAGE_NOT_FOUND, 0, nil)
		l.brings("beyond nothing", 1, v2.Code_ILLEGAL_OFFSET, 0, nil)
		for i, body := range []string{"one", "two", "three"} {
			if entry := l.says(body, []string{"red", "blue", "red"}[i], []string{"1", "2", "3"}[i]); entry.GetOffset() != int64(i) {
				l.Fatalf("%s has offset %d", body, entry.GetOffset())
			}
		}
		l.holds(3)
		all := []string{"one", "two", "three"}
		got := l.brings("all", 0, v2.Code_OK, 3, all)
		if s := got.messages[1].GetSystemProperties(); s.GetQueueOffset() != 1 || s.GetDeliveryAttempt() != 1 || s.ReceiptHandle != nil || s.GetTag() != "blue" {
			l.Errorf("a pulled message: %v", s)
		}
		l.brings("all again", 0, v2.Code_OK, 3, all)
		one := func(r *v2.PullMessageRequest) { r.BatchSize = 1 }
		l.brings("one of them", 1, v2.Code_OK, 2, all[1:2], one)
		l.brings("as many as consumers are told", 0, v2.Code_OK, 3, all, func(r *v2.PullMessageRequest) { r.BatchSize = 0 })
		l.brings("the end", 3, v2.Code_MESSAGE_NOT_FOUND, 3, nil)
		l.brings("beyond the end", 4, v2.Code_ILLEGAL_OFFSET, 3, nil, polling(20*time.Second))
		l.brings("before the beginning", -1, v2.Code_ILLEGAL_OFFSET, 0, nil, polling(20*time.Second))

		l.brings("a tag", 0, v2.Code_OK, 3, []string{"one", "three"}, filtered(v2.FilterType_TAG, "red || green"))
		l.brings("no such tag", 0, v2.Code_MESSAGE_NOT_FOUND, 3, nil, filtered(v2.FilterType_TAG, "green"))
		l.brings("SQL", 0, v2.Code_OK, 3, []string{"two", "three"}, filtered(v2.FilterType_SQL, "weight > 1"))
		l.brings("SQL again", 2, v2.Code_OK, 3, []string{"three"}, filtered(v2.FilterType_SQL, "weight > 1"))
		l.brings("SQL for nothing", 0, v2.Code_MESSAGE_NOT_FOUND, 3, nil, filtered(v2.FilterType_SQL, "weight > 3"))
	})
}

// TestPullWaits for a message that it wants, for as long as it said and the
// client has, and no longer.
func TestPullWaits(t *testing.T) {
	eachPuller(t, func(p peer) {
		l := p.line()
		begun := time.Now()
		l.brings("a short poll", 0, v2.Code_MESSAGE_NOT_FOUND, 0, nil, polling(700*time.Millisecond))
		if took := time.Since(begun); took < 600*time.Millisecond || took > 4*time.Second {
			l.Errorf("a poll of 700 ms took %v", took)
		}

		type result struct {
			pulled
			err error
		}
		came := make(chan result, 1)
		ctx, cancel := context.WithTimeout(l.Context(), 30*time.Second)
		defer cancel()
		go func() {
			got, err := l.pulls(l.in(ctx), 0, polling(20*time.Second), filtered(v2.FilterType_TAG, "red"))
			came <- result{got, err}
		}()
		// The pull is in the broker's hands, there is no event to await. One that
		// comes after the send would only make the answer faster.
		select {
		case r := <-came:
			l.Fatalf("a pull of an empty queue: %v %v", r.pulled, r.err)
		case <-time.After(200 * time.Millisecond):
		}
		l.says("unwanted", "blue", "1")
		l.says("wanted", "red", "1")
		sent := time.Now()
		r := <-came
		if r.err != nil || r.next != 2 || !slices.Equal(r.bodies(), []string{"wanted"}) {
			l.Errorf("woken with %+v", r)
		}
		// A broker may hold it a little longer when it was woken for nothing first.
		if took := time.Since(sent); took > 7*time.Second {
			l.Errorf("woken after %v", took)
		}

		short, stop := context.WithTimeout(l.Context(), 1500*time.Millisecond)
		defer stop()
		got, err := l.pulls(l.in(short), 2, polling(20*time.Second))
		if err != nil || got.status.GetCode() != v2.Code_MESSAGE_NOT_FOUND || got.next != 2 {
			l.Errorf("with a deadline of 1.5 s: %v, %v", got, err)
		}
	})
}

// TestOffsetsOfGroups are kept, one for pulls and receives alike.
func TestOffsetsOfGroups(t *testing.T) {
	eachPuller(t, func(p peer) {
		l := p.line()
		get := func(want v2.Code, offset int64) {
			l.Helper()
			got, err := l.GetOffset(l.with(), &v2.GetOffsetRequest{Group: resource(l.group), MessageQueue: l.queue})
			if err != nil || got.GetStatus().GetCode() != want || got.GetOffset() != offset {
				l.Errorf("GetOffset: %v %v, want %v, %d", got, err, want, offset)
			}
		}
		get(v2.Code_OFFSET_NOT_FOUND, 0)
		for _, body := range []string{"one", "two", "three"} {
			l.says(body, "red", "1")
		}
		l.holds(3)
		get(v2.Code_OFFSET_NOT_FOUND, 0) // a pull leaves none
		update := func(offset int64) {
			l.Helper()
			got, err := l.UpdateOffset(l.with(), &v2.UpdateOffsetRequest{Group: resource(l.group), MessageQueue: l.queue, Offset: offset})
			if err != nil || got.GetStatus().GetCode() != v2.Code_OK {
				l.Errorf("UpdateOffset to %d: %v %v", offset, got, err)
			}
		}
		for _, offset := range []int64{3, 0, 2} {
			update(offset)
			get(v2.Code_OK, offset)
		}
		c := l.consumer(l.topic, l.group)
		if m := c.gets(l.topic, l.group); string(m.GetBody()) != "three" || m.GetSystemProperties().GetQueueOffset() != 2 {
			l.Errorf("a receive of a group at 2 got %v", m)
		}
	})
}

// TestOffsetsOfQueues: the beginning, the end, and times between.
func TestOffsetsOfQueues(t *testing.T) {
	eachPuller(t, func(p peer) {
		l := p.line()
		l.says("one", "red", "1")
		l.holds(1)
		time.Sleep(5 * time.Millisecond) // so that the two have different times
		l.says("two", "red", "1")
		l.holds(2)
		got := l.brings("all", 0, v2.Code_OK, 2, []string{"one", "two"})
		first := got.messages[0].GetSystemProperties().GetStoreTimestamp().AsTime()
		second := got.messages[1].GetSystemProperties().GetStoreTimestamp().AsTime()
		at := func(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
		for what, q := range map[string]struct {
			policy    v2.QueryOffsetPolicy
			timestamp *timestamppb.Timestamp
			want      int64
		}{
			"beginning":        {v2.QueryOffsetPolicy_BEGINNING, nil, 0},
			"end":              {v2.QueryOffsetPolicy_END, nil, 2},
			"long ago":         {v2.QueryOffsetPolicy_TIMESTAMP, at(time.Unix(0, 0)), 0},
			"the first":        {v2.QueryOffsetPolicy_TIMESTAMP, at(first), 0},
			"after the first":  {v2.QueryOffsetPolicy_TIMESTAMP, at(first.Add(time.Millisecond)), 1},
			"the second":       {v2.QueryOffsetPolicy_TIMESTAMP, at(second), 1},
			"after the second": {v2.QueryOffsetPolicy_TIMESTAMP, at(second.Add(time.Millisecond)), 2},
			"tomorrow":         {v2.QueryOffsetPolicy_TIMESTAMP, at(time.Now().Add(24 * time.Hour)), 2},
		} {
			answer, err := l.QueryOffset(l.with(), &v2.QueryOffsetRequest{
				MessageQueue: l.queue, QueryOffsetPolicy: q.policy, Timestamp: q.timestamp,
			})
			if err != nil || answer.GetStatus().GetCode() != v2.Code_OK || answer.GetOffset() != q.want {
				l.Errorf("%s: %v %v, want %d", what, answer, err, q.want)
			}
		}
	})
}

// TestPullsAndOffsetsRefuse what they cannot serve.
func TestPullsAndOffsetsRefuse(t *testing.T) {
	eachPuller(t, func(p peer) {
		l := p.line()
		queue := func(topic, broker string, id int32) *v2.MessageQueue {
			return &v2.MessageQueue{Topic: resource(topic), Id: id, Broker: &v2.Broker{Name: broker}}
		}
		pull := func(what string, want v2.Code, change func(*v2.PullMessageRequest)) refusal {
			return refusal{what, func(peer) (*v2.Status, error) {
				got, err := l.pulls(l.with(), 0, change)
				if !slices.Equal(got.elements, []string{"status"}) {
					l.Errorf("%s: streamed %v", what, got.elements)
				}
				return got.status, err
			}, code(want)}
		}
		of := func(q *v2.MessageQueue) func(*v2.PullMessageRequest) {
			return func(r *v2.PullMessageRequest) { r.MessageQueue = q }
		}
		update := func(what string, want []v2.Code, group string, q *v2.MessageQueue, offset int64) refusal {
			return refusal{what, func(peer) (*v2.Status, error) {
				answer, err := l.UpdateOffset(l.with(), &v2.UpdateOffsetRequest{Group: resource(group), MessageQueue: q, Offset: offset})
				return answer.GetStatus(), err
			}, want}
		}
		query := func(what string, want v2.Code, q *v2.MessageQueue, policy v2.QueryOffsetPolicy) refusal {
			return refusal{what, func(peer) (*v2.Status, error) {
				answer, err := l.QueryOffset(l.with(), &v2.QueryOffsetRequest{MessageQueue: q, QueryOffsetPolicy: policy})
				return answer.GetStatus(), err
			}, code(want)}
		}
		// In Local mode a group is made on first use, and an offset behind the end
		// of its queue is refused, which a broker takes.
		newGroup, beyond := code(v2.Code_CONSUMER_GROUP_NOT_FOUND), code(v2.Code_OK)
		if p.local() {
			newGroup, beyond = code(v2.Code_OK), code(v2.Code_ILLEGAL_OFFSET)
		}
		nobody := l.with("x-mq-client-id", "")
		refused(p, []refusal{
			{"nobody pulls", func(peer) (*v2.Status, error) {
				got, err := l.pulls(nobody, 0)
				return got.status, err
			}, code(v2.Code_CLIENT_ID_REQUIRED)},
			{"nobody asks for an offset", func(peer) (*v2.Status, error) {
				answer, err := l.QueryOffset(nobody, &v2.QueryOffsetRequest{MessageQueue: l.queue})
				return answer.GetStatus(), err
			}, code(v2.Code_CLIENT_ID_REQUIRED)},
			pull("blank topic", v2.Code_ILLEGAL_TOPIC, of(nil)),
			pull("illegal group", v2.Code_ILLEGAL_CONSUMER_GROUP, func(r *v2.PullMessageRequest) { r.Group.Name = "a*b" }),
			pull("no broker", v2.Code_BAD_REQUEST, of(queue(l.topic, "", 0))),
			pull("unknown broker", v2.Code_BAD_REQUEST, of(queue(l.topic, "no-such-broker", 0))),
			pull("negative queue", v2.Code_BAD_REQUEST, of(queue(l.topic, p.brokerName, -1))),
			pull("unknown queue", v2.Code_BAD_REQUEST, of(queue(l.topic, p.brokerName, 1))),
			pull("negative batch", v2.Code_BAD_REQUEST, func(r *v2.PullMessageRequest) { r.BatchSize = -1 }),
			pull("filter of separators", v2.Code_ILLEGAL_FILTER_EXPRESSION, filtered(v2.FilterType_TAG, "||")),
			pull("empty SQL", v2.Code_ILLEGAL_FILTER_EXPRESSION, filtered(v2.FilterType_SQL, "")),
			pull("half an SQL", v2.Code_ILLEGAL_FILTER_EXPRESSION, filtered(v2.FilterType_SQL, "weight >")),
			update("negative offset", code(v2.Code_ILLEGAL_OFFSET), l.group, l.queue, -1),
			update("offset behind the end", beyond, l.group, l.queue, 7),
			update("unknown queue", code(v2.Code_BAD_REQUEST), l.group, queue(l.topic, p.brokerName, 9), 0),
			update("new group", newGroup, freshName(p.T), l.queue, 0),
			query("unknown queue", v2.Code_BAD_REQUEST, queue(l.topic, p.brokerName, 9), v2.QueryOffsetPolicy_END),
			query("no timestamp", v2.Code_BAD_REQUEST, l.queue, v2.QueryOffsetPolicy_TIMESTAMP),
			query("unknown policy", v2.Code_BAD_REQUEST, l.queue, 7),
		})
	})
}

// TestPullConsumerIntroducesItself, and is kept by its heartbeats.
func TestPullConsumerIntroducesItself(t *testing.T) {
	eachPuller(t, func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		p.opens().settles(p.consumerSettings(v2.ClientType_PULL_CONSUMER, name, group, "*"))
		answer, err := p.Heartbeat(p.with(), &v2.HeartbeatRequest{Group: resource(group), ClientType: v2.ClientType_PULL_CONSUMER})
		if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
			p.Errorf("heartbeat: %v %v", answer, err)
		}
	})
}
