package remoting

import (
	"errors"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
)

// FuzzConn feeds anything, in pieces of any size, to a connection and a lane with calls in
// flight: no panic, every call Done exactly once when it is closed, no block of memory left
// (with -tags invariants). The first byte chooses the size of the pieces.
func FuzzConn(f *testing.F) {
	answers := appendAnswer(appendFrame([]byte{7}, 17, 1, 1, "why", []byte("body")), 0, 0)
	f.Add(answers)
	f.Add(append([]byte{200}, command.AppendResponse(nil, 2, 0, "FOUND", nil, 0)...))
	f.Add(appendFrame([]byte{1}, 39, 5, 2, "", []byte("half message")))
	f.Add(appendFrame([]byte{3}, 1500, 0, 1, "please go away", nil))
	f.Add([]byte{1, 0, 0, 0, 4, 9, 0, 0, 0})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		checkNoLeak(t)
		conn := NewConn(&Config{OnRequest: func(head *command.Head, body *pool.Chain) {
			head.Value("msgId")
			body.Discard(body.Len() / 2)
		}}, epoch)
		fuzzMachine(t, conn, int(data[0])+1, data[1:], func() {})
		lane := NewLane(LaneConfig{Dial: func() {}, Hangup: func() {}})
		fuzzMachine(t, lane, int(data[0])+1, data[1:], func() { lane.Connected(epoch) })
		lane.End(nil)
	})
}

func fuzzMachine(t *testing.T, m machine, piece int, data []byte, dialled func()) {
	calls := make([]*testRequest, 4)
	for i := range calls {
		calls[i] = newRequest(time.Duration(1+i) * time.Second)
		m.Call(epoch, &calls[i].Call)
	}
	dialled()
	drain(m)
	for now := epoch; len(data) > 0; now = now.Add(time.Second) {
		n := min(piece, len(data))
		if err := feed(m, now, data[:n]); err != nil {
			m.Close(err)
			break
		}
		m.Tick(now)
		dialled()
		drain(m)
		data = data[n:]
	}
	m.Close(errors.New("over"))
	if lane, ok := m.(*Lane); ok {
		lane.End(nil)
	}
	for i, call := range calls {
		if call.ends != 1 || call.busy {
			t.Fatalf("call %d ended %d times", i, call.ends)
		}
	}
}
