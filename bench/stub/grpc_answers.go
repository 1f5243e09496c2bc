package stub

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"
)

// The gRPC stub tells the RPCs apart by the shape of their request, so that it
// need not decode a single header. Shapes of the top-level protobuf fields:
//
//	SendMessage     {1 1 1 ...}
//	AckMessage      {1, 2, 3}
//	ReceiveMessage  {1, 2, 3, 4 varint, ...}
//	QueryRoute      {1, 2 message}
//	Telemetry       {2}
type shape int

const (
	shapeSend shape = iota
	shapeAck
	shapeReceive
	shapeRoute
	shapeTelemetry
	shapes
)

// shapeOf looks at the fields of a request; batch is ReceiveMessage's batch_size.
func shapeOf(m []byte) (s shape, batch int, err error) {
	var seen [8]bool
	for len(m) > 0 {
		num, typ, n := protowire.ConsumeTag(m)
		if n < 0 {
			return 0, 0, protowire.ParseError(n)
		}
		m = m[n:]
		if num == 4 && typ == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(m)
			batch = int(v)
		}
		if n = protowire.ConsumeFieldValue(num, typ, m); n < 0 {
			return 0, 0, protowire.ParseError(n)
		}
		m = m[n:]
		if int(num) < len(seen) {
			seen[num] = true
		}
	}
	switch {
	case batch > 0:
		return shapeReceive, min(batch, popMessagesMax), nil
	case seen[3]:
		return shapeAck, 0, nil
	case seen[1] && seen[2]:
		return shapeRoute, 0, nil
	case seen[1]:
		return shapeSend, 0, nil
	case seen[2]:
		return shapeTelemetry, 0, nil
	}
	return 0, 0, fmt.Errorf("stub: a request of unknown shape")
}

// template is a whole answer: frames whose stream identifiers are filled in.
type template struct {
	bytes  []byte
	frames []int // where each frame begins
}

func (t *template) frame(kind, flags byte, payload []byte) {
	t.frames = append(t.frames, len(t.bytes))
	t.bytes = append(t.bytes, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags, 0, 0, 0, 0)
	t.bytes = append(t.bytes, payload...)
}

// message adds one gRPC message in DATA frames of its own.
func (t *template) message(m []byte) {
	data := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
	for part := range slices.Chunk(data, frameBytesDefault) {
		t.frame(frameData, 0, part)
	}
}

func (t *template) append(out []byte, stream uint32) []byte {
	at := len(out)
	out = append(out, t.bytes...)
	for _, f := range t.frames {
		binary.BigEndian.PutUint32(out[at+f+5:], stream)
	}
	return out
}

type grpcAnswers struct {
	unary   [shapes]*template
	receive [popMessagesMax + 1]*template
}

func newGRPCAnswers(body []byte) *grpcAnswers {
	a := &grpcAnswers{}
	status := appendStatus(nil)
	id := "01" + fmt.Sprintf("%032X", 1)
	entry := appendStatus(nil)
	entry = appendString(entry, 2, id)
	entry = appendString(entry, 3, id)
	entry = protowire.AppendTag(entry, 4, protowire.VarintType)
	entry = protowire.AppendVarint(entry, 123456)
	a.unary[shapeSend] = unary(appendBytes(bytes.Clone(status), 2, entry))
	ack := appendString(nil, 1, id)
	ack = appendString(ack, 2, stubHandle)
	ack = appendBytes(ack, 3, statusBody())
	a.unary[shapeAck] = unary(appendBytes(bytes.Clone(status), 2, ack))
	a.unary[shapeRoute] = unary(appendRoute(bytes.Clone(status)))
	a.unary[shapeTelemetry] = telemetry(status)
	for n := range a.receive {
		a.receive[n] = received(n, status, id, body)
	}
	return a
}

const stubHandle = "123456 1795385812019 60000 0 0 stub-broker 3 123456 51851520"

func unary(m []byte) *template {
	t := &template{}
	t.frame(frameHeaders, flagEndHeaders, responseHead)
	t.message(m)
	t.frame(frameHeaders, flagEndHeaders|flagEndStream, trailers)
	return t
}

// telemetry answers settings with settings and leaves the stream open.
func telemetry(status []byte) *template {
	t := &template{}
	t.frame(frameHeaders, flagEndHeaders, responseHead)
	t.message(appendBytes(bytes.Clone(status), 2, nil))
	return t
}

func received(n int, status []byte, id string, body []byte) *template {
	t := &template{}
	t.frame(frameHeaders, flagEndHeaders, responseHead)
	t.message(status)
	for range n {
		t.message(appendBytes(nil, 2, storedMessage(id, body)))
	}
	t.message(appendBytes(nil, 3, protowire.AppendVarint([]byte{0x08}, 1795385812)))
	t.frame(frameHeaders, flagEndHeaders|flagEndStream, trailers)
	return t
}

// storedMessage is an apache.rocketmq.v2.Message as a proxy would build it.
func storedMessage(id string, body []byte) []byte {
	props := appendString(nil, 1, "tagA")
	props = appendString(props, 2, "key-1")
	props = appendString(props, 3, id)
	props = appendBytes(props, 4, append([]byte{0x08, 2}, appendString(nil, 2, "D41D8CD98F00B204E9800998ECF8427E")...))
	props = append(props, 0x28, 1, 0x30, 1) // identity, normal
	stamp := protowire.AppendVarint([]byte{0x08}, 1795385812)
	props = appendBytes(props, 7, stamp)
	props = appendString(props, 8, "127.0.0.1")
	props = appendBytes(props, 9, stamp)
	props = appendString(props, 10, "127.0.0.1:21923")
	props = appendString(props, 12, stubHandle)
	props = append(props, 0x68, 3, 0x70)
	props = protowire.AppendVarint(props, 123456)
	m := appendBytes(nil, 1, appendString(nil, 2, "BenchTopic"))
	m = appendBytes(m, 3, props)
	return appendBytes(m, 4, body)
}

func appendRoute(m []byte) []byte {
	for q := range Queues {
		queue := appendBytes(nil, 1, appendString(nil, 2, "BenchTopic"))
		queue = append(queue, 0x10, byte(q), 0x18, 4)
		queue = appendBytes(queue, 4, appendString(nil, 1, BrokerName))
		m = appendBytes(m, 2, queue)
	}
	return m
}

func appendBytes(b []byte, num protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

func appendString(b []byte, num protowire.Number, v string) []byte {
	return appendBytes(b, num, []byte(v))
}

func statusBody() []byte {
	return appendString(protowire.AppendVarint([]byte{0x08}, 20000), 2, "OK")
}

func appendStatus(b []byte) []byte { return appendBytes(b, 1, statusBody()) }

// The header blocks use no dynamic table, so one copy serves every stream.
var (
	responseHead = headerBlock(":status", "200", "content-type", "application/grpc")
	trailers     = headerBlock("grpc-status", "0")
)

func headerBlock(pairs ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(pairs); i += 2 {
		if err := e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1], Sensitive: pairs[i] != ":status"}); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}
