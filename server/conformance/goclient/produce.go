package main

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"

	"rocketmq-proxy/server/conformance/content"
)

func (c *clients) startProducer(args url.Values) (url.Values, error) {
	_, err := c.producer(args.Get("topic"), checks(args)...)
	return nil, err
}

// checks are what a producer's checker says, one after the other; the last for ever. No producer
// without a checker is asked.
func checks(args url.Values) []string {
	if args.Get("check") == "" {
		return nil
	}
	return strings.Split(args.Get("check"), ",")
}

// checker makes the transaction checker of a topic's producer.
func (c *clients) checker(topic string, checks []string) *rmq.TransactionChecker {
	times := map[string]int{}
	return &rmq.TransactionChecker{Check: func(view *rmq.MessageView) rmq.TransactionResolution {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked[topic] = append(c.asked[topic], view.GetMessageId())
		says := checks[min(times[view.GetMessageId()], len(checks)-1)]
		times[view.GetMessageId()]++
		return map[string]rmq.TransactionResolution{"commit": rmq.COMMIT, "rollback": rmq.ROLLBACK}[says]
	}}
}

// producer is the producer of a topic, started at the first use.
func (c *clients) producer(topic string, checks ...string) (rmq.Producer, error) {
	c.mu.Lock()
	started := c.producers[topic]
	if started == nil {
		started = sync.OnceValues(func() (rmq.Producer, error) { return c.newProducer(topic, checks) })
		c.producers[topic] = started
	}
	c.mu.Unlock()
	return started()
}

func (c *clients) newProducer(topic string, checks []string) (rmq.Producer, error) {
	options := []rmq.ProducerOption{rmq.WithTopics(topic), rmq.WithClientFunc(c.connect)}
	if len(checks) > 0 {
		options = append(options, rmq.WithTransactionChecker(c.checker(topic, checks)))
	}
	p, err := rmq.NewProducer(c.config(""), options...)
	if err != nil {
		return nil, err
	}
	return p, p.Start()
}

// outgoing is a message of a series as the client wants it, with what a call adds.
func outgoing(topic string, m content.Message, args url.Values) *rmq.Message {
	message := &rmq.Message{Topic: topic, Body: m.Body}
	message.SetTag(m.Tag)
	message.SetKeys(m.Keys...)
	for key, value := range m.Properties {
		message.AddProperty(key, value)
	}
	for name, values := range args {
		if key, is := strings.CutPrefix(name, "p."); is {
			message.AddProperty(key, values[0])
		}
	}
	if group := args.Get("messagegroup"); group != "" {
		message.SetMessageGroup(group)
	}
	if at := number(args, "due"); at != 0 {
		message.SetDelayTimestamp(time.UnixMilli(int64(at)))
	}
	if lite := args.Get("lite"); lite != "" {
		message.SetLiteTopic(lite)
	}
	if args.Has("priority") {
		_ = message.SetPriority(int32(number(args, "priority"))) // is refused beside what no call has beside it
	}
	return message
}

// sendOne sends one message and tells its id and how long the call took. The
// request timeout bounds it with all its attempts.
func (c *clients) sendOne(p rmq.Producer, topic string, m content.Message) (id string, took time.Duration, err error) {
	receipt, took, err := c.sendMessage(p, outgoing(topic, m, nil))
	return receipt.MessageID, took, err
}

func (c *clients) sendMessage(p rmq.Producer, message *rmq.Message) (receipt rmq.SendReceipt, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.requestTimeout)
	defer cancel()
	begin := time.Now()
	receipts, err := p.Send(ctx, message)
	took = time.Since(begin)
	if err == nil && len(receipts) != 1 {
		err = errors.New("no receipt")
	}
	if err != nil {
		return rmq.SendReceipt{}, took, err
	}
	return *receipts[0], took, nil
}

func (c *clients) send(args url.Values) (url.Values, error) {
	p, err := c.producer(args.Get("topic"))
	if err != nil {
		return nil, err
	}
	receipt, _, err := c.sendMessage(p, outgoing(args.Get("topic"), series(args).At(number(args, "index")), args))
	return url.Values{"id": {receipt.MessageID}, "recall": {receipt.RecallHandle}}, err
}

