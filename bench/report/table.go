package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// Table prints the medians of every case and peer, then the ratios of ours to
// each other peer, what latency ours adds to that of bare, which has nobody in between, and what becomes of
// throughput as work grows.
func Table(w io.Writer, cases []*Case, ours, bare string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "workload\tpeer\tmsg/s\tCPU us/msg\t[min-max]\tcore %\tallocs/msg\tsyscalls/msg\tp50 us\tp99 us\tp99.9 us\tRSS MB\t")
	for _, c := range cases {
		for _, peer := range c.Peers {
			cpu := c.Spread(peer, CPUMicros)
			fmt.Fprintf(t, "%s\t%s\t%.0f\t%.2f\t[%.2f-%.2f]\t%.1f\t%s\t%s\t%.0f\t%.0f\t%.0f\t%.1f\t\n", c.Name, peer,
				c.Spread(peer, PerSecond).Median, cpu.Median, cpu.Min, cpu.Max, c.Spread(peer, CorePercent).Median, figure(c, peer, Allocs), figure(c, peer, Syscalls),
				c.Spread(peer, P50).Median, c.Spread(peer, P99).Median, c.Spread(peer, P999).Median, c.Spread(peer, RSSMB).Median)
		}
	}
	err := t.Flush()
	if err == nil && slices.ContainsFunc(cases, func(c *Case) bool { return len(c.Peers) > 1 }) {
		err = ratios(w, cases, ours)
	}
	if err == nil {
		err = added(w, cases, ours, bare)
	}
	if err == nil {
		err = growth(w, cases)
	}
	return err
}

// added prints nothing when no case has both.
func added(w io.Writer, cases []*Case, ours, bare string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	begun := false
	for _, c := range cases {
		if !slices.Contains(c.Peers, ours) || !slices.Contains(c.Peers, bare) {
			continue
		}
		if !begun {
			fmt.Fprintf(t, "\n%s adds to %s\tworkload\tp50 us\t[min..max]\tp99 us\t[min..max]\tp99.9 us\t[min..max]\t\n", ours, bare)
			begun = true
		}
		p50, p99, p999 := c.Added(ours, bare, P50), c.Added(ours, bare, P99), c.Added(ours, bare, P999)
		fmt.Fprintf(t, "\t%s\t%.0f\t[%.0f..%.0f]\t%.0f\t[%.0f..%.0f]\t%.0f\t[%.0f..%.0f]\t\n", c.Name,
			p50.Median, p50.Min, p50.Max, p99.Median, p99.Min, p99.Max, p999.Median, p999.Min, p999.Max)
	}
	return t.Flush()
}

// figure is one that not everybody has.
func figure(c *Case, peer string, f Figure) string {
	if n := c.Spread(peer, f).Median; !math.IsNaN(n) {
		return fmt.Sprintf("%.2f", n)
	}
	return "-"
}

func ratios(w io.Writer, cases []*Case, ours string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\nratio of\tworkload\tCPU/msg\t[min-max]\tmsg/s\t[min-max]\tp99\t[min-max]\tRSS\t")
	for _, c := range cases {
		for _, pair := range pairs(c.Peers, ours) {
			cpu, rate := c.Ratio(pair[0], pair[1], CPUMicros), c.Ratio(pair[0], pair[1], PerSecond)
			p99, rss := c.Ratio(pair[0], pair[1], P99), c.Ratio(pair[0], pair[1], RSSMB)
			fmt.Fprintf(t, "%s/%s\t%s\t%.3f\t[%.3f-%.3f]\t%.2f\t[%.2f-%.2f]\t%.3f\t[%.3f-%.3f]\t%.2f\t\n", pair[0], pair[1], c.Name,
				cpu.Median, cpu.Min, cpu.Max, rate.Median, rate.Min, rate.Max, p99.Median, p99.Min, p99.Max, rss.Median)
		}
	}
	return t.Flush()
}

// pairs are ours against each other, or without ours the first against the rest.
func pairs(peers []string, ours string) (all [][2]string) {
	first := ours
	if !slices.Contains(peers, ours) {
		first = peers[0]
	}
	for _, p := range peers {
		if p != first {
			all = append(all, [2]string{first, p})
		}
	}
	return all
}
