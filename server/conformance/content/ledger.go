package content

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Ledger is what a receiver keeps of a series: which indexes came, how often,
// and whether they were intact. It is safe for many goroutines.
type Ledger struct {
	Series Series
	Count  int           // how many are expected, indexes 0 to Count-1
	Full   chan struct{} // closed when each expected index came at least once

	mu       sync.Mutex
	times    map[int]int
	received int
	bytes    int64
	faults   []string
}

// NewLedger expects count messages of a series.
func NewLedger(s Series, count int) *Ledger {
	return &Ledger{Series: s, Count: count, Full: make(chan struct{}), times: make(map[int]int)}
}

// Enter notes one received message. Enter borrows it.
func (l *Ledger) Enter(got Message) {
	index, err := strconv.Atoi(got.Properties["index"])
	var fault string
	switch {
	case err != nil || index < 0 || index >= l.Count:
		fault = fmt.Sprintf("not of this series: properties %q", got.Properties)
	default:
		fault = l.Series.At(index).Diff(got) // outside the lock: it makes the body again
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	l.received++
	l.bytes += int64(len(got.Body))
	if fault != "" {
		l.faults = append(l.faults, fmt.Sprintf("message %d: %s", index, fault))
		return
	}
	l.times[index]++
	if len(l.times) == l.Count && l.times[index] == 1 {
		close(l.Full)
	}
}

// Wait waits until the ledger is full, or until nothing has come for a while:
// for between one and two times idle.
func (l *Ledger) Wait(idle time.Duration) {
	tick := time.NewTicker(idle)
	defer tick.Stop()
	for before := -1; ; {
		select {
		case <-l.Full:
			return
		case <-tick.C:
		}
		l.mu.Lock()
		received := l.received
		l.mu.Unlock()
		if received == before {
			return
		}
		before = received
	}
}

// Report is a ledger's sum.
type Report struct {
	Received, Distinct, Duplicates int
	Bytes                          int64
	Missing                        []int // at most ten
	Faults                         []string
}

// Report adds up what came so far.
func (l *Ledger) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Report{Received: l.received, Distinct: len(l.times), Bytes: l.bytes, Faults: append([]string(nil), l.faults...)}
	for _, n := range l.times {
		r.Duplicates += n - 1
	}
	for i := 0; i < l.Count && len(r.Missing) < 10; i++ {
		if l.times[i] == 0 {
			r.Missing = append(r.Missing, i)
		}
	}
	return r
}