// transact sends a half message, and decides about it when there is a verdict.
func (c *clients) transact(args url.Values) (url.Values, error) {
	p, err := c.producer(args.Get("topic"), checks(args)...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.requestTimeout)
	defer cancel()
	transaction := p.BeginTransaction()
	receipts, err := p.SendWithTransaction(ctx, outgoing(args.Get("topic"), series(args).At(number(args, "index")), args), transaction)
	if err != nil {
		return nil, err
	}
	answer := url.Values{"id": {receipts[0].MessageID}}
	switch args.Get("verdict") {
	case "commit":
		return answer, transaction.Commit()
	case "rollback":
		return answer, transaction.RollBack()
	}
	return answer, nil
}

func (c *clients) recall(args url.Values) (url.Values, error) {
	p, err := c.producer(args.Get("topic"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.requestTimeout)
	defer cancel()
	id, err := p.Recall(ctx, args.Get("topic"), args.Get("recall"))
	return url.Values{"id": {id}}, err
}

// tally adds up sends that run side by side.
type tally struct {
	mu      sync.Mutex
	ids     []string
	bytes   int64
	failed  int
	failure error
	slowest time.Duration
}

func (t *tally) enter(id string, size int, took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slowest = max(t.slowest, took)
	if err != nil {
		t.failed++
		t.failure = err
		return
	}
	t.ids = append(t.ids, id)
	t.bytes += int64(size)
}

func (t *tally) values() url.Values {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := url.Values{
		"sent":    {strconv.Itoa(len(t.ids))},
		"bytes":   {strconv.FormatInt(t.bytes, 10)},
		"failed":  {strconv.Itoa(t.failed)},
		"slowest": {micros(t.slowest)},
	}
	if t.failure != nil {
		v.Set("failure", t.failure.Error())
	}
	return v
}

// sendSeries sends without waiting for the answers, inflight at a time.
func (c *clients) sendSeries(args url.Values) (url.Values, error) {
	topic, s, count := args.Get("topic"), series(args), number(args, "count")
	p, err := c.producer(topic)
	if err != nil {
		return nil, err
	}
	var t tally
	var wait sync.WaitGroup
	room := make(chan struct{}, number(args, "inflight"))
	begin := time.Now()
	for i := range count {
		room <- struct{}{}
		wait.Add(1)
		ctx, cancel := context.WithTimeout(context.Background(), c.requestTimeout)
		sent := time.Now()
		p.SendAsync(ctx, outgoing(topic, s.At(i), nil), func(_ context.Context, receipts []*rmq.SendReceipt, err error) {
			defer wait.Done()
			cancel()
			id := ""
			if err == nil {
				id = receipts[0].MessageID
			}
			t.enter(id, s.Size(i), time.Since(sent), err)
			<-room
		})
	}
	wait.Wait()
	v := t.values()
	v.Set("millis", strconv.FormatInt(time.Since(begin).Milliseconds(), 10))
	return v, nil
}

// load sends at a steady pace, without waiting for answers, until it is stopped.
type load struct {
	tally
	stop, stopped chan struct{}
}

// loadInflightMax bounds the sends that wait for a broker that is down.
const loadInflightMax = 64

func (c *clients) startLoad(args url.Values) (url.Values, error) {
	topic, s, every := args.Get("topic"), series(args), millis(args, "every")
	p, err := c.producer(topic)
	if err != nil {
		return nil, err
	}
	l := &load{stop: make(chan struct{}), stopped: make(chan struct{})}
	c.mu.Lock()
	c.loads[topic] = l
	c.mu.Unlock()
	go func() {
		defer close(l.stopped)
		room := make(chan struct{}, loadInflightMax)
		pace := time.NewTicker(every)
		defer pace.Stop()
		var wait sync.WaitGroup
		defer wait.Wait()
		for i := 0; ; i++ {
			select {
			case <-l.stop:
				return
			case <-pace.C:
			}
			room <- struct{}{}
			wait.Go(func() {
				defer func() { <-room }()
				id, took, err := c.sendOne(p, topic, s.At(i))
				l.enter(id, s.Size(i), took, err)
			})
		}
	}()
	return nil, nil
}

func (c *clients) stopLoad(args url.Values) (url.Values, error) {
	c.mu.Lock()
	l := c.loads[args.Get("topic")]
	c.mu.Unlock()
	if l == nil {
		return nil, errors.New("no load to stop")
	}
	close(l.stop)
	<-l.stopped
	v := l.values()
	v.Set("ids", strings.Join(l.ids, ","))
	return v, nil
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
