package messaging

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/turn"
)

// peer is a gRPC client on a connection in memory: it encodes what it says by x/net's HPACK and
// reads every frame of the answer.
type peer struct {
	*world
	client  *Client
	turn    *turn.Turn
	closed  bool
	leaving bool // was told GOAWAY
	piece   int  // bytes in which it says things; 0: whole

	encoder *hpack.Encoder
	block   bytes.Buffer
	decoder *hpack.Decoder
	next    uint32
	calls   map[uint32]*callStream
	got     []byte
}

// callStream is a call as the client sees it.
type callStream struct {
	*peer
	id      uint32
	method  string
	header  map[string]string
	trailer map[string]string
	data    []byte
	reset   bool
	ended   bool
}

// connect opens a connection whose windows never hold anything back, unless window, the
// initial one of streams, is given.
func (w *world) connect(window ...uint32) *peer {
	w.Helper()
	return w.connectFrom("10.1.2.3:4567", window...)
}

// connectFrom is connect for a client with this address.
func (w *world) connectFrom(remote string, window ...uint32) *peer {
	w.Helper()
	p := &peer{world: w, next: 1, calls: map[uint32]*callStream{}}
	p.encoder = hpack.NewEncoder(&p.block)
	p.decoder = hpack.NewDecoder(4096, nil)
	p.turn = turn.New(owner{})
	p.client = w.NewClient(&w.h2, p.turn, remote, w.now, nil, nil)
	w.Cleanup(p.close)
	streams := uint32(1 << 30)
	if len(window) > 0 {
		streams = window[0]
	}
	hello := frame.AppendSettings([]byte(frame.Preface), frame.Setting{ID: frame.SettingInitialWindowSize, Value: streams})
	hello = frame.AppendSettingsAck(hello)
	p.say(frame.AppendWindowUpdate(hello, 0, 1<<30))
	return p
}

// say feeds the connection and reads what it answers.
func (p *peer) say(b []byte) {
	p.Helper()
	size := p.piece
	if size == 0 {
		size = len(b)
	}
	for len(b) > 0 {
		n := min(size, len(b))
		p.do(func() {
			var in pool.Chain
			in.Append(pool.Copied(b[:n]))
			if err := p.client.Feed(p.now, &in); err != nil {
				p.Errorf("the connection ended: %v", err)
			}
			in.Release()
		})
		b = b[n:]
	}
}

// do does something on the connection's turn and reads what comes of it.
func (p *peer) do(f func()) {
	p.Helper()
	onTurn(p.turn, func() {
		f()
		p.drain()
	})
}

// settle lets events that were posted to the turn run.
func (p *peer) settle() { p.do(func() {}) }

// later lets time pass.
func (p *peer) later(d time.Duration) {
	p.now = p.now.Add(d)
	p.do(func() { p.client.Tick(p.now) })
}

// reply brings an operation home with a fault, or the zero Fault.
func (p *peer) reply(x *backend.Exchange, f backend.Fault) {
	p.Helper()
	p.do(func() {
		p.fake.home(x)
		x.Fault = f
		x.Then.OnTurn(p.now)
	})
}

func (p *peer) close() {
	if !p.closed {
		p.closed = true
		onTurn(p.turn, func() { p.client.Close(nil) })
	}
}

func (p *peer) drain() {
	p.Helper()
	if p.closed {
		return
	}
	var out pool.Chain
	p.client.Drain(&out)
	p.got = out.AppendTo(p.got)
	out.Release()
	for len(p.got) >= frame.HeadBytes {
		h := frame.ParseHead(p.got)
		payload := p.got[frame.HeadBytes:][:h.Length]
		p.got = p.got[frame.HeadBytes+h.Length:]
		p.read(h, payload)
	}
}

func (p *peer) read(h frame.Head, payload []byte) {
	p.Helper()
	c := p.calls[h.Stream]
	if c != nil && c.ended && h.Kind != frame.KindReset {
		p.Errorf("stream %d: %v after its end", h.Stream, h.Kind)
		return
	}
	switch h.Kind {
	case frame.KindHeaders:
		fields, err := p.decoder.DecodeFull(payload)
		if err != nil {
			p.Errorf("stream %d: headers: %v", h.Stream, err)
		}
		m := map[string]string{}
		for _, f := range fields {
			m[f.Name] = f.Value
		}
		if c.ended = h.Flags.Has(frame.FlagEndStream); c.ended {
			c.trailer = m
		} else {
			c.header = m
		}
	case frame.KindData:
		c.data = append(c.data, payload...)
	case frame.KindReset:
		c.reset = true
	case frame.KindGoAway:
		if !p.leaving {
			p.Errorf("GOAWAY %x", payload)
		}
	}
}

// identity are the headers of a client that says who it is.
var identity = []string{"x-mq-client-id", "client-1", "x-mq-language", "GO", "x-mq-client-version", "5.1.3"}

