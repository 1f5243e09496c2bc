// Command goclient is the program around the official Go client. It speaks the
// line protocol of package client on its standard input and output. Whether it
// uses TLS is the client's own environment variable, which holds for a whole
// process; hence a process.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"
	"github.com/apache/rocketmq-clients/golang/v5/credentials"
	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"

	"rocketmq-proxy/server/conformance/content"
)

// clients are the official clients of this process, by what they are for.
type clients struct {
	endpoint       string
	requestTimeout time.Duration

	mu        sync.Mutex
	producers map[string]func() (rmq.Producer, error) // by topic
	simple    map[string]*simple                      // by group
	push      map[string]*push                        // by group
	loads     map[string]*load                        // by topic
	listeners map[string]*listener                    // by group
	lite      map[string]rmq.LitePushConsumer         // by group
	asked     map[string][]string                     // ids that a topic's producers were asked about
}

func main() {
	c := &clients{
		endpoint:  os.Getenv("CLIENT_ENDPOINT"),
		producers: map[string]func() (rmq.Producer, error){},
		simple:    map[string]*simple{},
		push:      map[string]*push{},
		loads:     map[string]*load{},
		listeners: map[string]*listener{},
		lite:      map[string]rmq.LitePushConsumer{},
		asked:     map[string][]string{},
	}
	timeout, err := strconv.Atoi(os.Getenv("CLIENT_REQUEST_TIMEOUT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "goclient: CLIENT_REQUEST_TIMEOUT:", err)
		os.Exit(2)
	}
	c.requestTimeout = time.Duration(timeout) * time.Millisecond
	var output sync.Mutex
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		args, err := url.ParseQuery(lines.Text())
		if err != nil {
			continue
		}
		go func() {
			answer := c.answer(args)
			answer.Set("call", args.Get("call"))
			output.Lock()
			defer output.Unlock()
			fmt.Println(answer.Encode())
		}()
	}
}

// answer carries out one call.
func (c *clients) answer(args url.Values) url.Values {
	operations := map[string]func(url.Values) (url.Values, error){
		"fingerprint": fingerprint,
		"producer":    c.startProducer,
		"send":        c.send,
		"send-series": c.sendSeries,
		"load-start":  c.startLoad,
		"load-stop":   c.stopLoad,
		"push":        c.startPush,
		"push-wait":   c.waitPush,
		"simple":      c.startSimple,
		"receive":     c.receive,
		"ack":         c.ack,
		"change":      c.change,
		"drain":       c.drain,
		"drain-ids":   c.drainIDs,
		"transact":    c.transact,
		"asked":       c.askedFor,
		"recall":      c.recall,
		"listen":      c.listen,
		"lite":        c.startLite,
		"subscribe":   c.subscribe,
		"unsubscribe": c.unsubscribe,
		"heard":       c.heard,
		"stop":        c.stop,
	}
	operation, ok := operations[args.Get("op")]
	if !ok {
		return url.Values{"error": {"no such operation: " + args.Get("op")}}
	}
	answer, err := operation(args)
	if answer == nil {
		answer = url.Values{}
	}
	if err != nil {
		answer.Set("error", err.Error())
		answer.Set("code", strconv.Itoa(code(err)))
	}
	return answer
}

var statusText = regexp.MustCompile(`CODE: ([A-Z_]+), MESSAGE:`)

// code is the proxy's Status code in an error of the client, or 0. Some errors
// of the client keep the status only in their text.
func code(err error) int {
	if status, ok := rmq.AsErrRpcStatus(err); ok {
		return int(status.Code)
	}
	if match := statusText.FindStringSubmatch(err.Error()); match != nil {
		return int(v2.Code_value[match[1]])
	}
	return 0
}

func (c *clients) config(group string) *rmq.Config {
	return &rmq.Config{Endpoint: c.endpoint, ConsumerGroup: group, Credentials: &credentials.SessionCredentials{}}
}

// connect is rmq.NewClient with a request timeout, whose option is named after
// one of its uses.
func (c *clients) connect(config *rmq.Config, options ...rmq.ClientOption) (rmq.Client, error) {
	return rmq.NewClient(config, append(options, rmq.WithQueryRouteTimeout(c.requestTimeout))...)
}

func fingerprint(args url.Values) (url.Values, error) {
	return url.Values{"fingerprint": {series(args).At(number(args, "index")).Fingerprint()}}, nil
}

// stop shuts everything down, side by side. A push consumer's shutdown waits
// for its long polls, so nobody waits for it: the process ends when told.
func (c *clients) stop(url.Values) (url.Values, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []func() error
	for _, started := range c.producers {
		if p, err := started(); err == nil {
			all = append(all, p.GracefulStop)
		}
	}
	for _, s := range c.simple {
		all = append(all, s.consumer.GracefulStop)
	}
	var wait sync.WaitGroup
	errs := make([]error, len(all))
	for i, stop := range all {
		wait.Go(func() { errs[i] = stop() })
	}
	wait.Wait()
	return nil, errors.Join(errs...)
}

func number(args url.Values, name string) int {
	n, _ := strconv.Atoi(args.Get(name))
	return n
}

func millis(args url.Values, name string) time.Duration {
	return time.Duration(number(args, name)) * time.Millisecond
}

func series(args url.Values) content.Series {
	seed, _ := strconv.ParseUint(args.Get("seed"), 10, 64)
	return content.Series{Seed: seed, BytesMost: number(args, "most")}
}

func reportValues(r content.Report) url.Values {
	v := url.Values{
		"received":   {strconv.Itoa(r.Received)},
		"distinct":   {strconv.Itoa(r.Distinct)},
		"duplicates": {strconv.Itoa(r.Duplicates)},
		"bytes":      {strconv.FormatInt(r.Bytes, 10)},
		"faults":     {strconv.Itoa(len(r.Faults))},
	}
	if len(r.Faults) > 0 {
		v.Set("fault", r.Faults[0])
	}
	for _, i := range r.Missing {
		v.Add("missing", strconv.Itoa(i))
	}
	return v
}
