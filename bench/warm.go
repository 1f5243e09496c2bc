package bench

import (
	"fmt"
	"time"

	"rocketmq-proxy/bench/report"
)

const (
	// A peer is warm when it has worked on warmMessages, since a virtual machine compiles what has
	// run often, and what a message costs it differed by less than warmSpread in warmWindows windows
	// in a row. Processor time, because on a shared machine throughput never settles. Who is not warm
	// after warmWindowsMax is measured as it is, which is said.
	warmMessages = 500_000
	warmWindows  = 3
	warmSpread   = 0.10

	warmWindowsMax = 24
)

// warmed has a peer work in windows until what a message costs it has settled. work is one of them.
func warmed(name, workload string, messages uint64, work func() (report.Round, error)) error {
	begun, done := time.Now(), uint64(0)
	var costs []float64
	for {
		r, err := work()
		if err != nil {
			return fmt.Errorf("%s is warmed: %w", name, err)
		}
		costs = append(costs, r.CPUMicros)
		done += r.Messages
		took := time.Since(begun).Round(time.Second)
		switch {
		case done >= messages && settled(costs):
			fmt.Printf("bench: %s %s: warm after %v, us a message: %.1f\n", name, workload, took, costs)
			return nil
		case len(costs) == warmWindowsMax:
			fmt.Printf("bench: %s %s: not settled after %v, us a message: %.1f\n", name, workload, took, costs)
			return nil
		}
	}
}

func settled(costs []float64) bool {
	if len(costs) < warmWindows {
		return false
	}
	last := report.SpreadOf(costs[len(costs)-warmWindows:])
	return last.Max-last.Min < warmSpread*last.Max
}
