package interop

import (
	"strings"
	"time"

	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

const servicePrefix = "/grpc.testing.TestService/"

// echoed are the request headers that go back to the client: the first with the headers, the
// second with the trailers.
var echoed = []string{"x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"}

// service is grpc.testing.TestService.
type service struct{ turn *turn.Turn }

// Offload implements h2.Service.
func (v service) Offload(w h2.Work) {
	go func() {
		w.Run()
		v.turn.Post(w)
	}()
}

// Open implements h2.Service.
func (service) Open(s *h2.Stream) (h2.Handler, grpc.Status) {
	if value := s.Value(0); value != nil {
		s.SetHeader(echoed[0], string(value))
	}
	if value := s.Value(1); value != nil {
		s.SetTrailer(echoed[1], string(value))
	}
	switch method, ours := strings.CutPrefix(string(s.Path()), servicePrefix); {
	case ours && method == "EmptyCall":
		return &call{message: func(s *h2.Stream, _ []byte) { s.Reply(nil) }}, grpc.Status{}
	case ours && method == "UnaryCall":
		return &call{message: unaryCall}, grpc.Status{}
	case ours && method == "StreamingOutputCall":
		return &call{message: func(s *h2.Stream, b []byte) { output(s, b); s.Finish(grpc.Status{}) }}, grpc.Status{}
	case ours && method == "StreamingInputCall":
		return streamingInputCall(), grpc.Status{}
	case ours && method == "FullDuplexCall":
		return &call{streams: true, message: output, halfClosed: func(s *h2.Stream) { s.Finish(grpc.Status{}) }}, grpc.Status{}
	}
	return nil, grpc.Status{Code: grpc.Unimplemented, Message: "Method not found: " + string(s.Path())}
}

// call is a call of any method.
type call struct {
	streams    bool
	message    func(s *h2.Stream, b []byte)
	halfClosed func(s *h2.Stream) // nil: the message was the end
}

func (c *call) ClientStreams() bool                   { return c.streams }
func (c *call) Message(s *h2.Stream, msg *pool.Chain) { c.message(s, msg.AppendTo(nil)) }
func (c *call) Canceled(*h2.Stream, error)            {}
func (c *call) HalfClosed(s *h2.Stream) {
	if c.halfClosed != nil {
		c.halfClosed(s)
	}
}

func unaryCall(s *h2.Stream, b []byte) {
	var request testpb.SimpleRequest
	if !parse(s, b, &request) || refuse(s, request.GetResponseStatus()) {
		return
	}
	s.Reply(encode(&testpb.SimpleResponse{Payload: payload(request.GetResponseSize())}))
}

func streamingInputCall() *call {
	size := 0
	return &call{
		streams: true,
		message: func(s *h2.Stream, b []byte) {
			var request testpb.StreamingInputCallRequest
			if parse(s, b, &request) {
				size += len(request.GetPayload().GetBody())
			}
		},
		halfClosed: func(s *h2.Stream) {
			s.Reply(encode(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: int32(size)}))
		},
	}
}

// output answers with as many messages as are asked for.
func output(s *h2.Stream, b []byte) {
	var request testpb.StreamingOutputCallRequest
	if !parse(s, b, &request) || refuse(s, request.GetResponseStatus()) {
		return
	}
	for _, p := range request.GetResponseParameters() {
		if pause := time.Duration(p.GetIntervalUs()) * time.Microsecond; pause > 0 {
			s.Finish(grpc.Status{Code: grpc.Unimplemented, Message: "no test asks for pauses, as for one of " + pause.String()})
			return
		}
		s.Write(encode(&testpb.StreamingOutputCallResponse{Payload: payload(p.GetSize())}))
	}
}

func payload(size int32) *testpb.Payload {
	return &testpb.Payload{Type: testpb.PayloadType_COMPRESSABLE, Body: make([]byte, size)}
}

// refuse ends the call with the status that the client wants, if it wants one.
func refuse(s *h2.Stream, wanted *testpb.EchoStatus) bool {
	if wanted.GetCode() == 0 {
		return false
	}
	s.Finish(grpc.Status{Code: grpc.Code(wanted.GetCode()), Message: wanted.GetMessage()})
	return true
}

func parse(s *h2.Stream, b []byte, into proto.Message) bool {
	err := proto.Unmarshal(b, into)
	if err != nil {
		s.Finish(grpc.Status{Code: grpc.Internal, Message: err.Error()})
	}
	return err == nil
}

func encode(m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}
