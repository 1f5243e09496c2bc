package messaging

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/backend"
)

// pullRequest pulls queue 3 of "orders" on broker-a for "readers" from 100 on, polling 20 s.
func pullRequest(change ...func(*apiv2.PullMessageRequest)) *apiv2.PullMessageRequest {
	r := &apiv2.PullMessageRequest{
		Group: resource("readers"), MessageQueue: queueNamed("broker-a", 3), Offset: 100, BatchSize: 32,
		FilterExpression: &apiv2.FilterExpression{Expression: "*"}, LongPollingTimeout: durationpb.New(20 * time.Second),
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func queueNamed(broker string, id int32) *apiv2.MessageQueue {
	return &apiv2.MessageQueue{Topic: resource("orders"), Id: id, Broker: &apiv2.Broker{Name: broker}}
}

// pulled checks the elements of a PullMessage stream that ended well, a word each.
func (c *callStream) pulled(want ...string) (all []*apiv2.Message) {
	c.Helper()
	var words []string
	for _, b := range c.messages() {
		m := &apiv2.PullMessageResponse{}
		if err := proto.Unmarshal(b, m); err != nil {
			c.Fatal(err)
		}
		switch content := m.GetContent().(type) {
		case *apiv2.PullMessageResponse_Status:
			words = append(words, fmt.Sprint(int32(content.Status.GetCode()), " ", content.Status.GetMessage()))
		case *apiv2.PullMessageResponse_Message:
			words = append(words, "message "+strconv.Quote(string(content.Message.GetBody())))
			all = append(all, content.Message)
		case *apiv2.PullMessageResponse_NextOffset:
			words = append(words, fmt.Sprint("next ", content.NextOffset))
		}
	}
	if fmt.Sprint(words) != fmt.Sprint(want) || c.status() != "0 " {
		c.Errorf("%v, status %q; want %v, OK", words, c.status(), want)
	}
	return all
}

const pulled100 = "pull orders/broker-a/3 for readers from 100, 32, 20s"

// TestPull: status first, then the messages in their order, then the next offset; a client whose
// settings nobody knows will do.
func TestPull(t *testing.T) {
	p := newWorld(t).connect()
	c := p.call("PullMessage", pullRequest(), within(23*time.Second, "5.1.3")...)
	p.hears(pulled100)
	op := asked[*backend.Pull](p, 0)
	if string(op.Expression) != "*" || op.SQL {
		t.Errorf("%+v", op)
	}
	if got := op.Deadline.Sub(p.now); got < 20*time.Second || got > 23*time.Second {
		t.Errorf("the pull may take %v", got)
	}
	fillPull(op, stored{"one", "TAGS=a;UNIQ_KEY=ID1;colour=red;", 0}, stored{"", "UNIQ_KEY=ID2;", 2})
	p.reply(&op.Exchange, backend.Fault{})
	all := c.pulled("20000 OK", `message "one"`, `message ""`, "next 102")
	for what, holds := range map[string]bool{
		"topic":          all[0].GetTopic().GetName() == "orders",
		"message id":     all[0].GetSystemProperties().GetMessageId() == "ID1",
		"properties":     fmt.Sprint(all[0].GetUserProperties()) == "map[colour:red]",
		"place":          all[0].GetSystemProperties().GetQueueId() == 3 && all[1].GetSystemProperties().GetQueueOffset() == 101,
		"attempts":       all[1].GetSystemProperties().GetDeliveryAttempt() == 3,
		"receipt handle": all[0].GetSystemProperties().ReceiptHandle == nil, // nothing is lent
		"body digest":    all[0].GetSystemProperties().GetBodyDigest().GetChecksum() == "F97C5D29941BFB1B2FDAB0874906AB82",
	} {
		if !holds {
			t.Errorf("%s of %v", what, all)
		}
	}
	p.hears()
}

func TestPullOutcomes(t *testing.T) {
	for _, test := range []struct {
		outcome backend.PullOutcome
		next    int64
		want    []string
	}{
		{backend.PullNone, 0, []string{"40401 no new message", "next 0"}},
		{backend.PullNone, 107, []string{"40401 no new message", "next 107"}},
		{backend.PullOutside, 7, []string{"40019 the queue does not reach to offset 100, go on at 7", "next 7"}},
		{backend.PullFull, 0, []string{"42900 polling full"}},
	} {
		p := newWorld(t).connect()
		c := p.call("PullMessage", pullRequest())
		op := asked[*backend.Pull](p, 0)
		op.Outcome, op.Next = test.outcome, test.next
		p.reply(&op.Exchange, backend.Fault{})
		c.pulled(test.want...)
	}
}

// TestPullByTag: a broker lets messages through whose tag has the same hash.
func TestPullByTag(t *testing.T) {
	byTag := func(r *apiv2.PullMessageRequest) {
		r.FilterExpression = &apiv2.FilterExpression{Type: apiv2.FilterType_TAG, Expression: "a || b"}
	}
	p := newWorld(t).connect()
	c := p.call("PullMessage", pullRequest(byTag))
	op := asked[*backend.Pull](p, 0)
	if string(op.Expression) != "a || b" {
		t.Errorf("%q", op.Expression)
	}
	fillPull(op, stored{"one", "TAGS=c;", 0}, stored{"two", "TAGS=b;", 0}, stored{"three", "", 0})
	p.reply(&op.Exchange, backend.Fault{})
	c.pulled("20000 OK", `message "two"`, "next 103")

	c = p.call("PullMessage", pullRequest(byTag))
	op = asked[*backend.Pull](p, 0)
	fillPull(op, stored{"one", "TAGS=c;", 0})
	p.reply(&op.Exchange, backend.Fault{})
	c.pulled("40401 no match message", "next 101")

	p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) {
		r.FilterExpression = &apiv2.FilterExpression{Type: apiv2.FilterType_SQL, Expression: "a > 1"}
	}))
	if op = asked[*backend.Pull](p, 0); !op.SQL || string(op.Expression) != "a > 1" {
		t.Errorf("%+v", op)
	}
	fillPull(op, stored{"one", "TAGS=c;", 0}) // which is the broker's to judge
	p.reply(&op.Exchange, backend.Fault{})
}

