package load

import (
	"time"

	"rocketmq-proxy/codec/command"
)

// Request is one request to be sent.
type Request struct {
	Kind int // index into Scenario.Kinds

	// of gRPC
	Path    string        // ":path", for example "/package.Service/Method"
	Timeout time.Duration // sent as grpc-timeout; 0 sends none
	Body    []byte        // the protobuf message; its memory is reused: implementations append to Body[:0]
	Open    bool          // leave the request side of the stream open

	// of Remoting
	Append func(out []byte, opaque int32) []byte // appends the frame; called before the next request is filled
}

// Message is one message of an answer. It is borrowed.
type Message struct {
	Head *command.Head // of Remoting, whose code is 0
	Body []byte        // the protobuf message, or the body of the frame
}

// Stamped is a Scenario whose latencies count from something else than when a request was due.
type Stamped interface {
	Scenario
	// Began tells when that which worker w's last answer ends began, on hostclock; 0 is no latency.
	Began(w int) int64
}

// SetupWorker is the worker of the stream that Setup opened.
const SetupWorker = -1

// Scenario is the conversation of one connection. Its methods are called one
// at a time. A worker is one unit of concurrency, as an application's thread.
type Scenario interface {
	// Kinds names the kinds of requests; each gets a histogram.
	Kinds() []string
	// Setup fills the request that comes before everything else, and whose
	// first answer is waited for, or reports false. Its stream may stay open.
	Setup(r *Request) bool
	// Begin fills the first request of worker w's next piece of work.
	Begin(w int, r *Request)
	// Message hears one message of an answer. Remoting answers are one message each.
	Message(w, kind int, m Message) error
	// End hears that an answer is complete. It fills the next request of the
	// same piece of work and reports true, or reports false at its end.
	// Messages is how many messages of the benchmark's unit that answer moved.
	End(w, kind int, r *Request) (messages int, more bool, err error)
}
