package differential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const service = "apache.rocketmq.v2.MessagingService"

// bytesCodec carries messages as they are, so that a row may send what is none.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}

// header is what clients send with each call. Pairs replace or add; an empty value leaves one out,
// and "EMPTY" sends an empty one.
func (r *run) header(pairs []string) (metadata.MD, error) {
	id, err := r.variable(r.client)
	if err != nil {
		return nil, err
	}
	md := metadata.Pairs("x-mq-client-id", id, "x-mq-language", "GO", "x-mq-client-version", "5.1.4", "x-mq-protocol", "v2")
	for i := 0; i+1 < len(pairs); i += 2 {
		md.Delete(pairs[i])
		value, err := r.fillText(pairs[i+1])
		switch {
		case err != nil:
			return nil, err
		case value == "EMPTY":
			md.Set(pairs[i], "")
		case value != "":
			md.Set(pairs[i], value)
		}
	}
	return md, nil
}

// encode is the bytes of a request with everything put in.
func (r *run) encode(request proto.Message, raw []byte) ([]byte, error) {
	if request == nil {
		return append([]byte{}, raw...), nil
	}
	filled, err := r.fill(request)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(filled)
}

// take makes the call.
func (c Call) take(r *run) error {
	for tries := max(1, c.Until); ; tries-- {
		before := len(r.transcript)
		messages, err := c.once(r)
		if err != nil || c.Until == 0 || messages > 0 {
			return err
		}
		if tries == 1 {
			return fmt.Errorf("no message came in %d polls, the last: %q", c.Until, r.transcript[before:])
		}
		r.transcript = r.transcript[:before]
	}
}

// once makes the call once; it returns how many messages were delivered.
func (c Call) once(r *run) (messages int, err error) {
	request, err := r.encode(c.Request, c.Raw)
	if err != nil {
		return 0, err
	}
	ctx, cancel := c.deadline(r.ctx)
	defer cancel()
	md, err := r.header(c.Header)
	if err != nil {
		return 0, err
	}
	options := []grpc.CallOption{grpc.ForceCodec(bytesCodec{})}
	if c.Gzip {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	stream, err := r.conn.NewStream(metadata.NewOutgoingContext(ctx, md), &grpc.StreamDesc{ServerStreams: true}, c.path(), options...)
	if err != nil {
		return 0, err
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) { // the reason is in RecvMsg
		return 0, err
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	for {
		var answer []byte
		if err := stream.RecvMsg(&answer); err != nil {
			r.ended(c.Method, err)
			return messages, nil
		}
		m, err := c.decode(answer)
		if err != nil {
			return messages, err
		}
		r.heard(c.Method, m)
		r.remember(m)
		if element, is := m.(*v2.ReceiveMessageResponse); is && element.GetMessage() != nil {
			messages++
		}
	}
}

func (c Call) path() string {
	if strings.HasPrefix(c.Method, "/") {
		return c.Method
	}
	return "/" + service + "/" + c.Method
}

// harnessPatience is when a call ends that the proxy was told no deadline of.
const harnessPatience = 40 * time.Second

func (c Call) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	switch {
	case c.Within == 0:
		return context.WithTimeout(ctx, callPatience)
	case c.Within > 0:
		return context.WithTimeout(ctx, c.Within)
	}
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(harnessPatience, cancel)
	return ctx, func() { timer.Stop(); cancel() }
}

func (c Call) decode(answer []byte) (proto.Message, error) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, err
	}
	method := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(c.Method))
	if method == nil {
		return nil, fmt.Errorf("%s answers %x", c.Method, answer)
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
	if err != nil {
		return nil, err
	}
	m := kind.New().Interface()
	return m, proto.Unmarshal(answer, m)
}

// ended notes the gRPC status.
func (r *run) ended(path string, err error) {
	s := status.Convert(err)
	if errors.Is(err, io.EOF) {
		s = status.New(codes.OK, "")
	}
	r.note(path, "gRPC "+s.Code().String()+" "+r.plain(path, s.Message()))
}

// remember keeps what later steps may want of an answer.
func (r *run) remember(answer proto.Message) {
	keep := func(name, value string) {
		if value != "" {
			r.vars[name] = value
		}
	}
	switch m := answer.(type) {
	case *v2.SendMessageResponse:
		for _, e := range m.GetEntries() {
			keep("recall", e.GetRecallHandle())
			r.vars["transactionid"] = e.GetTransactionId()
		}
	case *v2.ReceiveMessageResponse:
		keep("handle", m.GetMessage().GetSystemProperties().GetReceiptHandle())
		keep("id", m.GetMessage().GetSystemProperties().GetMessageId())
	case *v2.ChangeInvisibleDurationResponse:
		keep("changed", m.GetReceiptHandle())
	case *v2.TelemetryCommand:
		keep("transactionid", m.GetRecoverOrphanedTransactionCommand().GetTransactionId())
	}
}