func TestPullFails(t *testing.T) {
	eachFault(t, func(t *testing.T, f backend.Fault, code string) {
		want := fmt.Sprint(apiv2.Code_value[code], " it broke")
		p := newWorld(t).connect()
		c := p.call("PullMessage", pullRequest())
		p.reply(&asked[*backend.Pull](p, 0).Exchange, f)
		c.pulled(want)
		c = p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) { r.MessageQueue.Topic.Name = "unheard" }))
		p.reply(&asked[*backend.FetchTopic](p, 0).Exchange, f)
		c.pulled(want)
	})
}

func TestPullRefuses(t *testing.T) {
	p := newWorld(t).connect()
	filter := func(kind apiv2.FilterType, expression string) func(*apiv2.PullMessageRequest) {
		return func(r *apiv2.PullMessageRequest) {
			r.FilterExpression = &apiv2.FilterExpression{Type: kind, Expression: expression}
		}
	}
	for _, test := range []struct {
		change func(r *apiv2.PullMessageRequest)
		want   string
	}{
		{func(r *apiv2.PullMessageRequest) { *r = apiv2.PullMessageRequest{} }, "40002 The specified topic is blank"},
		{func(r *apiv2.PullMessageRequest) { r.Group = nil; r.MessageQueue.Broker = nil }, "40003 the specified group is blank"},
		{func(r *apiv2.PullMessageRequest) { r.MessageQueue.Broker = nil }, "40000 the broker of the message queue is blank"},
		{func(r *apiv2.PullMessageRequest) { r.MessageQueue.Broker.Name = " " }, "40000 the broker of the message queue is blank"},
		{func(r *apiv2.PullMessageRequest) { r.MessageQueue.Id = -1 }, "40000 queue id -1 is illegal"},
		{func(r *apiv2.PullMessageRequest) { r.BatchSize = -1 }, "40000 batch size -1 is illegal"},
		{filter(apiv2.FilterType_TAG, "||||"), "40010 subString split error"},
		{filter(apiv2.FilterType_SQL, ""), "40010 Expression can't be null! SQL92"},
	} {
		p.call("PullMessage", pullRequest(test.change)).pulled(test.want)
	}
	p.call("PullMessage", pullRequest(), "x-mq-language", "GO").pulled("40017 client id cannot be empty")
	c := p.open("PullMessage")
	c.raw([]byte{0xFF}, frame.FlagEndStream)
	if !strings.HasPrefix(c.status(), "13 Invalid protobuf byte sequence: ") {
		t.Error(c.status())
	}
	p.hears()

	c = p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) { r.MessageQueue.Topic.Name = "unheard" }))
	op := asked[*backend.FetchTopic](p, 0)
	op.Found = &backend.Topic{Name: "unheard"}
	p.reply(&op.Exchange, backend.Fault{})
	c.pulled("40402 CODE: 17  DESC: No topic route info in name server for the topic: unheard")
}

