package remoting

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
)

// epoch is when every test begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// appendFrame makes a frame with a ROCKETMQ head without ext fields.
func appendFrame(dst []byte, code, opaque, flag int32, remark string, body []byte) []byte {
	headLen := 21 + len(remark)
	dst = binary.BigEndian.AppendUint32(dst, uint32(4+headLen+len(body)))
	dst = binary.BigEndian.AppendUint32(dst, 1<<24|uint32(headLen))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	dst = append(dst, 9, 2, 1)
	dst = binary.BigEndian.AppendUint32(dst, uint32(opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(flag))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(remark)))
	dst = append(dst, remark...)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	return append(dst, body...)
}

func appendAnswer(dst []byte, code, opaque int32) []byte {
	return appendFrame(dst, code, opaque, command.FlagResponse, "", nil)
}

// testRequest is a call whose end is written down.
type testRequest struct {
	Call
	code  int32
	body  []byte
	onEnd func(reply *Reply, err error)

	ends   int
	reply  int32 // code of the answer
	got    []byte
	err    error
	opaque int32 // of the last frame
	frames int
}

func (r *testRequest) AppendFrame(out *pool.Chain, opaque int32) {
	r.opaque = opaque
	r.frames++
	if r.code < 0 {
		return // cannot be encoded
	}
	flag := int32(0)
	if r.Oneway {
		flag = command.FlagOneway
	}
	out.Commit(appendFrame(out.Reserve(64+len(r.body)), r.code, opaque, flag, "", r.body))
}

func (r *testRequest) Done(reply *Reply, err error) {
	r.ends++
	r.err = err
	if reply != nil {
		r.reply = reply.Head.Code
		r.got = reply.Body.AppendTo(r.got[:0])
	}
	if r.onEnd != nil {
		r.onEnd(reply, err)
	}
}

func newRequest(timeout time.Duration) *testRequest {
	r := &testRequest{code: 310}
	r.Request = r
	r.Deadline = epoch.Add(timeout)
	return r
}

// wantKind checks how a call ended.
func wantKind(t *testing.T, r *testRequest, kind CallErrorKind, sent bool) {
	t.Helper()
	e, ok := r.err.(*CallError)
	if !ok || r.ends != 1 {
		t.Fatalf("ended %d times with %v, want %v once", r.ends, r.err, kind)
	}
	if e.Kind != kind || e.Sent != sent {
		t.Fatalf("ended with %v, sent=%v; want %v, sent=%v", e, e.Sent, kind, sent)
	}
}

// feed gives bytes to a machine, cut into pieces of the given sizes and then the rest.
func feed(m machine, now time.Time, b []byte, pieces ...int) error {
	var in pool.Chain
	for _, n := range append(slices.Clone(pieces), len(b)) {
		n = min(n, len(b))
		in.Write(b[:n])
		if err := m.Feed(now, &in); err != nil {
			in.Release()
			return err
		}
		b = b[n:]
	}
	in.Release()
	return nil
}

func drain(m machine) []byte {
	var out pool.Chain
	m.Drain(&out)
	b := out.AppendTo(nil)
	out.Release()
	return b
}

// machine is what Conn and Lane have in common.
type machine interface {
	Feed(now time.Time, in *pool.Chain) error
	Drain(out *pool.Chain)
	Tick(now time.Time)
	Due() time.Time
	Close(cause error)
	Call(now time.Time, call *Call)
	Inflight() int
}

// checkNoLeak fails the test when it ends with blocks that were not there when it began. It
// means something only with -tags invariants.
func checkNoLeak(t testing.TB) {
	before := pool.Live()
	t.Cleanup(func() {
		if after := pool.Live(); after != before {
			t.Errorf("%d blocks of memory leaked", after-before)
		}
	})
}
