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

// listen starts a push consumer whose listener fails the first attempts of each message.
func (c *clients) listen(args url.Values) (url.Values, error) {
	l := &listener{changed: make(chan struct{})}
	fails := int32(number(args, "fail"))
	consumer, err := rmq.NewPushConsumer(c.config(args.Get("group")),
		rmq.WithPushSubscriptionExpressions(filters(args)),
		rmq.WithPushConsumptionThreadCount(8),
		rmq.WithPushMessageListener(&rmq.FuncMessageListener{Consume: func(view *rmq.MessageView) rmq.ConsumerResult {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.heard = append(l.heard, told(view))
			close(l.changed)
			l.changed = make(chan struct{})
			if view.GetDeliveryAttempt() <= fails {
				return rmq.FAILURE
			}
			return rmq.SUCCESS
		}}))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.listeners[args.Get("group")] = l
	c.mu.Unlock()
	return nil, consumer.Start()
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
