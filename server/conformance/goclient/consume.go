package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"
	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"

	"rocketmq-proxy/server/conformance/content"
)

// simple is a simple consumer and the messages it holds, by message id.
type simple struct {
	consumer rmq.SimpleConsumer
	mu       sync.Mutex
	held     map[string]*rmq.MessageView
}

// push is a push consumer and the ledger it writes.
type push struct {
	consumer rmq.PushConsumer
	ledger   *content.Ledger
}

// invisible is how long a drain keeps a message from others: longer than any drain.
const invisible = 5 * time.Minute

func filters(args url.Values) map[string]*rmq.FilterExpression {
	kind := rmq.TAG
	if args.Get("sql") == "true" {
		kind = rmq.SQL92
	}
	return map[string]*rmq.FilterExpression{args.Get("topic"): rmq.NewFilterExpressionWithType(args.Get("filter"), kind)}
}

func (c *clients) startPush(args url.Values) (url.Values, error) {
	p := &push{ledger: content.NewLedger(series(args), number(args, "count"))}
	consumer, err := rmq.NewPushConsumer(c.config(args.Get("group")),
		rmq.WithPushSubscriptionExpressions(filters(args)),
		rmq.WithPushConsumptionThreadCount(8),
		rmq.WithPushMessageListener(&rmq.FuncMessageListener{Consume: func(view *rmq.MessageView) rmq.ConsumerResult {
			p.ledger.Enter(message(view))
			return rmq.SUCCESS
		}}))
	if err != nil {
		return nil, err
	}
	p.consumer = consumer
	c.mu.Lock()
	c.push[args.Get("group")] = p
	c.mu.Unlock()
	return nil, consumer.Start()
}

func (c *clients) waitPush(args url.Values) (url.Values, error) {
	c.mu.Lock()
	p := c.push[args.Get("group")]
	c.mu.Unlock()
	if p == nil {
		return nil, errors.New("no such push consumer")
	}
	p.ledger.Wait(millis(args, "idle"))
	return reportValues(p.ledger.Report()), nil
}

func (c *clients) startSimple(args url.Values) (url.Values, error) {
	consumer, err := rmq.NewSimpleConsumer(c.config(args.Get("group")),
		rmq.WithClientFuncForSimpleConsumer(c.connect),
		rmq.WithSimpleAwaitDuration(millis(args, "await")),
		rmq.WithSimpleSubscriptionExpressions(filters(args)))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.simple[args.Get("group")] = &simple{consumer: consumer, held: map[string]*rmq.MessageView{}}
	c.mu.Unlock()
	return nil, consumer.Start()
}

func (c *clients) simpleOf(args url.Values) (*simple, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.simple[args.Get("group")]; s != nil {
		return s, nil
	}
	return nil, errors.New("no such simple consumer")
}