// TestPullLearnsTheTopic before it pulls.
func TestPullLearnsTheTopic(t *testing.T) {
	p := newWorld(t).connect()
	c := p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) { r.MessageQueue.Topic.Name = "unheard" }))
	p.hears("topic unheard")
	topic := asked[*backend.FetchTopic](p, 0)
	topic.Found = &backend.Topic{Name: "unheard", Exists: true}
	p.reply(&topic.Exchange, backend.Fault{})
	p.hears("pull unheard/broker-a/3 for readers from 100, 32, 20s")
	op := asked[*backend.Pull](p, 0)
	fillPull(op, stored{"one", "", 0})
	p.reply(&op.Exchange, backend.Fault{})
	c.pulled("20000 OK", `message "one"`, "next 101")
}

// TestPullPollTime is what was asked for, and no longer than the client or the proxy waits.
func TestPullPollTime(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		asked, left time.Duration // below 0: not given
		poll        time.Duration
	}{
		{20 * s, 23 * s, 20 * s},
		{20 * s, 10 * s, 10*s - pollReserve},
		{20 * s, pollReserve / 2, 0},
		{time.Millisecond, 23 * s, time.Millisecond},
		{0, 23 * s, 0},
		{-1, 23 * s, 0},
		{60 * s, 63 * s, 20 * s},
		{60 * s, -1, 20 * s},
		{-1, -1, 0},
	} {
		p := newWorld(t).connect()
		headers := identity
		if test.left >= 0 {
			headers = within(test.left, "5.1.3")
		}
		p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) {
			r.LongPollingTimeout = nil
			if test.asked >= 0 {
				r.LongPollingTimeout = durationpb.New(test.asked)
			}
		}), headers...)
		op := asked[*backend.Pull](p, 0)
		if may := op.Deadline.Sub(p.now); op.Poll != test.poll || may < op.Poll || test.left >= 0 && may > test.left {
			t.Errorf("%+v: polls %v of %v", test, op.Poll, may)
		}
		p.works()
	}
	p := newWorld(t).connect()
	p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) {
		r.LongPollingTimeout = &durationpb.Duration{Seconds: -5}
		r.BatchSize, r.Offset = 0, -1 // as many as the settings tell consumers; the queue is asked where it begins
	}))
	p.hears("pull orders/broker-a/3 for readers from -1, 32, 0s")
	p.works()
}

