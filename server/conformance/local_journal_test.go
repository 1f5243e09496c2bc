package conformance

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// fate is what is known of one message.
type fate struct {
	id       string
	group    string // message group; empty: none
	number   int    // in its group
	acked    bool   // the send was acknowledged
	failed   bool   // it was not, and will not be: nobody knows whether the message is there
	came     int    // deliveries
	consumed consumption
	at       time.Time // when consumed became certain
}

type consumption int

const (
	notConsumed consumption = iota
	maybe                   // an acknowledgement was sent, and nobody knows what became of it
	certainly               // and it was answered in time
)

// journal is the model that a store is held to: what was acknowledged and what came.
type journal struct {
	mu      sync.Mutex
	sent    map[string]*fate
	groups  map[string][]*fate // by number
	settled map[string]int     // of a group: nothing is to be waited for below this number
	waiting int                // acknowledged sends that nobody has tried to consume
	faults  []string
}

func newJournal() *journal {
	return &journal{sent: map[string]*fate{}, groups: map[string][]*fate{}, settled: map[string]int{}}
}

// send enters a message before it is sent.
func (j *journal) send(id, group string) *fate {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := &fate{id: id, group: group}
	j.sent[id] = f
	if group != "" {
		f.number = len(j.groups[group])
		j.groups[group] = append(j.groups[group], f)
	}
	return f
}

func (j *journal) acknowledged(f *fate) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f.acked = true
	if f.consumed == notConsumed {
		j.waiting++
	}
}

func (j *journal) failed(f *fate) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f.failed = true
}

// receive enters what one receive brought, which began at asked, and tells what is known of it.
func (j *journal) receive(ids []string, asked time.Time) (all []*fate) {
	j.mu.Lock()
	defer j.mu.Unlock()
	here := map[*fate]bool{}
	for _, id := range ids {
		f := j.sent[id]
		if f == nil {
			j.fault("message %s came, and nobody sent it", id)
			continue
		}
		if f.consumed == certainly && f.at.Before(asked) {
			j.fault("message %s came again %v after its acknowledgement was answered", f.name(), asked.Sub(f.at))
		}
		line := j.groups[f.group]
		for j.settled[f.group] < len(line) && line[j.settled[f.group]].settled() {
			j.settled[f.group]++
		}
		for n := j.settled[f.group]; n < f.number && f.group != ""; n++ {
			before := line[n]
			if before.acked && before.consumed == notConsumed && !here[before] {
				j.fault("message %s came before %s, which is not consumed (it came %d times)", f.name(), before.name(), before.came)
				break
			}
		}
		here[f] = true
		f.came++
		all = append(all, f)
	}
	return all
}

func (f *fate) settled() bool { return f.failed || f.consumed != notConsumed }

func (f *fate) name() string {
	if f.group == "" {
		return f.id
	}
	return fmt.Sprintf("%s of group %s number %d", f.id, f.group, f.number)
}

// consuming enters that an acknowledgement is on its way.
func (j *journal) consuming(all []*fate) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, f := range all {
		if f.acked && f.consumed == notConsumed {
			j.waiting--
		}
		f.consumed = max(f.consumed, maybe)
	}
}

// consumed enters that it was answered, so early that it was for the last delivery.
func (j *journal) consumed(f *fate) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f.consumed, f.at = certainly, time.Now()
}

func (j *journal) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

// unconsumed is how many acknowledged messages nobody has tried to consume yet.
func (j *journal) unconsumed() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.waiting
}

// judge says what went wrong, in the end.
func (j *journal) judge(t *testing.T) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	sends, again, consumed, lost := 0, 0, 0, 0
	for _, f := range j.sent {
		if f.acked {
			sends++
			if f.came == 0 {
				if lost++; lost <= 3 {
					t.Errorf("message %s was acknowledged and is lost", f.name())
				}
			}
		}
		if f.consumed == certainly {
			consumed++
		}
		again += max(0, f.came-1)
	}
	for i, fault := range j.faults {
		if i == 5 {
			t.Errorf("and %d faults more", len(j.faults)-i)
			break
		}
		t.Error(fault)
	}
	t.Logf("%d messages sent, %d of them acknowledged, %d lost; %d certainly consumed; %d came again, as they may; %d faults",
		len(j.sent), sends, lost, consumed, again, len(j.faults))
}
