// Command benchcheck compares what a message costs the proxy of this tree with what it cost at a
// commit, on this machine, and ends with 1 when it costs more outside the noise, with 2 when there
// was nothing to compare. It runs at the root of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"rocketmq-proxy/bench"
	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
)

func main() {
	base := flag.String("base", "HEAD~1", "the commit to compare with")
	pairs := flag.Int("pairs", 12, fmt.Sprintf("pairs of processes for each workload, at least %d", report.VerdictPairsMin))
	seconds := flag.Float64("seconds", 0.5, "length of each measured window; a pair has "+strconv.Itoa(2*bench.CheckTurns)+" of them")
	threshold := flag.Float64("threshold", 0.03, "growth of CPU a message that nobody minds, as a part of it")
	flag.Parse()
	if *pairs < report.VerdictPairsMin || *seconds <= 0 || *threshold < 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	o := bench.Options{Window: time.Duration(*seconds * float64(time.Second)), Brokers: 1}
	worse, err := check(o, *base, *pairs, *threshold)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "benchcheck:", err)
		os.Exit(2)
	case worse:
		os.Exit(1)
	}
}

// check measures and prints, unless it is interrupted.
func check(o bench.Options, base string, pairs int, threshold float64) (worse bool, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	cases, err := measure(ctx, o, base, pairs)
	if err != nil {
		return false, err
	}
	return judge(os.Stdout, cases, base, threshold)
}

func measure(ctx context.Context, o bench.Options, base string, pairs int) (cases []*report.Case, err error) {
	s, err := bench.NewCheck(ctx, o, "bench", base)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, w := range bench.CheckWorkloads() {
		if _, err := s.Compare(ctx, w, pairs); err != nil {
			return nil, err
		}
	}
	return s.Cases, nil
}

// judge prints the table and says whether any workload has become worse.
func judge(out io.Writer, cases []*report.Case, base string, threshold float64) (worse bool, err error) {
	fmt.Fprintf(out, "CPU us a message of this tree beside %s; worse is a median ratio above %.3f with its whole interval above 1\n\n", base, 1+threshold)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "workload\tbase\ttree\tratio\tinterval\tconfidence\tpairs\tverdict\t")
	for _, c := range cases {
		ratios := report.Means(c.Ratios(peer.Tree, peer.Base, report.CPUMicros), bench.CheckTurns)
		v, err := report.Judge(ratios, threshold)
		if err != nil {
			return false, fmt.Errorf("%s: %w", c.Name, err)
		}
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.3f\t[%.3f-%.3f]\t%.1f%%\t%d\t%s\t\n", c.Name, c.Spread(peer.Base, report.CPUMicros).Median,
			c.Spread(peer.Tree, report.CPUMicros).Median, v.Median, v.Low, v.High, 100*v.Confidence, len(ratios), v.Outcome)
		worse = worse || v.Outcome == report.Worse
	}
	return worse, t.Flush()
}
