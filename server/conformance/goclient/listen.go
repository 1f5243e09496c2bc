package main

import (
	"errors"
	"net/url"
	"strconv"
	"sync"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"
)

// listener is a push consumer and the journal of what its listener was called with.
type listener struct {
	mu      sync.Mutex
	heard   []string
	changed chan struct{} // closed and made anew at each entry
}

// newListener makes the journal of a group and the listener that writes it, which fails the first
// attempts of each message.
func (c *clients) newListener(args url.Values) *rmq.FuncMessageListener {
	l := &listener{changed: make(chan struct{})}
	c.mu.Lock()
	c.listeners[args.Get("group")] = l
	c.mu.Unlock()
	fails := int32(number(args, "fail"))
	return &rmq.FuncMessageListener{Consume: func(view *rmq.MessageView) rmq.ConsumerResult {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, told(view))
		close(l.changed)
		l.changed = make(chan struct{})
		if view.GetDeliveryAttempt() <= fails {
			return rmq.FAILURE
		}
		return rmq.SUCCESS
	}}
}

func (c *clients) listen(args url.Values) (url.Values, error) {
	consumer, err := rmq.NewPushConsumer(c.config(args.Get("group")),
		rmq.WithPushSubscriptionExpressions(filters(args)),
		rmq.WithPushConsumptionThreadCount(8),
		rmq.WithPushMessageListener(c.newListener(args)))
	if err != nil {
		return nil, err
	}
	return nil, consumer.Start()
}

// liteInvisible is how long a lite message is with a listener at most.
const liteInvisible = 30 * time.Second

func (c *clients) startLite(args url.Values) (url.Values, error) {
	consumer, err := rmq.NewLitePushConsumer(c.config(args.Get("group")),
		rmq.NewLitePushConsumerConfig(args.Get("topic"), liteInvisible),
		rmq.WithPushConsumptionThreadCount(8),
		rmq.WithPushMessageListener(c.newListener(args)))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.lite[args.Get("group")] = consumer
	c.mu.Unlock()
	return nil, consumer.Start()
}

func (c *clients) liteOf(args url.Values) (rmq.LitePushConsumer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if consumer := c.lite[args.Get("group")]; consumer != nil {
		return consumer, nil
	}
	return nil, errors.New("no such lite push consumer")
}

func (c *clients) subscribe(args url.Values) (url.Values, error) {
	consumer, err := c.liteOf(args)
	if err != nil {
		return nil, err
	}
	return nil, consumer.SubscribeLite(args.Get("lite"))
}

func (c *clients) unsubscribe(args url.Values) (url.Values, error) {
	consumer, err := c.liteOf(args)
	if err != nil {
		return nil, err
	}
	return nil, consumer.UnSubscribeLite(args.Get("lite"))
}

// listened tells what a listener was called with, once that is so many or time is up.
func (c *clients) listened(args url.Values) (*listener, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.listeners[args.Get("group")]; l != nil {
		return l, nil
	}
	return nil, errors.New("no such listener")
}

func (c *clients) heard(args url.Values) (url.Values, error) {
	l, err := c.listened(args)
	if err != nil {
		return nil, err
	}
	end := time.After(millis(args, "for"))
	for {
		l.mu.Lock()
		heard, changed := l.heard, l.changed
		l.mu.Unlock()
		if len(heard) >= number(args, "count") {
			return url.Values{"message": heard}, nil
		}
		select {
		case <-changed:
		case <-end:
			return url.Values{"message": heard}, nil
		}
	}
}

// askedFor is how often a topic's producers were asked about half messages, and about which.
func (c *clients) askedFor(args url.Values) (url.Values, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := append([]string(nil), c.asked[args.Get("topic")]...)
	return url.Values{"count": {strconv.Itoa(len(ids))}, "id": ids}, nil
}
