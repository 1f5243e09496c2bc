// Package lines carries a log to whoever reads it, and holds nobody up who logs: a write to a pipe whose reader
// has stopped (proxy | less) blocks, and who logs may be a poller that all clients wait for. It knows lines,
// not what they say.
//
// zerolog's diode does not do: its waiter is woken without its lock, so that the last line may lie there until the
// next one comes; its poller wakes an idle process; it drops the oldest lines; and its Close waits for ever.
package lines

import (
	"io"
	"sync"
	"time"
)

const (
	// BytesMax is how much may wait for the reader; as much again is being written.
	BytesMax = 1 << 20
	// FlushMax is how long Flush waits for the reader.
	FlushMax = 500 * time.Millisecond
)

// Writer hands lines on in the order in which they came. What there is no room for is dropped until the reader
// has read on, and then one line in its place says how many lines that were.
//
//	idle ──Write──► a goroutine writes ──nothing waits──► idle
//	                   │ ▲
//	                   └─┘ Write: it is written next, with all that waits
//
// So an idle Writer has no goroutine, and nothing to close.
type Writer struct {
	out io.Writer
	gap func(dropped int) []byte

	mu      sync.Mutex
	waiting []byte        // whole lines
	dropped int           // lines behind these
	done    chan struct{} // closed when nothing is left; nil: nothing is being written
	failed  error         // a write whose failure nobody was told of
}

// New returns a Writer to out. gap is the line that stands for dropped ones; it must not log.
func New(out io.Writer, gap func(dropped int) []byte) *Writer { return &Writer{out: out, gap: gap} }

// Write copies a whole line, and never blocks. Its error is that of an earlier line.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dropped > 0 || len(w.waiting)+len(line) > BytesMax {
		w.dropped++ // a later line that has room would come before this one is told of
	} else {
		w.waiting = append(w.waiting, line...)
	}
	if w.done == nil {
		w.done = make(chan struct{})
		go w.run()
	}
	err := w.failed
	w.failed = nil
	return len(line), err
}

// run writes until nothing waits.
func (w *Writer) run() {
	var batch []byte
	for {
		var dropped int
		var more bool
		if batch, dropped, more = w.next(batch); !more {
			return
		}
		if dropped > 0 {
			batch = append(batch, w.gap(dropped)...)
		}
		if _, err := w.out.Write(batch); err != nil {
			w.mu.Lock()
			w.failed = err
			w.mu.Unlock()
		}
	}
}

// next exchanges what was written for what waits.
func (w *Writer) next(written []byte) (batch []byte, dropped int, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 && w.dropped == 0 {
		close(w.done)
		w.done = nil
		return nil, 0, false
	}
	batch, dropped = w.waiting, w.dropped
	w.waiting, w.dropped = keep(written), 0
	return batch, dropped, true
}

// keptBytesMax is the largest block that is used again: a burst must not pin its memory.
const keptBytesMax = 64 << 10

func keep(block []byte) []byte {
	if cap(block) > keptBytesMax {
		return nil
	}
	return block[:0]
}

// Flush waits until all has been written that was logged, FlushMax at most, and tells whether it has.
func (w *Writer) Flush() bool {
	w.mu.Lock()
	done := w.done
	w.mu.Unlock()
	if done == nil {
		return true
	}
	patience := time.NewTimer(FlushMax)
	defer patience.Stop()
	select {
	case <-done:
		return true
	case <-patience.C:
		return false
	}
}

// Close flushes. It is for zerolog, which closes what it writes to before a fatal line ends the process; more
// may be written.
func (w *Writer) Close() error {
	w.Flush()
	return nil
}
