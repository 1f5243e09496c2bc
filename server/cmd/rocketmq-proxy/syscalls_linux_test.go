package main_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting/fakebroker"
)

// The bytes of a send and of a broker's answer to it, which decide how many fit into one read.
const (
	sendBytes   = 53
	answerBytes = 73
)

// cost is what sends that come in one piece, and are answered in one piece by the broker, cost on the sockets
// of the client and of the broker.
type cost struct {
	clientReads, brokerWrites, brokerReads, clientWrites int
}

func (c cost) String() string {
	return fmt.Sprintf("client read %d times, broker written to %d times, broker read %d times, client written to %d times",
		c.clientReads, c.brokerWrites, c.brokerReads, c.clientWrites)
}

// TestSystemCallsOfSends: however many sends come in one piece, they are read, sent on, and answered with one
// system call each. netpoll's blocks have 4 KiB, and a read ends where a block does; all that lies behind is read
// by one call more, which is what 64 answers and 128 sends need.
//
// Counted are the calls that move bytes of these sockets, in the program as it ships. Those by which threads wait
// for work and wake each other (epoll_pwait, futex, the bell of a round) depend on when the kernel runs which
// thread.
func TestSystemCallsOfSends(t *testing.T) {
	for _, transport := range []string{"cleartext", "TLS"} {
		for _, row := range []struct {
			sends int
			cost  cost
		}{
			{1, cost{1, 1, 1, 1}},
			{16, cost{1, 1, 1, 1}},
			{48, cost{1, 1, 1, 1}},
			{64, cost{1, 1, 2, 1}},
			{128, cost{2, 1, 2, 1}},
		} {
			t.Run(fmt.Sprint(transport, "/", row.sends), func(t *testing.T) {
				if got := costOfSends(t, transport == "TLS", row.sends); got != row.cost {
					t.Errorf("%v; want: %v", got, row.cost)
				}
			})
		}
	}
}

// costOfSends starts a proxy, has it know the topic by a first send, and counts what n sends cost.
func costOfSends(t *testing.T, secure bool, n int) cost {
	t.Helper()
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	broker := fake.Brokers[0]
	answerTogether(broker, n)
	proxy := startInFront(t, fake, map[string]any{"heartbeatSyncerTopicName": ""})
	c := dialBurst(t, proxy.addr, secure)
	c.write(hello(nil), c.sends(1))
	c.read(1)

	here, there := proxy.socketsTo(c.conn.LocalAddr().String()), proxy.socketsTo(broker.Addr)
	if len(here) != 1 || len(there) == 0 {
		t.Fatalf("the proxy has %d connections with the client, %d with the broker", len(here), len(there))
	}
	trace := proxy.trace()
	defer trace.end(t)
	sends := c.sends(n)
	if answer := appendSendAnswer(nil, 1); len(sends) != n*sendBytes || len(answer) != answerBytes {
		t.Fatalf("%d sends have %d bytes, an answer has %d", n, len(sends), len(answer))
	}
	c.write(sends)
	c.read(n)
	c.ping()
	const ping = 1 // read and write
	return cost{trace.count("read", here) - ping, trace.count("write", there), trace.count("read", there), trace.count("write", here) - ping}
}

// answerTogether has the broker answer its first send, and then n in one piece, as short as answers can be.
func answerTogether(broker *fakebroker.Broker, n int) {
	first, waiting, answers := true, 0, []byte(nil)
	broker.Control(int32(command.RequestSendMessageV2), func(r *fakebroker.Request) (fakebroker.Response, bool) { // on one connection, so one at a time
		answers = appendSendAnswer(answers, r.Opaque)
		if waiting++; first || waiting == n {
			r.Client.Send(answers)
			first, waiting, answers = false, 0, nil
		}
		return fakebroker.Response{Silent: true}, true
	})
}

// appendSendAnswer appends an answer in the shorter of the two forms.
func appendSendAnswer(b []byte, opaque int32) []byte {
	fields := []command.Field{
		{Key: []byte("msgId"), Value: []byte("1")}, {Key: []byte("queueId"), Value: []byte("0")}, {Key: []byte("queueOffset"), Value: []byte("0")},
	}
	return command.AppendRequest(b, command.RocketMQ, command.RequestCode(command.ResponseSuccess), opaque, command.FlagResponse, fields, 0)
}

// burst is a client that sends many calls at once.
type burst struct {
	testing.TB
	conn    net.Conn
	next    uint32 // stream
	head    bytes.Buffer
	encoder *hpack.Encoder
}

func dialBurst(t *testing.T, addr string, secure bool) *burst {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &burst{TB: t, conn: raw, next: 1}
	if secure { // a write is one record, however short the connection has lasted
		c.conn = tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, DynamicRecordSizingDisabled: true})
	}
	t.Cleanup(func() { _ = raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(patience))
	c.encoder = hpack.NewEncoder(&c.head)
	return c
}

// sends are n calls of SendMessage. All but the first refer to its headers.
func (c *burst) sends(n int) (out []byte) {
	message := grpcMessage(&apiv2.SendMessageRequest{Messages: []*apiv2.Message{{
		Topic:            &apiv2.Resource{Name: crowdTopic},
		SystemProperties: &apiv2.SystemProperties{MessageId: "1", MessageType: apiv2.MessageType_NORMAL},
		Body:             []byte("m"),
	}}})
	for range n {
		c.head.Reset()
		for _, field := range headerFields("burst", "SendMessage") {
			_ = c.encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
		}
		out = append(out, frame(frameHeaders, flagEndHeaders, c.next, c.head.Bytes())...)
		out = append(out, frame(frameData, flagEndStream, c.next, message)...)
		c.next += 2
	}
	return out
}

// write says all of it in one write, and over TLS in one record.
func (c *burst) write(pieces ...[]byte) {
	c.Helper()
	if _, err := c.conn.Write(bytes.Join(pieces, nil)); err != nil {
		c.Fatal(err)
	}
}

// read reads n good answers to their ends.
func (c *burst) read(n int) {
	c.Helper()
	for n > 0 {
		f, err := readFrame(c.conn)
		if err != nil {
			c.Fatal(err)
		}
		if f.kind == frameData && !bytes.Contains(f.payload, []byte{0x08, 0xA0, 0x9C, 0x01}) { // Code_OK, 20000
			c.Fatalf("stream %d is answered %q", f.stream, f.payload)
		}
		if f.kind == frameHeaders && f.flags&flagEndStream != 0 {
			n--
		}
	}
}

// ping waits for the answer to a PING: by then the proxy has nothing more to do for what came before.
func (c *burst) ping() {
	c.Helper()
	c.write(frame(framePing, 0, 0, []byte("anybody?")))
	if f, err := readFrame(c.conn); err != nil || f.kind != framePing || f.flags != flagAck {
		c.Fatalf("%+v, %v is no answer to a PING", f, err)
	}
}
