package stub

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"net"
	"strconv"
	"testing"
	"time"

	"rocketmq-proxy/bench/hostclock"
)

// client is one connection to the stub.
type client struct {
	*testing.T
	nc net.Conn
}

func dial(t *testing.T, s *Server) client {
	t.Helper()
	nc, err := net.Dial("tcp", s.Brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return client{t, nc}
}

func (c client) write(frame []byte) {
	c.Helper()
	if _, err := c.nc.Write(frame); err != nil {
		c.Fatal(err)
	}
}

func (c client) poll(topic string, opaque, messages int, wait time.Duration) {
	c.Helper()
	c.write(jsonRequest(codePop, opaque, 0, map[string]string{"topic": topic, "queueId": "-1", "maxMsgNums": strconv.Itoa(messages),
		"invisibleTime": "60000", "pollTime": strconv.FormatInt(wait.Milliseconds(), 10)}, nil))
}

// send is answered when the message has arrived.
func (c client) send(topic string) {
	c.Helper()
	c.write(jsonRequest(codeSendV2, 1, 0, map[string]string{"b": topic, "e": "0"}, []byte("hello")))
	if opaque, code, _ := c.heard(); opaque != 1 || code != 0 {
		c.Fatalf("a send is answered with code %d, opaque %d", code, opaque)
	}
}

// heard reads an answer. Arrived are the times in the messages.
func (c client) heard() (opaque, code int, arrived []int64) {
	c.Helper()
	head, body := split(readFrame(c.T, c.nc))
	var h struct {
		Code, Opaque int
		ExtFields    map[string]string
	}
	if err := json.Unmarshal(head, &h); err != nil {
		c.Fatal(err)
	}
	for len(body) > 0 {
		n := binary.BigEndian.Uint32(body)
		m := body[bodyAt:][:binary.BigEndian.Uint32(body[recordBodyLen:])]
		if crc := crc32.ChecksumIEEE(m) & 0x7fffffff; crc != binary.BigEndian.Uint32(body[bodyCRCAt:]) {
			c.Error("the checksum of a body is not right")
		}
		arrived = append(arrived, int64(binary.BigEndian.Uint64(m)))
		body = body[n:]
	}
	return h.Opaque, h.Code, arrived
}

func (c client) expect(opaque, code, messages int) []int64 {
	c.Helper()
	gotOpaque, gotCode, arrived := c.heard()
	if gotOpaque != opaque || gotCode != code || len(arrived) != messages {
		c.Fatalf("opaque %d, code %d, %d messages; want %d, %d, %d", gotOpaque, gotCode, len(arrived), opaque, code, messages)
	}
	return arrived
}

func TestPollWaitsForAMessage(t *testing.T) {
	s := start(t, Config{})
	waits, sends := dial(t, s), dial(t, s)
	waits.poll(PollTopic+"1", 7, 32, time.Minute)
	waits.poll("Other", 8, 2, time.Minute)
	waits.expect(8, 0, 2) // behind which the first has been read
	sends.send(PollTopic + "2")
	sends.send("Other")
	before := hostclock.Now()
	sends.send(PollTopic + "1")
	after := hostclock.Now()
	if at := waits.expect(7, 0, 1)[0]; at < before || at > after {
		t.Errorf("a message arrived at %d, which is not from %d to %d", at, before, after)
	}
	if n := s.Counters(); n.Popped != 3 || n.Sent != 3 {
		t.Errorf("counters %+v", n)
	}
}

func TestPollTakesWhatHasArrived(t *testing.T) {
	s := start(t, Config{})
	c := dial(t, s)
	for range 3 {
		c.send(PollTopic)
	}
	c.poll(PollTopic, 5, 2, time.Minute)
	if at := c.expect(5, 0, 2); at[0] >= at[1] {
		t.Errorf("messages that arrived at %v", at)
	}
	c.poll(PollTopic, 6, 2, 0)
	c.expect(6, 0, 1)
}

func TestPollEndsWithoutAMessage(t *testing.T) {
	s := start(t, Config{})
	c := dial(t, s)
	c.poll(PollTopic, 5, 1, 0)
	c.expect(5, codePullNotFound, 0)
	begun := time.Now()
	c.poll(PollTopic, 6, 1, 50*time.Millisecond)
	c.expect(6, codePollingTimeout, 0)
	if took := time.Since(begun); took < 50*time.Millisecond {
		t.Errorf("it waited %v only", took)
	}
	c.send(PollTopic) // which waits, since the poll does no longer
	c.poll(PollTopic, 7, 1, time.Minute)
	c.expect(7, 0, 1)
}

func TestPollsAreServedInTurn(t *testing.T) {
	s := start(t, Config{})
	first, second, gone := dial(t, s), dial(t, s), dial(t, s)
	gone.poll(PollTopic, 1, 1, time.Minute)
	gone.poll("Other", 2, 1, 0)
	gone.expect(2, 0, 1)
	first.poll(PollTopic, 3, 1, time.Minute)
	first.poll("Other", 4, 1, 0)
	first.expect(4, 0, 1)
	second.poll(PollTopic, 5, 1, time.Minute)
	second.poll("Other", 6, 1, 0)
	second.expect(6, 0, 1)
	gone.nc.Close()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // until the stub has seen it
		s.polls.mu.Lock()
		waiting := len(s.polls.topics[PollTopic].waiting)
		s.polls.mu.Unlock()
		if waiting == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d polls wait", waiting)
		}
	}
	sends := dial(t, s)
	sends.send(PollTopic)
	first.expect(3, 0, 1)
	sends.send(PollTopic)
	second.expect(5, 0, 1)
}
