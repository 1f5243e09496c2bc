package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/pool"
)

// Key names a stream for as long as it lives: its slot and the slot's generation. The zero
// Key names nobody.
type Key uint64

// state is where a stream stands (section 5.1). What the client has sent is halfClosed; what
// we send ends the stream, so that there is no half-closed (local):
//
//	         HEADERS              END_STREAM received
//	vacant ──────────► open ──────────────────────────► open, halfClosed
//	  ▲                 │ Finish, everything sent              │ Finish, everything sent
//	  │                 │ then RST_STREAM(NO_ERROR)            │
//	  │                 ▼                                      ▼
//	  └──────────────────────────── release ◄──────────────────┘
//	                       ▲
//	                       │ RST_STREAM either way, deadline, broken rule, end of connection:
//	                       │ Canceled
type state uint8

const (
	vacant state = iota
	open
)

// Stream is one call. Its slot outlives it: keep Key, not the pointer.
type Stream struct {
	conn *Conn
	id   uint32
	slot uint32
	gen  uint32
	call

	// memory that the slot keeps; empty while it is vacant
	text   []byte     // the path and the kept headers
	values []span     // by index in Config.Metadata; absent is zero
	in     pool.Chain // bytes of messages, as they arrived
	queue  pool.Chain // messages with prefixes that wait for a window
}

// call is what a slot forgets at the end of its call.
type call struct {
	state   state
	handler Handler  // nil until Open has returned it
	foreign *foreign // instead of a handler, for what is not gRPC

	// the request
	clientStreams bool
	halfClosed    bool // END_STREAM was received
	deadline      time.Time
	path          span
	need          int       // bytes of the first message in in, prefix included; 0: not known
	contentLeft   int64     // of content-length; -1: not declared
	recvWindow    int       // bytes of DATA the client may still send
	recvOwed      int       // bytes received and not yet credited
	withheld      bool      // recvOwed is to be credited when there is room
	packed        byte      // the flag of that message
	inflating     bool      // it is compressed, and is being inflated or waits for that
	mayPack       bool      // the call has a grpc-encoding
	heardAt       time.Time // last DATA

	// the answer
	sendWindow  int // bytes of DATA we may still send; may be negative
	headersSent bool
	gzip        bool        // messages may be compressed
	metadata    *metadata   // nil: the headers and trailers are the usual ones
	finishing   bool        // Finish was called; status follows the queue
	overfull    bool        // to be reset for WaitingBytesMax
	status      grpc.Status //
	stalledAt   time.Time   // when the last byte left; zero: not yet noticed by Tick
	readyLinks
}

// span is bytes [from, to) of a stream's text; the zero span is absent.
type span struct{ from, to uint32 }

// put copies b into the stream's text.
func (s *Stream) put(b []byte) span {
	from := uint32(len(s.text))
	s.text = append(s.text, b...)
	return span{from, uint32(len(s.text))}
}

// keep stores a header the service wants; the first value wins.
func (s *Stream) keep(i int, value []byte) {
	if s.values[i] == (span{}) {
		s.values[i] = s.put(value)
	}
}

func (s *Stream) at(p span) []byte { return s.text[p.from:p.to:p.to] }

// ID is the stream identifier, for logs and tests.
func (s *Stream) ID() uint32 { return s.id }

// Key names the stream until it ends.
func (s *Stream) Key() Key { return Key(s.slot)<<32 | Key(s.gen) }

// Conn is the stream's connection, for handlers that keep the key.
func (s *Stream) Conn() *Conn { return s.conn }

// Path borrows the :path, such as /package.Service/Method, while the stream lives.
func (s *Stream) Path() []byte { return s.at(s.path) }

// Value borrows the value of header Config.Metadata[i] while the stream lives. It is nil
// when the header did not come.
func (s *Stream) Value(i int) []byte {
	if s.values[i] == (span{}) {
		return nil
	}
	return s.at(s.values[i])
}

// Deadline is when the connection answers DEADLINE_EXCEEDED by itself; zero is never.
func (s *Stream) Deadline() time.Time { return s.deadline }

// Unsent is the number of bytes of messages that wait for a window.
func (s *Stream) Unsent() int { return s.queue.Len() }

// writable tells whether messages may still be given to the stream.
func (s *Stream) writable() bool { return s.state == open && !s.finishing }

// open begins a stream.
func (c *Conn) open(id uint32) *Stream {
	s := c.streams.acquire(c, id)
	s.recvWindow = c.streamWindow()
	s.sendWindow = c.peerWindow
	s.contentLeft = -1
	s.heardAt, c.openedAt = c.now, c.now
	c.idleSince = time.Time{}
	return s
}

// cancel ends a stream from which something is missing, and tells its handler.
func (s *Stream) cancel(cause error, how ending) {
	if s.state != open {
		return
	}
	handler := s.handler
	s.finishing = true // nothing more may be sent from here on
	s.handler = nil
	if handler != nil {
		s.conn.cfg.Counters.StreamsCanceled.Add(1)
		handler.Canceled(s, cause)
	}
	s.release(how)
}

// complete ends a stream whose trailers were encoded.
func (s *Stream) complete() {
	if s.halfClosed {
		s.release(finished)
		return
	}
	// Section 8.1: the answer is whole, the rest of the request is not wanted.
	s.conn.sendReset(s.id, frame.NoError)
	s.release(resetByUs)
}

// release gives the slot back.
func (s *Stream) release(how ending) {
	c := s.conn
	c.ready.remove(s)
	c.waiting -= s.queue.Len()
	held := s.in.Len()
	s.queue.Release()
	s.in.Release()
	if s.withheld {
		c.withheld--
	}
	c.closed.add(s.id, how)
	c.streams.release(s)
	c.unkeep(held)
	if c.streams.active == 0 {
		c.becomeIdle()
	}
}

// reject ends a call with a status of the connection's own making.
func (s *Stream) reject(code grpc.Code, message string) {
	status := grpc.Status{Code: code, Message: message}
	s.sendTrailers(status)
	if !s.halfClosed {
		s.conn.sendReset(s.id, frame.NoError)
		s.cancel(CallError{status}, resetByUs)
		return
	}
	s.cancel(CallError{status}, finished)
}

// cancelAll ends every call of a connection that has failed, and forgets the slots: a call that is
// still on its way to a broker keeps the connection alive, and a thousand slots are a megabyte.
func (c *Conn) cancelAll(cause error) {
	for s := range c.streams.all() {
		s.cancel(cause, finished)
	}
	c.streams.trim()
}