// TestPullIsCounted among the receives that wait.
func TestPullIsCounted(t *testing.T) {
	p := newWorld(t, func(c *Config) { c.LongPollsMax = 1 }).connect()
	p.call("PullMessage", pullRequest())
	p.call("PullMessage", pullRequest()).pulled("42900 too many receives wait: longPollsMax")
	p.works()
	c := p.call("PullMessage", pullRequest())
	p.works()
	c.pulled("40401 no match message", "next 0")
}

// TestPullCanceled: there is nothing to hand back, whenever it ends.
func TestPullCanceled(t *testing.T) {
	p := newWorld(t).connect()
	p.open("PullMessage").cancel()
	p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) { r.MessageQueue.Topic.Name = "unheard" })).cancel()
	p.works()
	p.hears("topic unheard")
	for name, end := range map[string]func(p *peer, c *callStream){
		"by the client":       func(_ *peer, c *callStream) { c.cancel() },
		"by its deadline":     func(p *peer, _ *callStream) { p.later(24 * time.Second) },
		"with the connection": func(p *peer, _ *callStream) { p.close() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t).connect()
			c := p.call("PullMessage", pullRequest(), within(23*time.Second, "5.1.3")...)
			end(p, c)
			op := asked[*backend.Pull](p, 0)
			fillPull(op, stored{"too late", "", 0})
			p.reply(&op.Exchange, backend.Fault{})
			if len(c.data) > 0 {
				t.Errorf("a canceled pull heard %d bytes", len(c.data))
			}
			p.hears(pulled100)
		})
	}
}

// TestPullLeavesAsTheWindowOpens, although its memory is used by others meanwhile.
func TestPullLeavesAsTheWindowOpens(t *testing.T) {
	p := newWorld(t).connect(100)
	c, gone := p.call("PullMessage", pullRequest()), p.call("PullMessage", pullRequest())
	refused := p.call("PullMessage", pullRequest(func(r *apiv2.PullMessageRequest) { r.Group.Name = strings.Repeat("g", 200) }))
	for p.fake.pending() > 0 {
		op := asked[*backend.Pull](p, 0)
		fillPull(op, three()...)
		p.reply(&op.Exchange, backend.Fault{})
	}
	gone.cancel()
	refused.cancel()
	for range 10 {
		p.call("PullMessage", pullRequest())
	}
	for p.fake.pending() > 0 {
		other := asked[*backend.Pull](p, 0)
		fillPull(other, stored{"y", "UNIQ_KEY=OTHER;", 0})
		p.reply(&other.Exchange, backend.Fault{})
	}
	for range 40 {
		c.window(100)
	}
	all := c.pulled("20000 OK", "message "+quoted(1000), "message "+quoted(1000), "message "+quoted(1000), "next 103")
	if id := all[2].GetSystemProperties().GetMessageId(); id != "ID3" {
		t.Errorf("the last is %s", id)
	}
	p.close() // the others still wait for their windows
}

// TestPullDrains: it ends at once when everybody has to leave, and goes on where it was.
func TestPullDrains(t *testing.T) {
	for _, window := range []uint32{1 << 20, 3} {
		p := newWorld(t).connect(window)
		c := p.call("PullMessage", pullRequest())
		p.shutdown()
		op := asked[*backend.Pull](p, 0)
		fillPull(op, stored{"too late", "", 0})
		p.reply(&op.Exchange, backend.Fault{})
		switch behindTheWindow := window == 3; {
		case c.ended == behindTheWindow:
			t.Errorf("with a window of %d it has ended: %v", window, c.ended)
		case behindTheWindow:
			c.cancel()
		default:
			c.pulled("40401 no new message", "next 100")
		}
		other := p.world.connect() // takes what memory there is
		next := other.call("PullMessage", pullRequest())
		op = asked[*backend.Pull](other, 0)
		fillPull(op, stored{"in time", "", 0})
		other.reply(&op.Exchange, backend.Fault{})
		next.pulled("20000 OK", `message "in time"`, "next 101")
	}
}
