package main

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"

	"rocketmq-proxy/server/conformance/content"
)

func (c *clients) startProducer(args url.Values) (url.Values, error) {
	_, err := c.producer(args.Get("topic"))
	return nil, err
}

// producer is the producer of a topic, started at the first use.
func (c *clients) producer(topic string) (rmq.Producer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.producers[topic]; p != nil {
		return p, nil
	}
	p, err := rmq.NewProducer(c.config(""), rmq.WithTopics(topic), rmq.WithClientFunc(c.connect))
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	c.producers[topic] = p
	return p, nil
}

// sendOne sends one message and tells its id and how long the call took. The
// request timeout bounds it with all its attempts.
func (c *clients) sendOne(p rmq.Producer, topic string, m content.Message) (id string, took time.Duration, err error) {
	message := &rmq.Message{Topic: topic, Body: m.Body}
	message.SetTag(m.Tag)
	message.SetKeys(m.Keys...)
	for key, value := range m.Properties {
		message.AddProperty(key, value)
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.requestTimeout)
	defer cancel()
	begin := time.Now()
	receipts, err := p.Send(ctx, message)
	took = time.Since(begin)
	if err == nil && len(receipts) != 1 {
		err = errors.New("no receipt")
	}
	if err != nil {
		return "", took, err
	}
	return receipts[0].MessageID, took, nil
}

func (c *clients) send(args url.Values) (url.Values, error) {
	p, err := c.producer(args.Get("topic"))
	if err != nil {
		return nil, err
	}
	id, took, err := c.sendOne(p, args.Get("topic"), series(args).At(number(args, "index")))
	return url.Values{"id": {id}, "micros": {micros(took)}}, err
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

func (c *clients) sendSeries(args url.Values) (url.Values, error) {
	topic, s, count := args.Get("topic"), series(args), number(args, "count")
	p, err := c.producer(topic)
	if err != nil {
		return nil, err
	}
	var t tally
	var next atomic.Int64
	var wait sync.WaitGroup
	begin := time.Now()
	for range number(args, "inflight") {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				id, took, err := c.sendOne(p, topic, s.At(i))
				t.enter(id, s.Size(i), took, err)
			}
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
