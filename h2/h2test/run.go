package h2test

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
)

// Metadata are the headers the scripted service shows.
var Metadata = []string{"x-test", "authorization"}

// Pieces cuts n bytes of input: it returns the sizes of the pieces.
type Pieces func(n int) []int

// Whole does not cut.
func Whole(n int) []int { return []int{n} }

// Bytewise cuts everywhere.
func Bytewise(n int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = 1
	}
	return sizes
}

// Peer is one run of a conversation.
type Peer struct {
	conn   *h2.Conn
	cfg    *h2.Config
	now    time.Time
	pieces Pieces
	reader *Reader
	keys   map[int]h2.Key
	lines  []string
	input  []byte // gathered, not yet fed
	works  []h2.Work
}

// Run plays a conversation and returns what was seen in each block.
func Run(blocks []Block, pieces Pieces) (seen [][]string, err error) {
	p := &Peer{
		cfg: &h2.Config{Metadata: Metadata}, now: time.Unix(1_700_000_000, 0),
		pieces: pieces, reader: NewReader(), keys: map[int]h2.Key{},
	}
	for _, b := range blocks {
		for _, s := range b.Steps {
			if err = p.step(s); err != nil {
				return seen, fmt.Errorf("line %d: %w", s.Line, err)
			}
		}
		p.feed()
		p.drain()
		seen = append(seen, p.lines)
		p.lines = nil
	}
	if p.conn != nil {
		p.conn.Close(nil)
		p.offloaded()
	}
	return seen, nil
}

func (p *Peer) say(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

func (p *Peer) step(s Step) (err error) {
	if s.Verb == "limit" {
		return p.limit(s)
	}
	if p.conn == nil {
		p.conn = h2.New(p.cfg, (*service)(p), p.now)
	}
	if s.Verb == "feed" {
		b, err := Encode(s)
		p.input = append(p.input, b...)
		return err
	}
	p.feed()
	switch s.Verb {
	case "hello":
		return p.hello(s)
	case "tick":
		return p.tick(s)
	case "shutdown":
		p.conn.Shutdown(p.now)
	case "close":
		p.conn.Close(nil)
	case "offloaded":
		p.offloaded()
	case "done":
		p.say("done=%v", p.conn.Done())
	default:
		return p.answer(s)
	}
	return nil
}

func (p *Peer) limit(s Step) error {
	limits := reflect.ValueOf(&p.cfg.Limits).Elem()
	for _, a := range s.Args {
		f := limits.FieldByName(a.Key)
		if !f.IsValid() {
			return fmt.Errorf("no limit %s", a.Key)
		}
		if d, err := time.ParseDuration(a.Value); err == nil && f.Type() == reflect.TypeOf(d) {
			f.SetInt(int64(d))
		} else if f.CanUint() {
			f.SetUint(uint64(s.Int(a.Key)))
		} else {
			f.SetInt(int64(s.Int(a.Key)))
		}
	}
	return nil
}

func (p *Peer) hello(s Step) error {
	settings := Step{Verb: "feed", Args: append([]Arg{{Key: "SETTINGS"}}, s.Args...)}
	b, err := Encode(settings)
	p.input = append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), b...)
	p.input = append(p.input, 0, 0, 0, 4, 1, 0, 0, 0, 0)
	p.feed()
	p.drain()
	p.lines = nil
	return err
}

func (p *Peer) tick(s Step) error {
	d, err := time.ParseDuration(s.Args[0].Key)
	if err != nil {
		return err
	}
	p.now = p.now.Add(d)
	p.conn.Tick(p.now)
	return nil
}

// offloaded has what was handed to others done, and come home.
func (p *Peer) offloaded() {
	for len(p.works) > 0 {
		w := p.works[0]
		p.works = p.works[1:]
		w.Run()
		w.OnTurn(p.now)
	}
}

