package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	dialTimeout     = 3 * time.Second
	bufferBytes     = 64 << 10
	frameBytesMax   = 16 << 20
	protocolVersion = 513 // 5.5.0
)

// command is one Remoting frame with a JSON header.
type command struct {
	Code      int               `json:"code"`
	Language  string            `json:"language"`
	Version   int               `json:"version"`
	Opaque    int32             `json:"opaque"`
	Flag      int               `json:"flag"`
	Remark    string            `json:"remark,omitempty"`
	ExtFields map[string]string `json:"extFields,omitempty"`
	Body      []byte            `json:"-"`
}

func newCommand(code int, ext map[string]string, body []byte) *command {
	return &command{Code: code, Language: "GO", Version: protocolVersion, ExtFields: ext, Body: body}
}

// encode returns the bytes of a frame up to its body.
func (c *command) encode() ([]byte, error) {
	head, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, 8, 8+len(head))
	binary.BigEndian.PutUint32(frame, uint32(4+len(head)+len(c.Body)))
	binary.BigEndian.PutUint32(frame[4:], uint32(len(head)))
	return append(frame, head...), nil
}

func readCommand(r *bufio.Reader) (*command, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return nil, err
	}
	total := binary.BigEndian.Uint32(lengths[:])
	headLen := binary.BigEndian.Uint32(lengths[4:]) & 0xffffff
	if total < 4 || total > frameBytesMax || headLen > total-4 {
		return nil, errors.New("malformed frame")
	}
	frame := make([]byte, total-4)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	c := &command{}
	if err := json.Unmarshal(frame[:headLen], c); err != nil {
		return nil, err
	}
	c.Body = frame[headLen:]
	return c, nil
}

// remotingConn is one connection: callers write under a lock, one goroutine
// reads and hands each answer to the caller waiting for its opaque.
type remotingConn struct {
	nc   net.Conn
	next atomic.Int32

	mu      sync.Mutex
	w       *bufio.Writer
	pending map[int32]chan *command
	err     error
}

func dialRemoting(addr string) (*remotingConn, error) {
	nc, err := net.DialTimeout("tcp", addr, dialTimeout)
	if err != nil {
		return nil, err
	}
	c := &remotingConn{nc: nc, w: bufio.NewWriterSize(nc, bufferBytes), pending: map[int32]chan *command{}}
	go c.read()
	return c, nil
}

func (c *remotingConn) read() {
	r := bufio.NewReaderSize(c.nc, bufferBytes)
	for {
		answer, err := readCommand(r)
		if err != nil {
			c.fail(err)
			return
		}
		if answer.Flag&1 == 0 {
			continue // a broker's own request
		}
		c.mu.Lock()
		wait := c.pending[answer.Opaque]
		delete(c.pending, answer.Opaque)
		c.mu.Unlock()
		if wait != nil {
			wait <- answer
		}
	}
}

func (c *remotingConn) fail(err error) {
	c.nc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	for opaque, wait := range c.pending {
		delete(c.pending, opaque)
		close(wait)
	}
}

func (c *remotingConn) call(ctx context.Context, request *command) (*command, error) {
	request.Opaque = c.next.Add(1)
	head, err := request.encode()
	if err != nil {
		return nil, err
	}
	wait := make(chan *command, 1)
	if err := c.write(request, head, wait); err != nil {
		return nil, err
	}
	select {
	case answer, ok := <-wait:
		if !ok {
			return nil, errors.New("connection lost")
		}
		return answer, nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.pending, request.Opaque)
		c.mu.Unlock()
		return nil, ctx.Err()
	}
}

// write files the call and sends it; one flush a call.
func (c *remotingConn) write(request *command, head []byte, wait chan *command) error {
	c.mu.Lock()
	err := c.err
	if err == nil {
		c.pending[request.Opaque] = wait
		_, _ = c.w.Write(head) // Flush reports what goes wrong here
		_, _ = c.w.Write(request.Body)
		if err = c.w.Flush(); err == nil {
			c.mu.Unlock()
			return nil
		}
	}
	c.mu.Unlock()
	c.fail(err)
	return err
}

// remotingClient keeps one connection to each address.
type remotingClient struct {
	mu    sync.RWMutex
	conns map[string]*remotingConn
}

func (c *remotingClient) call(ctx context.Context, addr string, request *command, timeout time.Duration) (*command, error) {
	conn, err := c.conn(addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := conn.call(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("call %d to %s: %w", request.Code, addr, err)
	}
	return answer, nil
}

func (c *remotingClient) conn(addr string) (*remotingConn, error) {
	c.mu.RLock()
	conn := c.conns[addr]
	c.mu.RUnlock()
	if conn != nil && conn.alive() {
		return conn, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn = c.conns[addr]; conn != nil && conn.alive() {
		return conn, nil
	}
	conn, err := dialRemoting(addr)
	if err != nil {
		return nil, err
	}
	c.conns[addr] = conn
	return conn, nil
}

func (c *remotingConn) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err == nil
}
