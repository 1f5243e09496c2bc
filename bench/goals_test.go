package bench

import (
	"context"
	"testing"
	"time"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/scenario"
)

// What a message may take, and what it takes on two quiet cores, in brackets. These are counts and no times, so
// a slow machine does not break them: the less often a process runs, the more it finds to do at once.
var goals = []struct {
	scenario string
	syscalls float64 // 1 is the goal
	allocs   float64 // none is ours; netpoll makes one for each read
}{
	{"send", 1.0, 0.5},        // [0.41, 0.12]
	{"receive_ack", 1.0, 0.5}, // [0.52, 0.15]
}

func TestMessagesTakeFewSystemCallsAndAllocations(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes")
	}
	s, err := NewSuite(context.Background(), Options{Peers: []string{peer.Proxy}, Rounds: 1, Window: 300 * time.Millisecond, Brokers: 1}, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, goal := range goals {
		for _, secure := range []bool{false, true} {
			w := Workload{Scenario: goal.scenario, Conns: 4, Streams: 16, TLS: secure, Params: scenario.Default()}
			c, err := s.Run(context.Background(), w)
			if err != nil {
				t.Fatal(err)
			}
			r := c.Rounds[peer.Proxy][0]
			t.Logf("%s: %.2f allocations", w.Name(), *r.Allocs)
			if allocs := goal.allocs; *r.Allocs > allocs && !secure || *r.Allocs > 2*allocs {
				t.Errorf("%s: %.2f allocations a message, at most %.2f are the goal (twice that over TLS)", w.Name(), *r.Allocs, allocs)
			}
			if r.Syscalls == nil {
				continue // this machine does not count them, which was said
			}
			t.Logf("%s: %.2f system calls", w.Name(), *r.Syscalls)
			if *r.Syscalls > goal.syscalls {
				t.Errorf("%s: %.2f system calls a message, at most %.2f are the goal", w.Name(), *r.Syscalls, goal.syscalls)
			}
		}
	}
}
