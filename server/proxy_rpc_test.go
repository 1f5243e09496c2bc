package server_test

import (
	"encoding/binary"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
)

const servicePath = "/apache.rocketmq.v2.MessagingService/"

// open begins a call that has time until the deadline; 0 is for ever.
func (c *client) open(method string, timeout time.Duration) *rpc {
	c.Helper()
	return c.openPath(servicePath+method, timeout)
}

// openPath is open for any service.
func (c *client) openPath(path string, timeout time.Duration) *rpc {
	c.Helper()
	fields := [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "proxy"},
		{"content-type", "application/grpc"}, {"te", "trailers"}, {"user-agent", "test"},
		{"x-mq-client-id", c.id}, {"x-mq-language", "GO"}, {"x-mq-client-version", "5.1.3"},
	}
	if timeout > 0 {
		fields = append(fields, [2]string{"grpc-timeout", strconv.FormatInt(timeout.Milliseconds(), 10) + "m"})
	}
	if c.zips {
		fields = append(fields, [2]string{"grpc-encoding", "gzip"})
	}
	return c.openWith(path, fields)
}

func (c *client) openWith(method string, fields [][2]string) *rpc {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.block.Reset()
	for _, f := range fields {
		_ = c.encoder.WriteField(hpackField(f))
	}
	r := &rpc{client: c, stream: c.next, method: method}
	c.next += 2
	c.mu.Lock()
	r.window = c.initial
	c.calls[r.stream] = r
	c.mu.Unlock()
	c.write(frame(frameHeaders, flagEndHeaders, r.stream, c.block.Bytes()))
	return r
}

// send sends one message, as fast as the windows allow.
func (r *rpc) send(m proto.Message, last bool) {
	r.Helper()
	encoded, err := proto.Marshal(m)
	if err != nil {
		r.Fatal(err)
	}
	flag := byte(0)
	if r.zips {
		flag, encoded = 1, zip(encoded)
	}
	r.sendRaw(append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(encoded))), encoded...), last)
}

func (r *rpc) sendRaw(rest []byte, last bool) {
	r.Helper()
	for {
		n := 0
		r.await("a window", func() bool {
			n = min(len(rest), framePayloadBytes, r.window, r.client.window)
			return n > 0 || len(rest) == 0 || r.ended
		})
		r.mu.Lock()
		r.window -= n
		r.client.window -= n
		ended := r.ended
		r.mu.Unlock()
		flags := byte(0)
		if n == len(rest) && last {
			flags = flagEndStream
		}
		r.write(frame(frameData, flags, r.stream, rest[:n]))
		if rest = rest[n:]; len(rest) == 0 || ended {
			return
		}
	}
}

// begin makes a whole request and does not wait for the answer.
func (c *client) begin(method string, request proto.Message, timeout time.Duration) *rpc {
	c.Helper()
	r := c.open(method, timeout)
	r.send(request, true)
	return r
}

// cancel resets the call.
func (r *rpc) cancel() { r.write(frame(frameReset, 0, r.stream, number(errorCancel))) }

// widen lets the proxy send n more bytes on the stream and the connection.
func (r *rpc) widen(n uint32) {
	r.write(append(frame(frameWindowUpdate, 0, 0, number(n)), frame(frameWindowUpdate, 0, r.stream, number(n))...))
}

// wait waits for the end of the call.
func (r *rpc) wait() *rpc {
	r.Helper()
	r.await("the end of "+r.method, func() bool { return r.ended })
	return r
}

// status is the gRPC status of a call that has ended.
func (r *rpc) status() string {
	r.Helper()
	r.wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.resetBy != "" {
		return "reset by " + r.resetBy
	}
	return r.trailer["grpc-status"]
}

// answer reads the only message of a call that ended well.
func (r *rpc) answer(m proto.Message) {
	r.Helper()
	if s := r.status(); s != "0" || len(r.messages) != 1 {
		r.Fatalf("%s: status %q %q, %d messages", r.method, s, r.trailer["grpc-message"], len(r.messages))
	}
	if err := proto.Unmarshal(r.messages[0], m); err != nil {
		r.Fatalf("%s: %v", r.method, err)
	}
}

// message waits for the message with an index.
func (r *rpc) message(i int, m proto.Message) {
	r.Helper()
	r.await("a message of "+r.method, func() bool { return len(r.messages) > i || r.ended })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.messages) <= i {
		r.Fatalf("%s ended with %d messages: %v", r.method, len(r.messages), r.trailer)
	}
	if err := proto.Unmarshal(r.messages[i], m); err != nil {
		r.Fatalf("%s: %v", r.method, err)
	}
}

// statused is an answer that says how it went.
type statused interface {
	proto.Message
	GetStatus() *apiv2.Status
}

// ask makes a unary call and wants a code.
func ask[T statused](c *client, method string, request proto.Message, into T, want apiv2.Code) T {
	c.Helper()
	c.begin(method, request, patience).answers(into, want)
	return into
}

func (r *rpc) answers(into statused, want apiv2.Code) {
	r.Helper()
	r.answer(into)
	if got := into.GetStatus(); got.GetCode() != want {
		r.Fatalf("%s: %d %q, want %d", r.method, got.GetCode(), got.GetMessage(), want)
	}
}
