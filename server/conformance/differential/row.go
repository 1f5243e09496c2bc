package differential

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/server/conformance/cluster"
)

// Row is one line of the table.
type Row struct {
	Name  string // "method: what is special"
	Own   string // the message type of the topic {own}, NORMAL where nothing is said
	Group *cluster.Group
	Steps []Step
}

// Step is one thing that a client does. What it hears goes into the transcript.
type Step interface{ take(r *run) error }

// Call is one call to its end, of whatever method: every message that comes, then the gRPC status.
type Call struct {
	Method  string // of MessagingService, or a whole path
	Request proto.Message
	Raw     []byte // instead of Request: bytes that may be no message
	Header  []string
	Within  time.Duration // the deadline that the proxy is told of; 0: callPatience, negative: none
	Gzip    bool          // the request is compressed

	// Until repeats the call, at most this often, until there is a message in the answer; only the
	// last one is written down.
	Until int
}

// Opens opens the client's telemetry stream and says something on it.
type Opens struct {
	Header []string
	First  *Tells
}

// Tells says something on the telemetry stream, and writes down what is answered. With Mute no
// answer is awaited.
type Tells struct {
	Command proto.Message
	Raw     []byte
	Mute    bool
}

// Closes ends the client's half of the telemetry stream, and writes down how it ends.
type Closes struct{}

// Becomes lets another client speak from now on.
type Becomes struct{ Name string }

// Stored writes down how the broker has stored the message of {handle}. Local mode's broker cannot
// be asked; nothing is compared there.
type Stored struct{}

// Rests lets a broker file what it was sent: it files the messages of one request one after the other, and a
// receive that comes in between finds some of them.
type Rests struct{}

// Hears waits for a command that the proxy sends by itself.
type Hears struct{}
