// Package client is the test's end of the line protocol that the programs
// around the official clients speak: one in each language (goclient/, java/,
// node/, python/, rust/). A line is a URL query string, because all of them
// read those.
//
//	> call=7&op=send&topic=orders&seed=1&index=5&most=4096
//	< call=7&id=01AB...
//
// Calls run side by side; each answer names its call. An answer with error= is
// a failure; code= in it is the proxy's Status code, or its name, if the client
// told it. The operations that carry load (load-*, push*, drain*) are in Go and
// in Java only.
//
//	op             parameters                              answer
//	fingerprint    seed most index                         fingerprint
//	producer       topic check                             started once; a topic more each time; check as "unknown,commit": what
//	                                                       the checker says the first time, the second, and ever after
//	send           topic seed most index                   id recall; optional: messagegroup due(ms since 1970) lite priority
//	                                                       p.NAME=VALUE
//	transact       topic seed most index verdict check     id; a half message; verdict commit, rollback or none
//	asked          topic                                   count, and id= of each half message a checker was asked about
//	recall         topic recall                            id; takes a delayed message back
//	send-series    topic seed most count inflight          sent bytes millis slowest, failed and first failure
//	load-start     topic seed most every(ms)               sends until told to stop
//	load-stop      topic                                   ids of what was acknowledged, failed, slowest
//	push           group topic filter seed most count      starts a push consumer and its ledger
//	push-wait      group idle(ms)                          waits until the ledger is full, or nothing comes for that long; its report
//	listen         group topic filter sql fail             starts a push consumer that keeps a journal and fails the first attempts
//	lite           group topic fail                        the same for a lite push consumer, which subscribes to nothing yet
//	subscribe      group lite                              to a lite topic
//	unsubscribe    group lite
//	heard          group count for(ms)                     message= once for each call, when there are so many or time is up
//	simple         group topic filter sql await(ms)        starts a simple consumer; sql=true: the filter is SQL92
//	receive        group max invisible(ms)                 message= once for each; each again a query string
//	ack            group id
//	change         group id invisible(ms)
//	drain          group seed most count inflight idle(ms) receives and acks until the same; the ledger's report
//	drain-ids      group idle(ms)                          receives and acks until nothing comes for that long; ids
//	stop                                                   shuts the clients down
package client

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
)

// Failure is an answer that says no.
type Failure struct {
	Op   string
	Code int // the proxy's Status code; 0 when the client did not tell
	Text string
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: code %d: %s", f.Op, f.Code, f.Text) }

// Code is the Status code in an error, or 0.
func Code(err error) int {
	if f := (*Failure)(nil); errors.As(err, &f) {
		return f.Code
	}
	return 0
}

// status is the Status code of an answer that says no.
func (a Answer) status() int {
	if code, is := v2.Code_value[a.Text("code")]; is {
		return int(code)
	}
	return a.Int("code")
}

// Args builds the parameters of a call out of pairs.
func Args(pairs ...any) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		value := pairs[i+1]
		if d, ok := value.(time.Duration); ok {
			value = d.Milliseconds()
		}
		v.Add(pairs[i].(string), fmt.Sprint(value))
	}
	return v
}

// Answer reads the values of an answer.
type Answer url.Values

// Text is a value, or nothing.
func (a Answer) Text(name string) string { return url.Values(a).Get(name) }

// All are the values of a name.
func (a Answer) All(name string) []string { return a[name] }

// Int is a number, or 0.
func (a Answer) Int(name string) int {
	n, _ := strconv.Atoi(a.Text(name))
	return n
}

// Micros is a duration that was told in microseconds.
func (a Answer) Micros(name string) time.Duration {
	return time.Duration(a.Int(name)) * time.Microsecond
}

// Millis is a duration that was told in milliseconds.
func (a Answer) Millis(name string) time.Duration {
	return time.Duration(a.Int(name)) * time.Millisecond
}
