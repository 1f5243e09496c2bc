package server_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	coding "golang.org/x/net/http2/hpack"
)

// The client of these tests spells HTTP/2 out once more (RFC 9113 section 6): a misreading of
// the proxy's codecs shall not confirm itself.

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4

	settingStreamsMax        = 0x3
	settingInitialWindowSize = 0x4

	errorCancel = 0x8

	frameHeadBytes    = 9
	framePayloadBytes = 16 << 10
	windowInitial     = 65535
)

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}

func setting(id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, id), value)
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// client is one connection of a gRPC client.
type client struct {
	testing.TB
	conn net.Conn
	id   string // x-mq-client-id
	gone chan struct{}
	zips bool // sends everything compressed, set before the first call

	writing sync.Mutex // a header block and its frame belong together
	encoder *coding.Encoder
	block   bytes.Buffer
	next    uint32

	mu       sync.Mutex
	changed  *sync.Cond // anything below
	calls    map[uint32]*rpc
	window   int // of the proxy, for all streams; what we may send
	initial  int // of the proxy, for new streams
	thrifty  bool
	goAways  int
	lastCode uint32 // of the last GOAWAY
	pings    int    // answers
	unzipped int    // messages that came compressed
	err      error  // why reading ended
}

// rpc is one call.
type rpc struct {
	*client
	stream uint32
	method string

	// guarded by the client's lock
	header, trailer map[string]string
	data            []byte // not cut into messages yet
	messages        [][]byte
	window          int // what we may send
	resetBy         string
	ended           bool
}

// greet opens HTTP/2 on a connection. A thrifty client gives no window back; window is then all
// that each of its streams may get.
func greet(tb testing.TB, conn net.Conn, id string, thrifty bool, window uint32) *client {
	tb.Helper()
	c := &client{
		TB: tb, conn: conn, id: id, gone: make(chan struct{}), next: 1, calls: map[uint32]*rpc{},
		window: windowInitial, initial: windowInitial, thrifty: thrifty,
	}
	c.changed = sync.NewCond(&c.mu)
	c.encoder = coding.NewEncoder(&c.block)
	tb.Cleanup(func() {
		_ = conn.Close()
		<-c.gone
	})
	go c.read()
	hello := append([]byte(preface), frame(frameSettings, 0, 0, setting(settingInitialWindowSize, window))...)
	if !thrifty {
		hello = append(hello, frame(frameWindowUpdate, 0, 0, number(1<<30))...)
	}
	c.write(hello)
	return c
}

func (c *client) write(b []byte) {
	if _, err := c.conn.Write(b); err != nil && !errors.Is(err, net.ErrClosed) {
		c.Logf("%s: write: %v", c.id, err)
	}
}

func (c *client) vanish() { _ = c.conn.Close() }

func (c *client) read() {
	defer close(c.gone)
	decoder := coding.NewDecoder(4096, nil)
	head := make([]byte, frameHeadBytes)
	var err error
	for err == nil {
		if _, err = io.ReadFull(c.conn, head); err != nil {
			break
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err = io.ReadFull(c.conn, payload); err != nil {
			break
		}
		err = c.take(head[3], head[4], binary.BigEndian.Uint32(head[5:]), payload, decoder)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	c.changed.Broadcast()
}

// take reads one frame.
func (c *client) take(kind, flags byte, stream uint32, payload []byte, decoder *coding.Decoder) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.changed.Broadcast()
	r := c.calls[stream]
	if r == nil {
		r = &rpc{} // of the connection, or canceled and forgotten
	}
	switch kind {
	case frameSettings:
		if flags&flagAck == 0 {
			c.settings(payload)
		}
	case frameWindowUpdate:
		if n := int(binary.BigEndian.Uint32(payload)); stream == 0 {
			c.window += n
		} else {
			r.window += n
		}
	case framePing:
		if flags&flagAck == 0 {
			go c.write(frame(framePing, flagAck, 0, payload))
		} else {
			c.pings++
		}
	case frameGoAway:
		c.goAways++
		c.lastCode = binary.BigEndian.Uint32(payload[4:])
	case frameReset:
		if !r.ended { // behind the trailers it asks for no more input (RFC 9113 section 8.1)
			r.resetBy, r.ended = "the proxy", true
		}
	case frameHeaders:
		fields, err := decoder.DecodeFull(payload)
		if err != nil || flags&flagEndHeaders == 0 {
			return fmt.Errorf("a header block: %w", err)
		}
		r.headers(fields, flags&flagEndStream != 0)
	case frameData:
		r.data = append(r.data, payload...)
		r.cut()
		r.ended = r.ended || flags&flagEndStream != 0
		if !c.thrifty && len(payload) > 0 {
			more := append(frame(frameWindowUpdate, 0, 0, number(uint32(len(payload)))),
				frame(frameWindowUpdate, 0, stream, number(uint32(len(payload))))...)
			go c.write(more)
		}
	}
	return nil
}

func (c *client) settings(payload []byte) {
	for ; len(payload) >= 6; payload = payload[6:] {
		if binary.BigEndian.Uint16(payload) == settingInitialWindowSize {
			size := int(binary.BigEndian.Uint32(payload[2:]))
			for _, r := range c.calls {
				r.window += size - c.initial
			}
			c.initial = size
		}
	}
	go c.write(frame(frameSettings, flagAck, 0, nil))
}

func (r *rpc) headers(fields []coding.HeaderField, end bool) {
	all := map[string]string{}
	for _, f := range fields {
		all[f.Name] = f.Value
	}
	if r.ended = end; end {
		r.trailer = all
	} else {
		r.header = all
	}
}

// cut cuts whole messages off the data.
func (r *rpc) cut() {
	const prefix = 5
	for len(r.data) >= prefix {
		n := prefix + int(binary.BigEndian.Uint32(r.data[1:]))
		if len(r.data) < n {
			return
		}
		message := r.data[prefix:n]
		if r.data[0] == 1 {
			message = unzip(message)
			r.unzipped++
		}
		r.messages = append(r.messages, message)
		r.data = r.data[n:]
	}
}

// await waits until ok, which sees the client locked. The end of the connection is the end of
// waiting too.
func (c *client) await(what string, ok func() bool) {
	c.Helper()
	late := time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = errors.New("too late")
		c.changed.Broadcast()
	})
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !ok() {
		if c.err != nil {
			c.Fatalf("%s: waited for %s: %v", c.id, what, c.err)
		}
		c.changed.Wait()
	}
}

// awaitEnd waits for the end of the connection.
func (c *client) awaitEnd() {
	c.Helper()
	select {
	case <-c.gone:
	case <-time.After(patience):
		c.Fatalf("%s: the connection does not end", c.id)
	}
}

func (c *client) awaitGoAway() {
	c.Helper()
	c.await("GOAWAY", func() bool { return c.goAways > 0 })
}