func (c *clients) receive(args url.Values) (url.Values, error) {
	s, err := c.simpleOf(args)
	if err != nil {
		return nil, err
	}
	views, err := s.consumer.Receive(context.Background(), int32(number(args, "max")), millis(args, "invisible"))
	if err != nil {
		return nil, err
	}
	answer := url.Values{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, view := range views {
		s.held[view.GetMessageId()] = view
		answer.Add("message", told(view))
	}
	return answer, nil
}

// told is a message as an answer has it.
func told(view *rmq.MessageView) string {
	m := message(view)
	v := url.Values{
		"id":          {view.GetMessageId()},
		"topic":       {view.GetTopic()},
		"tag":         {m.Tag},
		"index":       {m.Properties["index"]},
		"attempt":     {strconv.Itoa(int(view.GetDeliveryAttempt()))},
		"fingerprint": {m.Fingerprint()},
		"at":          {strconv.FormatInt(time.Now().UnixMilli(), 10)},
	}
	if g := view.GetMessageGroup(); g != nil {
		v.Set("group", *g)
	}
	if lite := view.GetLiteTopic(); lite != "" {
		v.Set("lite", lite)
	}
	if due := view.GetDeliveryTimestamp(); due != nil && due.UnixMilli() > 0 {
		v.Set("due", strconv.FormatInt(due.UnixMilli(), 10))
	}
	return v.Encode()
}

// heldBy is the message that an ack or a change is about.
func (s *simple) heldBy(args url.Values) (*rmq.MessageView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if view := s.held[args.Get("id")]; view != nil {
		return view, nil
	}
	return nil, errors.New("no such message held: " + args.Get("id"))
}

func (c *clients) ack(args url.Values) (url.Values, error) {
	s, err := c.simpleOf(args)
	if err != nil {
		return nil, err
	}
	view, err := s.heldBy(args)
	if err != nil {
		return nil, err
	}
	return nil, s.consumer.Ack(context.Background(), view)
}

func (c *clients) change(args url.Values) (url.Values, error) {
	s, err := c.simpleOf(args)
	if err != nil {
		return nil, err
	}
	view, err := s.heldBy(args)
	if err != nil {
		return nil, err
	}
	return nil, s.consumer.ChangeInvisibleDuration(view, millis(args, "invisible"))
}

// drain receives on several long polls at once, acks, and stops when the
// ledger is full or nothing comes any more.
func (c *clients) drain(args url.Values) (url.Values, error) {
	s, err := c.simpleOf(args)
	if err != nil {
		return nil, err
	}
	ledger := content.NewLedger(series(args), number(args, "count"))
	begin := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		ledger.Wait(millis(args, "idle"))
		cancel() // ends the polls that wait for more
	}()
	var wait sync.WaitGroup
	var acks sync.WaitGroup
	failures := make(chan error, 1)
	for range number(args, "inflight") {
		wait.Go(func() {
			for ctx.Err() == nil {
				views, err := s.consumer.Receive(ctx, 32, invisible)
				if err != nil && ctx.Err() == nil && code(err) != int(v2.Code_MESSAGE_NOT_FOUND) {
					select {
					case failures <- fmt.Errorf("receive: %w", err):
					default:
					}
				}
				for _, view := range views {
					acks.Go(func() {
						if err := s.consumer.Ack(context.Background(), view); err != nil {
							select {
							case failures <- fmt.Errorf("ack: %w", err):
							default:
							}
						}
					})
					ledger.Enter(message(view))
				}
			}
		})
	}
	wait.Wait()
	acks.Wait()
	v := reportValues(ledger.Report())
	v.Set("millis", strconv.FormatInt(time.Since(begin).Milliseconds(), 10))
	select {
	case err := <-failures:
		v.Set("failure", err.Error())
	default:
	}
	return v, nil
}

// drainIDs receives and acks until nothing has come for a while.
func (c *clients) drainIDs(args url.Values) (url.Values, error) {
	s, err := c.simpleOf(args)
	if err != nil {
		return nil, err
	}
	var ids []string
	quiet := time.Now().Add(millis(args, "idle"))
	for time.Now().Before(quiet) {
		views, err := s.consumer.Receive(context.Background(), 32, invisible)
		if err != nil && code(err) != int(v2.Code_MESSAGE_NOT_FOUND) {
			return nil, err
		}
		var acks sync.WaitGroup
		for _, view := range views {
			ids = append(ids, view.GetMessageId())
			acks.Go(func() { _ = s.consumer.Ack(context.Background(), view) }) // unacked comes again, which is allowed
		}
		acks.Wait()
		if len(views) > 0 {
			quiet = time.Now().Add(millis(args, "idle"))
		}
	}
	return url.Values{"ids": {strings.Join(ids, ",")}}, nil
}

// message is what the client's view holds, as content knows it.
func message(view *rmq.MessageView) content.Message {
	m := content.Message{Body: view.GetBody(), Keys: view.GetKeys(), Properties: view.GetProperties()}
	if view.GetTag() != nil {
		m.Tag = *view.GetTag()
	}
	return m
}
