package handle

import "bytes"

// Parse reads a receipt handle. Handle.Broker borrows b. It is strict: at least eight fields,
// every number a number in its range, times that do not run backwards, a known mark, a broker.
// A ninth field must be a number too; what follows it is ignored, as by the reference.
func Parse(b []byte) (Handle, error) {
	f := fields{rest: b}
	var h Handle
	h.StartOffset = f.int64()
	h.RetrieveTime = f.int64()
	h.InvisibleTime = f.int64()
	h.ReviveQueueID = f.int32()
	h.TopicMark = f.mark()
	h.Broker = f.text()
	h.QueueID = f.int32()
	h.Offset = f.int64()
	h.CommitLogOffset = CommitLogOffsetAbsent
	if f.rest != nil {
		h.CommitLogOffset = f.int64()
	}
	if f.failed || !h.timesHold() {
		return Handle{}, ErrHandle
	}
	return h, nil
}

// timesHold tells that neither time is negative and that their sum does not overflow.
func (h *Handle) timesHold() bool {
	return h.RetrieveTime >= 0 && h.InvisibleTime >= 0 && h.RetrieveTime+h.InvisibleTime >= 0
}

// fields reads one field after the other and latches the first failure.
type fields struct {
	rest   []byte // nil behind the last one
	failed bool
}

func (f *fields) text() []byte {
	if f.rest == nil {
		f.failed = true
		return nil
	}
	field := f.rest
	if end := bytes.IndexByte(field, ' '); end >= 0 {
		field, f.rest = field[:end:end], field[end+1:]
	} else {
		f.rest = nil
	}
	f.failed = f.failed || len(field) == 0
	return field
}

func (f *fields) mark() byte {
	if mark := f.text(); len(mark) == 1 && mark[0] >= MarkNormal && mark[0] <= MarkRetryV2 {
		return mark[0]
	}
	f.failed = true
	return 0
}

func (f *fields) int64() int64 {
	n, ok := parseInt64(f.text())
	f.failed = f.failed || !ok
	return n
}

func (f *fields) int32() int32 {
	n := f.int64()
	f.failed = f.failed || n != int64(int32(n))
	return int32(n)
}
