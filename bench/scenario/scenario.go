// Package scenario holds the named workloads of the bench, one file each.
package scenario

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"rocketmq-proxy/bench/load"
)

const service = "/apache.rocketmq.v2.MessagingService/"

// Params is what a workload may be varied in.
type Params struct {
	Topic      string
	Topics     int // how many are sent to in turn, with 2 and more: Topic with a number behind it
	Group      string
	Broker     string // name of the broker whose queue is received from
	BodyBytes  int    // of a message that is sent
	Batch      int    // messages asked for by one receive
	Host       string // where the client believes it dialled
	Port       int
	Verify     bool // check that answers name the message they are about
	AllowEmpty bool // a receive may find nothing: real brokers run dry
	Remoting   bool // speak to a broker as a proxy does, instead of gRPC
}

// Default is the workload of the issue: 256-byte bodies, batches of 32.
func Default() Params {
	return Params{Topic: "BenchTopic", Group: "BenchGroup", Broker: "stub-broker",
		BodyBytes: 256, Batch: 32, Host: "127.0.0.1", Port: 8081, Verify: true}
}

// Named makes the scenario of that name for one connection with that many
// workers, or nil. Over Remoting there are send and [LongPoll] only.
func Named(name string, p Params, conn, workers int) load.Scenario {
	if p.Remoting {
		switch name {
		case "send":
			return newRemotingSend(p, conn, workers)
		case LongPoll:
			return newRemotingPoll(p, workers)
		}
		return nil
	}
	switch name {
	case "send":
		return newSend(p, conn, workers)
	case "receive_ack":
		return newReceiveAck(p, workers)
	case "route":
		return newRoute(p)
	case LongPoll:
		return newLongPoll(p, workers)
	case "mixed":
		return newMixed(p, conn, workers)
	}
	return nil
}

// Names lists the scenarios that need nobody but a server: all but [LongPoll].
func Names() []string { return []string{"send", "receive_ack", "route", "mixed"} }

const (
	requestTimeout = 3 * time.Second
	pollTimeout    = 20 * time.Second
	invisible      = 60 * time.Second

	codeOK              = 20000
	codeMessageNotFound = 40401
)

var errShape = errors.New("scenario: malformed answer")

// fields calls f for each top-level field of a message; v is the raw varint or
// the bytes.
func fields(m []byte, f func(num protowire.Number, v []byte, n uint64) error) error {
	for len(m) > 0 {
		num, typ, n := protowire.ConsumeTag(m)
		if n < 0 {
			return errShape
		}
		m = m[n:]
		var v []byte
		var x uint64
		switch typ {
		case protowire.VarintType:
			x, n = protowire.ConsumeVarint(m)
		case protowire.BytesType:
			v, n = protowire.ConsumeBytes(m)
		default:
			n = protowire.ConsumeFieldValue(num, typ, m)
		}
		if n < 0 {
			return errShape
		}
		if err := f(num, v, x); err != nil {
			return err
		}
		m = m[n:]
	}
	return nil
}

// bytesField returns the last occurrence of a length-delimited field.
func bytesField(m []byte, want protowire.Number) (found []byte) {
	for len(m) > 0 {
		num, typ, n := protowire.ConsumeTag(m)
		if n < 0 {
			return nil
		}
		m = m[n:]
		if num == want && typ == protowire.BytesType {
			v, n := protowire.ConsumeBytes(m)
			if n < 0 {
				return nil
			}
			found, m = v, m[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, typ, m); n < 0 {
			return nil
		}
		m = m[n:]
	}
	return found
}

// statusCode reads a Status.
func statusCode(status []byte) (code uint64) {
	for len(status) > 0 {
		num, typ, n := protowire.ConsumeTag(status)
		if n < 0 {
			return 0
		}
		status = status[n:]
		if num == 1 && typ == protowire.VarintType {
			code, _ = protowire.ConsumeVarint(status)
		}
		if n = protowire.ConsumeFieldValue(num, typ, status); n < 0 {
			return 0
		}
		status = status[n:]
	}
	return code
}

// checkStatus is OK only for an answer whose Status (field 1) says OK.
func checkStatus(what string, m []byte) error {
	status := bytesField(m, 1)
	if code := statusCode(status); code != codeOK {
		return fmt.Errorf("%s: status %d %s", what, code, bytesField(status, 2))
	}
	return nil
}
