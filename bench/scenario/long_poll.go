package scenario

import (
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/stub"
	"rocketmq-proxy/codec/command"
)

// LongPoll is the name of the workload of receives that wait. It needs the stub, whose messages say when they
// arrived, and somebody who sends.
const LongPoll = "long_poll"

var errNoArrival = errors.New("long poll: a message that does not say when it arrived")

// longPoll is a simple consumer whose every worker waits for one message, and then for the next. Nothing is
// acknowledged. A latency is from the message's arrival at the broker until its receive is answered.
type longPoll struct {
	setup, receive []byte
	workers        []waiter
}

// waiter is one worker.
type waiter struct {
	found   uint64 // status code
	arrived int64  // of the message that came, on hostclock; 0 when none did
}

func newLongPoll(p Params, workers int) *longPoll {
	p.Batch = 1
	s := &longPoll{workers: make([]waiter, workers)}
	s.setup, s.receive = p.simpleConsumer()
	return s
}

func (s *longPoll) Kinds() []string { return []string{"wake"} }

func (s *longPoll) Setup(r *load.Request) bool { return telemetry(r, s.setup) }

func (s *longPoll) Begin(w int, r *load.Request) {
	s.workers[w] = waiter{}
	r.Kind, r.Path, r.Timeout, r.Open = 0, service+"ReceiveMessage", requestTimeout+pollTimeout, false
	r.Body = append(r.Body, s.receive...)
}

func (s *longPoll) Message(w, _ int, message load.Message) error {
	if w == load.SetupWorker {
		return checkStatus("telemetry", message.Body)
	}
	u := &s.workers[w]
	return fields(message.Body, func(num protowire.Number, content []byte, _ uint64) (err error) {
		switch num {
		case 1:
			u.found = statusCode(content)
			return checkReceived(content, true)
		case 2:
			if u.arrived != 0 {
				return errTooMany
			}
			u.arrived, err = arrival(bytesField(content, 4))
		}
		return err
	})
}

// arrival is when a message arrived at the stub.
func arrival(body []byte) (int64, error) {
	if len(body) < stub.ArrivedBytes {
		return 0, errNoArrival
	}
	at := int64(binary.BigEndian.Uint64(body))
	if at <= 0 {
		return 0, errNoArrival
	}
	return at, nil
}

func (s *longPoll) End(w, _ int, _ *load.Request) (int, bool, error) {
	u := &s.workers[w]
	switch {
	case u.arrived != 0:
		return 1, false, nil
	case u.found == codeMessageNotFound: // it has waited in vain
		return 0, false, nil
	}
	return 0, false, errNoMessages
}

// Began implements load.Stamped.
func (s *longPoll) Began(w int) int64 { return s.workers[w].arrived }

// remotingPoll is longPoll as a proxy says it to a broker: pops that wait. That one waits in vain, for twenty seconds,
// is an error.
type remotingPoll struct {
	request command.PopMessage
	append  func(out []byte, opaque int32) []byte
	arrived []int64 // of each worker's last message
}

func newRemotingPoll(p Params, workers int) *remotingPoll {
	s := &remotingPoll{arrived: make([]int64, workers), request: command.PopMessage{
		ConsumerGroup: []byte(p.Group), Topic: []byte(p.Topic), QueueID: -1, MaxMsgNums: 1,
		InvisibleTime: invisible.Milliseconds(), PollTime: pollTimeout.Milliseconds(), InitMode: command.PopInitMax,
		ExpressionType: []byte("TAG"), Expression: []byte("*"),
	}}
	s.append = func(out []byte, opaque int32) []byte { return command.AppendPop(out, opaque, &s.request, 0) }
	return s
}

func (s *remotingPoll) Kinds() []string { return []string{"wake"} }

func (s *remotingPoll) Setup(*load.Request) bool { return false }

func (s *remotingPoll) Begin(w int, r *load.Request) { r.Kind, r.Append = 0, s.append }

// recordBody is where a stored message from an IPv4 host has the length of its body.
const recordBody = 84

func (s *remotingPoll) Message(w, _ int, m load.Message) error {
	if _, err := command.ParsePopResponse(m.Head); err != nil {
		return err
	}
	record := m.Body
	if len(record) < recordBody+4 || int(binary.BigEndian.Uint32(record)) != len(record) {
		return fmt.Errorf("pop: %d bytes are not one message", len(record))
	}
	body := record[recordBody+4:]
	var err error
	s.arrived[w], err = arrival(body[:min(len(body), int(binary.BigEndian.Uint32(record[recordBody:])))])
	return err
}

func (s *remotingPoll) End(int, int, *load.Request) (int, bool, error) { return 1, false, nil }

// Began implements load.Stamped.
func (s *remotingPoll) Began(w int) int64 { return s.arrived[w] }