// open begins a call; headers come in pairs, those of identity unless others are given.
func (p *peer) open(method string, headers ...string) *callStream {
	p.Helper()
	if headers == nil {
		headers = identity
	}
	return p.openPath(servicePrefix+method, headers)
}

func (p *peer) openPath(path string, headers []string) *callStream {
	p.Helper()
	all := append([]string{
		":method", "POST", ":scheme", "http", ":path", path, ":authority", "proxy",
		"content-type", "application/grpc", "te", "trailers",
	}, headers...)
	p.block.Reset()
	for i := 0; i < len(all); i += 2 {
		_ = p.encoder.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]})
	}
	c := &callStream{peer: p, id: p.next, method: path}
	p.calls[c.id] = c
	p.next += 2
	p.say(frame.AppendHeaders(nil, c.id, p.block.Bytes(), frame.FlagEndHeaders))
	return c
}

// call makes a whole unary request.
func (p *peer) call(method string, request proto.Message, headers ...string) *callStream {
	p.Helper()
	c := p.open(method, headers...)
	c.send(request, frame.FlagEndStream)
	return c
}

// send sends one message.
func (c *callStream) send(m proto.Message, flags frame.Flags) {
	c.Helper()
	encoded, err := proto.Marshal(m)
	if err != nil {
		c.Fatal(err)
	}
	c.raw(encoded, flags)
}

func (c *callStream) raw(encoded []byte, flags frame.Flags) {
	c.Helper()
	content := append(grpc.AppendPrefix(nil, len(encoded)), encoded...)
	for len(content) > frame.PayloadBytesMin {
		c.say(frame.AppendData(nil, c.id, content[:frame.PayloadBytesMin], 0))
		content = content[frame.PayloadBytesMin:]
	}
	c.say(frame.AppendData(nil, c.id, content, flags))
}

func (c *callStream) halfClose() { c.say(frame.AppendData(nil, c.id, nil, frame.FlagEndStream)) }
func (c *callStream) cancel()    { c.say(frame.AppendReset(nil, c.id, frame.Cancel)) }
func (c *callStream) window(n int) {
	c.say(frame.AppendWindowUpdate(nil, c.id, uint32(n)))
}

// messages are those that came so far, whole ones.
func (c *callStream) messages() (all [][]byte) {
	for b := c.data; len(b) >= grpc.PrefixBytes; {
		n := int(grpc.ParsePrefix(b).Length)
		if len(b) < grpc.PrefixBytes+n {
			break
		}
		all = append(all, b[grpc.PrefixBytes:][:n])
		b = b[grpc.PrefixBytes+n:]
	}
	return all
}

// status is the gRPC status in the trailers: "0 " when all is well.
func (c *callStream) status() string {
	if !c.ended {
		return "open"
	}
	return c.trailer["grpc-status"] + " " + grpc.DecodeMessage([]byte(c.trailer["grpc-message"]))
}

// answer reads the one message of a unary call that ended well.
func (c *callStream) answer(m proto.Message) {
	c.Helper()
	all := c.messages()
	if len(all) != 1 || c.status() != "0 " {
		c.Fatalf("%s: %d messages, status %q; want one and OK", c.method, len(all), c.status())
	}
	if err := proto.Unmarshal(all[0], m); err != nil {
		c.Fatal(err)
	}
}

// statused is every answer of the API.
type statused interface {
	proto.Message
	GetStatus() *apiv2.Status
}

// says checks the Status of a unary call.
func (c *callStream) says(m statused, code apiv2.Code, text string) {
	c.Helper()
	c.answer(m)
	if s := m.GetStatus(); s.GetCode() != code || s.GetMessage() != text {
		c.Errorf("%s: %v %q, want %v %q", c.method, s.GetCode(), s.GetMessage(), code, text)
	}
}

// elements are those of a ReceiveMessage stream, a word each: status, message, time.
func (c *callStream) elements() (words []string, all []*apiv2.ReceiveMessageResponse) {
	c.Helper()
	for _, b := range c.messages() {
		m := &apiv2.ReceiveMessageResponse{}
		if err := proto.Unmarshal(b, m); err != nil {
			c.Fatal(err)
		}
		all = append(all, m)
		switch content := m.GetContent().(type) {
		case *apiv2.ReceiveMessageResponse_Status:
			words = append(words, fmt.Sprint(int32(content.Status.GetCode()), " ", content.Status.GetMessage()))
		case *apiv2.ReceiveMessageResponse_Message:
			words = append(words, "message "+strconv.Quote(string(content.Message.GetBody())))
		case *apiv2.ReceiveMessageResponse_DeliveryTimestamp:
			words = append(words, "time")
		}
	}
	return words, all
}

// streams checks the elements of a ReceiveMessage stream that ended well.
func (c *callStream) streams(want ...string) []*apiv2.ReceiveMessageResponse {
	c.Helper()
	words, all := c.elements()
	if fmt.Sprint(words) != fmt.Sprint(want) || c.status() != "0 " {
		c.Errorf("%v, status %q; want %v, OK", words, c.status(), want)
	}
	return all
}
