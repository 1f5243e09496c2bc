package main_test

import (
	"bytes"
	"encoding/binary"
	"io"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
)

// The HTTP/2 of a flood is spelled out here once more (RFC 9113 section 6): a misreading of the
// codecs shall not confirm itself.

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const (
	frameData     = 0x0
	frameHeaders  = 0x1
	frameSettings = 0x4
	framePing     = 0x6

	frameWindowUpdate = 0x8

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4

	settingInitialWindowSize = 0x4

	frameHeadBytes = 9
	streamAt       = 5 // in a frame head
)

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}

// heard is a frame that was read.
type heard struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func readFrame(r io.Reader) (*heard, error) {
	var head [frameHeadBytes]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	f := &heard{
		kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[streamAt:]),
		payload: make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2])),
	}
	_, err := io.ReadFull(r, f.payload)
	return f, err
}

func setting(id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, id), value)
}

func hello(settings []byte) []byte {
	return append(append([]byte(preface), frame(frameSettings, 0, 0, settings)...), frame(frameSettings, flagAck, 0, nil)...)
}

// floodKind is a way to keep a server busy.
type floodKind struct {
	name string
	// begin returns what makes the pieces of one flood, the preface first. A piece is valid
	// until the next.
	begin func() (next func() []byte)
}

const pieceBytes = 64 << 10

var neverRead = []floodKind{
	{"PING", func() func() []byte {
		return after(hello(nil), repeated(frame(framePing, 0, 0, []byte("anybody?"))))
	}},
	{"SETTINGS", func() func() []byte {
		return after(hello(nil), repeated(frame(frameSettings, 0, 0, setting(settingInitialWindowSize, 65535))))
	}},
	{"QueryRoute", func() func() []byte {
		return after(hello(nil), calls("QueryRoute", &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "flood"}}))
	}},
	{"SendMessage with window 0", func() func() []byte {
		return after(hello(setting(settingInitialWindowSize, 0)), calls("SendMessage", floodMessage()))
	}},
}

func floodMessage() *apiv2.SendMessageRequest {
	return &apiv2.SendMessageRequest{Messages: []*apiv2.Message{{
		Topic: &apiv2.Resource{Name: "flood"},
		SystemProperties: &apiv2.SystemProperties{
			MessageId: "01AABBCCDDEEFF00010000000100000001", MessageType: apiv2.MessageType_NORMAL,
		},
		Body: bytes.Repeat([]byte("m"), 256),
	}}}
}

func after(first []byte, rest func() []byte) func() []byte {
	return func() []byte {
		if first != nil {
			b := first
			first = nil
			return b
		}
		return rest()
	}
}

func repeated(frame []byte) func() []byte {
	piece := bytes.Repeat(frame, pieceBytes/len(frame))
	return func() []byte { return piece }
}

// unary is a whole call.
func unary(method string, stream uint32, request proto.Message) []byte {
	head := frame(frameHeaders, flagEndHeaders, stream, headerBlock(method))
	return append(head, frame(frameData, flagEndStream, stream, grpcMessage(request))...)
}

// calls makes unary calls without end, each on the next stream.
func calls(method string, request proto.Message) func() []byte {
	head := frame(frameHeaders, flagEndHeaders, 1, headerBlock(method))
	one := unary(method, 1, request)
	piece := bytes.Repeat(one, pieceBytes/len(one))
	stream := uint32(1)
	return func() []byte {
		for at := 0; at < len(piece); at += len(one) {
			binary.BigEndian.PutUint32(piece[at+streamAt:], stream)
			binary.BigEndian.PutUint32(piece[at+len(head)+streamAt:], stream)
			stream += 2
		}
		return piece
	}
}

func grpcMessage(m proto.Message) []byte {
	encoded, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(encoded))), encoded...)
}

// headerBlock is the same for every call: its fields are never indexed.
func headerBlock(method string) []byte { return headerBlockFor(method, "3S") }

func headerBlockFor(method, timeout string) []byte { return headerBlockOf("flood", method, timeout) }

func headerBlockOf(client, method, timeout string) []byte {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	for _, field := range append(headerFields(client, method), [2]string{"grpc-timeout", timeout}) {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1], Sensitive: true})
	}
	return b.Bytes()
}

// headerFields are those of a call without a deadline.
func headerFields(client, method string) [][2]string {
	return [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", servicePath + method}, {":authority", "proxy"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
		{"x-mq-client-id", client}, {"x-mq-language", "GO"}, {"x-mq-client-version", "5.0.5"},
	}
}
