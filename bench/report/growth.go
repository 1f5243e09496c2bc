package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// growing are the axes along which a message should cost the same.
var growing = []string{"connections", "topics", "brokers"}

// growthLossMax is the share of its best throughput that a peer may lose as work grows.
const growthLossMax = 0.2

// growths are the sweeps of all growing axes, those of an axis that another makes needless in a plot included.
func growths(cases []*Case) (all []sweep) {
	for i := range axes {
		if slices.Contains(growing, axes[i].slug) {
			all = append(all, sweepsOf(cases, &axes[i])...)
		}
	}
	return all
}

// fair tells whether the cases differ in nothing that is no growth: connections that bring requests of their own along
// have more in flight, and cost less a message for that.
func (s sweep) fair() bool {
	return s.axis.slug != "connections" || s.held.rate > 0 || s.cases[0].Streams != s.cases[len(s.cases)-1].Streams
}

// growth prints, for each axis that cases run along, how much of its best throughput each peer keeps in the worst
// of them, and what a message costs. At a fixed rate throughput says only whether the peer kept up.
func growth(w io.Writer, cases []*Case) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	begun := false
	for _, s := range growths(cases) {
		if !s.fair() {
			continue
		}
		if !begun {
			fmt.Fprintf(t, "\nas work grows\tpeer\tmsg/s, worst of best\tat\twithin %.0f %%\tCPU us/msg\t\n", 100*growthLossMax)
			begun = true
		}
		at := func(c *Case) float64 { return s.axis.at(placeOf(c)) }
		first, last := at(s.cases[0]), at(s.cases[len(s.cases)-1])
		for _, peer := range s.cases[0].Peers {
			along := slices.DeleteFunc(slices.Clone(s.cases), func(c *Case) bool { return len(c.Rounds[peer]) == 0 })
			of := func(f Figure, c *Case) float64 { return c.Spread(peer, f).Median }
			by := func(f Figure) func(x, y *Case) int {
				return func(x, y *Case) int { return cmp.Compare(of(f, x), of(f, y)) }
			}
			worst, best := slices.MinFunc(along, by(PerSecond)), slices.MaxFunc(along, by(PerSecond))
			cheap, dear := slices.MinFunc(along, by(CPUMicros)), slices.MaxFunc(along, by(CPUMicros))
			kept := of(PerSecond, worst) / of(PerSecond, best)
			verdict := "yes"
			if kept < 1-growthLossMax {
				verdict = "no"
			}
			fmt.Fprintf(t, "%s: %s..%s (%s)\t%s\t%.2f\t%s\t%s\t%.2f..%.2f\t\n", s.held.workload, grouped(first), grouped(last)+" "+s.axis.title, s.note(),
				peer, kept, grouped(at(worst)), verdict, of(CPUMicros, cheap), of(CPUMicros, dear))
		}
	}
	return t.Flush()
}