// feed gives the gathered input to the connection, in pieces.
func (p *Peer) feed() {
	if len(p.input) == 0 {
		return
	}
	input := p.input
	p.input = nil
	for _, n := range p.pieces(len(input)) {
		var in pool.Chain
		in.Write(input[:n])
		input = input[n:]
		err := p.conn.Feed(p.now, &in)
		in.Release()
		if err != nil {
			if _, ok := errors.AsType[h2.ConnError](err); !ok {
				p.say("error %v", err)
			}
			return
		}
	}
}

func (p *Peer) drain() {
	if p.conn == nil {
		return
	}
	var out pool.Chain
	p.conn.Drain(&out)
	p.lines = append(p.lines, p.reader.Read(out.AppendTo(nil))...)
	out.Release()
}

// answer is a step of the service's on one of its streams.
func (p *Peer) answer(s Step) error {
	id := s.Int("stream")
	stream := p.conn.Stream(p.keys[id])
	if stream == nil {
		p.say("gone stream=%d", id)
		return nil
	}
	body, _ := s.Get("text")
	if n := s.Int("bytes"); n > 0 {
		body = strings.Repeat("y", n)
	}
	switch s.Verb {
	case "headers":
		stream.SendHeaders()
	case "header", "trailer":
		name, _ := s.Get("name")
		value, _ := s.Get("value")
		if s.Verb == "header" {
			stream.SetHeader(name, value)
		} else {
			stream.SetTrailer(name, value)
		}
	case "write":
		stream.Write([]byte(body))
	case "reply":
		stream.Reply([]byte(body))
	case "send":
		var msg pool.Chain
		msg.Write([]byte(body))
		stream.Send(&msg)
		msg.Release()
	case "finish":
		stream.Finish(status(s))
	case "unsent":
		p.say("unsent=%d", stream.Unsent())
	default:
		return fmt.Errorf("unknown step %s", s.Verb)
	}
	return nil
}

func status(s Step) grpc.Status {
	name, _ := s.Get("status")
	message, _ := s.Get("message")
	for code := grpc.OK; code <= grpc.CodeMax; code++ {
		if code.String() == name {
			return grpc.Status{Code: code, Message: message}
		}
	}
	return grpc.Status{Message: message}
}

// service is the Peer seen by the connection.
type service Peer

// handler is one call's.
type handler struct {
	peer    *Peer
	streams bool
}

// Open knows every method of test.Service.
func (v *service) Open(s *h2.Stream) (h2.Handler, grpc.Status) {
	p := (*Peer)(v)
	path := string(s.Path())
	var line strings.Builder
	line.WriteString("call open stream=" + strconv.Itoa(int(s.ID())) + " " + word("path", path))
	for i, name := range Metadata {
		if value := s.Value(i); value != nil {
			line.WriteString(" " + word(name, string(value)))
		}
	}
	if d := s.Deadline(); !d.IsZero() {
		line.WriteString(" deadline=" + d.Sub(p.now).String())
	}
	p.lines = append(p.lines, line.String())
	if !strings.HasPrefix(path, "/test.Service/") {
		return nil, grpc.Status{Code: grpc.Unimplemented, Message: "Method not found: " + strings.TrimPrefix(path, "/")}
	}
	p.keys[int(s.ID())] = s.Key()
	return &handler{peer: p, streams: strings.HasSuffix(path, "Stream")}, grpc.Status{}
}

// Offload keeps w for later.
func (v *service) Offload(w h2.Work) { v.works = append(v.works, w) }

func (h *handler) ClientStreams() bool { return h.streams }

func (h *handler) Message(s *h2.Stream, msg *pool.Chain) {
	text := string(msg.AppendTo(nil))
	line := fmt.Sprintf("call message stream=%d bytes=%d", s.ID(), len(text))
	if len(text) > 0 && len(text) < 40 {
		line += " " + word("text", text)
	}
	h.peer.say("%s", line)
}

func (h *handler) HalfClosed(s *h2.Stream) { h.peer.say("call half_closed stream=%d", s.ID()) }

func (h *handler) Canceled(s *h2.Stream, cause error) {
	h.peer.say("call canceled stream=%d %s", s.ID(), word("cause", cause.Error()))
}
