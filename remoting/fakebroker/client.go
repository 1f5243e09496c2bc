package fakebroker

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
)

// Client is one connection of a client.
type Client struct {
	server *Server
	conn   net.Conn

	mu     sync.Mutex
	wake   sync.Cond // out or closed has changed
	out    []byte
	closed bool
	hangup bool // close when out is written
	opaque int32
	asked  map[int32]chan<- *Request // requests that wait for an answer, by opaque
}

func newClient(s *Server, conn net.Conn) *Client {
	c := &Client{server: s, conn: conn, opaque: 400}
	c.wake.L = &c.mu
	return c
}

// Host is the address of the client.
func (c *Client) Host() message.Host {
	addr, err := netip.ParseAddrPort(c.conn.RemoteAddr().String())
	if err != nil {
		return message.Host{}
	}
	return message.Host{IP: addr.Addr().Unmap(), Port: int32(addr.Port())}
}

// Push sends a oneway request, with an opaque of the server's own numbering.
func (c *Client) Push(code int32, ext map[string]string, body []byte) {
	c.Request(code, command.FlagOneway, ext, body)
}

// Request sends a request that may be answered; answers are read and dropped.
func (c *Client) Request(code, flag int32, ext map[string]string, body []byte) {
	c.request(code, flag, ext, body, nil)
}

// Ask sends a request and returns where its answer comes, whose Code is that of the response. It
// does not come when the connection ends.
func (c *Client) Ask(code int32, ext map[string]string, body []byte) <-chan *Request {
	answer := make(chan *Request, 1)
	c.request(code, 0, ext, body, answer)
	return answer
}

func (c *Client) request(code, flag int32, ext map[string]string, body []byte, answer chan<- *Request) {
	c.mu.Lock()
	c.opaque++
	opaque := c.opaque
	if answer != nil {
		if c.asked == nil {
			c.asked = map[int32]chan<- *Request{}
		}
		c.asked[opaque] = answer
	}
	c.mu.Unlock()
	frame := command.AppendRequest(nil, command.JSON, command.RequestCode(code), opaque, flag, extFields(ext), len(body))
	c.Send(append(frame, body...))
}

// Send sends bytes as they are. It never blocks.
func (c *Client) Send(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.out = append(c.out, b...)
		c.wake.Signal()
	}
}

// Close closes the connection; what was not written yet is lost.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.wake.Signal()
	c.mu.Unlock()
	_ = c.conn.Close()
}

func (c *Client) closeWhenWritten() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangup = true
	c.wake.Signal()
}

func (c *Client) answer(r *Request, response Response) {
	if response.Delay > 0 {
		delay := response.Delay
		response.Delay = 0
		time.AfterFunc(delay, func() { c.answer(r, response) })
		return
	}
	if !response.Silent && !r.Oneway() {
		frame := response.frame(r.Opaque)
		c.Send(frame)
		if response.Twice {
			c.Send(frame)
		}
	}
	if response.Hangup {
		c.closeWhenWritten()
	}
}

// write writes what is to be sent, all there is at once.
func (c *Client) write() {
	defer c.server.running.Done()
	var batch []byte
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.closed && !c.hangup {
			c.wake.Wait()
		}
		if c.closed || len(c.out) == 0 {
			c.mu.Unlock()
			c.Close()
			return
		}
		batch, c.out = c.out, batch[:0]
		c.mu.Unlock()
		if _, err := c.conn.Write(batch); err != nil {
			c.Close()
			return
		}
	}
}

// read handles requests in the order in which they come.
func (c *Client) read() {
	defer c.server.running.Done()
	defer c.server.forget(c)
	defer c.Close()
	in := bufio.NewReaderSize(c.conn, 64<<10)
	var head command.Head
	for {
		request, err := readRequest(in, &head)
		if err != nil {
			return
		}
		request.Client = c
		if request.Flag&command.FlagResponse == 0 {
			c.server.serve(request)
		} else {
			c.answered(request)
		}
	}
}

// answered hands an answer to whoever asked.
func (c *Client) answered(answer *Request) {
	c.mu.Lock()
	waiting := c.asked[answer.Opaque]
	delete(c.asked, answer.Opaque)
	c.mu.Unlock()
	if waiting != nil {
		waiting <- answer
	}
}

func readRequest(in io.Reader, head *command.Head) (*Request, error) {
	prefix := make([]byte, command.PrefixBytes)
	if _, err := io.ReadFull(in, prefix); err != nil {
		return nil, err
	}
	headLen, bodyLen, kind, err := command.SplitFrame(prefix)
	if err != nil {
		return nil, errGarbage
	}
	rest := make([]byte, headLen+bodyLen)
	if _, err := io.ReadFull(in, rest); err != nil {
		return nil, err
	}
	if err := command.ParseHead(head, kind, rest[:headLen]); err != nil {
		return nil, errGarbage
	}
	r := &Request{
		Kind: kind, Code: head.Code, Version: head.Version, Opaque: head.Opaque, Flag: head.Flag,
		Remark: string(head.Remark), Ext: make(map[string]string, len(head.Ext)), Body: rest[headLen:],
	}
	for _, field := range head.Ext {
		if field.Value != nil {
			r.Ext[string(field.Key)] = string(field.Value)
		}
	}
	return r, nil
}
