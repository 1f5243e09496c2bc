package messaging

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
)

// call is what every call in flight has.
type call struct {
	client *Client
	key    h2.Key
	ended  bool // answered or canceled: there is nobody to answer
}

func (c *call) begin(client *Client, s *h2.Stream) { *c = call{client: client, key: s.Key()} }

// stream is the call's stream, nil when it is gone.
func (c *call) stream() *h2.Stream {
	if c.ended {
		return nil
	}
	return c.client.conn.Stream(c.key)
}

// clientID borrows the id that the client gave itself.
func (c *call) clientID(s *h2.Stream) []byte { return s.Value(headerClientID) }

// identified answers for a call without a client id, and tells whether there is one.
func (c *call) identified(s *h2.Stream) (apiv2.Outcome, bool) {
	for _, b := range c.clientID(s) {
		if b > ' ' {
			return apiv2.Outcome{}, true
		}
	}
	return failure(apiv2.Code_CLIENT_ID_REQUIRED, "client id cannot be empty"), false
}

// malformed ends a call whose request is no message of its type.
func (c *call) malformed(s *h2.Stream, err error) {
	c.ended = true
	s.Finish(grpc.Status{Code: grpc.Internal, Message: "Invalid protobuf byte sequence: " + err.Error()})
}

// reply answers a unary call. It is false when h2 still holds some of the answer, so that
// Canceled may yet come and the call must not be used again.
func (c *call) reply(s *h2.Stream, encoded []byte) bool {
	c.client.keep(encoded)
	c.ended = true
	s.Reply(encoded)
	return c.client.conn.Stream(c.key) == nil
}

// writeStatus writes the first element of a stream of messages.
func (c *call) writeStatus(s *h2.Stream, o apiv2.Outcome) {
	encoded := apiv2.AppendElementStatus(c.client.scratch[:0], o)
	s.Write(encoded)
	c.client.keep(encoded)
}

// replyMessage is reply for the cold methods.
func (c *call) replyMessage(s *h2.Stream, m proto.Message) {
	encoded, err := proto.MarshalOptions{}.MarshalAppend(c.client.scratch[:0], m)
	if err != nil {
		c.ended = true
		s.Finish(grpc.Status{Code: grpc.Internal, Message: err.Error()})
		return
	}
	c.reply(s, encoded)
}

// What the requests of cold methods may have, in bytes, and what clients may say on a telemetry
// stream, where stack traces of a whole process are. Ordinary ones are a thousand times smaller;
// whoever sends more wants it to be parsed.
const (
	coldBytesMax      = 1 << 20
	telemetryBytesMax = 4 << 20
)

// parse reads a cold message, which it borrows, or ends the call.
func (c *call) parse(s *h2.Stream, msg *pool.Chain, most int, into proto.Message) bool {
	if n := msg.Len(); n > most {
		c.ended = true
		s.Finish(grpc.Status{Code: grpc.ResourceExhausted, Message: fmt.Sprintf("the request has %d bytes, more than %d", n, most)})
		return false
	}
	if err := unmarshal(msg, into); err != nil {
		c.malformed(s, err)
		return false
	}
	return true
}

func unmarshal(msg *pool.Chain, into proto.Message) error {
	block := pool.Get(msg.Len())
	defer block.Release()
	return proto.Unmarshal(msg.Front(msg.Len(), block.Bytes()), into) // copies what it keeps
}

// unary is what the cold methods share: one request, parsed by the generated types.
type unary struct {
	call
	request proto.Message
	handle  func(s *h2.Stream, now time.Time)
	refuse  func(o apiv2.Outcome) proto.Message // the answer that holds nothing but a status
}

// ClientStreams implements h2.Handler.
func (u *unary) ClientStreams() bool { return false }

// Message implements h2.Handler.
func (u *unary) Message(s *h2.Stream, msg *pool.Chain) {
	if !u.parse(s, msg, coldBytesMax, u.request) {
		return
	}
	if o, ok := u.identified(s); !ok {
		u.fail(s, o)
		return
	}
	u.handle(s, u.client.now)
}

func (u *unary) fail(s *h2.Stream, o apiv2.Outcome) { u.replyMessage(s, u.refuse(o)) }

// HalfClosed implements h2.Handler.
func (u *unary) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler.
func (u *unary) Canceled(*h2.Stream, error) { u.ended = true }
