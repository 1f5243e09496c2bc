package local

import (
	"errors"
	"strconv"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// UpdateOffset implements backend.Backend. It is answered when the offset is on disk.
func (l *Local) UpdateOffset(op *backend.UpdateOffset, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		l.settle(&op.Exchange, l.updateOffset(op))
	}))
}

func (l *Local) updateOffset(op *backend.UpdateOffset) backend.Fault {
	t, queue, f := l.readQueue(&op.Queue)
	if !f.OK() {
		return f
	}
	g := l.useGroup(textOf(op.Group))
	if g == nil {
		return noGroup(op.Group)
	}
	switch err := l.broker.SetPosition(g, t, op.ID, op.Offset); {
	case errors.Is(err, broker.ErrPosition):
		return backend.Fault{Kind: backend.BadOffset, Text: "offset " + strconv.FormatInt(op.Offset, 10) + " is illegal: the queue ends at " +
			strconv.FormatInt(queue.End, 10)}
	case err != nil:
		return internal(err)
	}
	return backend.Fault{}
}

// GetOffset implements backend.Backend. It is answered when the offset is on disk, so that
// nobody goes by one that a crash takes back.
func (l *Local) GetOffset(op *backend.GetOffset, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		l.settle(&op.Exchange, l.getOffset(op))
	}))
}

func (l *Local) getOffset(op *backend.GetOffset) backend.Fault {
	t, _, f := l.readQueue(&op.Queue)
	if !f.OK() {
		return f
	}
	if g := l.broker.Group(textOf(op.Group)); g != nil {
		var known bool
		if op.Offset, known = g.Position(t, op.ID); known {
			return backend.Fault{}
		}
	}
	return backend.Fault{Kind: backend.OffsetNotFound, Text: "group " + string(op.Group) + " has no offset in the queue"}
}

// QueryOffset implements backend.Backend.
func (l *Local) QueryOffset(op *backend.QueryOffset, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		t, queue, f := l.readQueue(&op.Queue)
		switch op.Fault = f; {
		case !f.OK():
		case op.At == backend.AtBeginning:
			op.Offset = queue.First
		case op.At == backend.AtEnd:
			op.Offset = queue.End
		default:
			op.Offset = l.broker.OffsetSince(t, op.ID, op.Timestamp)
		}
		op.Reply(l.turn)
	}))
}
