package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rocketmq-proxy/bench/report/plot"
)

// peerStyles are the colours and shapes of the peers that every run knows; others get what is left.
var peerStyles = map[string]int{"proxy": 0, "local": 0, "tree": 0, "grpcgo": 1, "javalocal": 1, "base": 1, "relay": 2, "java": 3, "remoting": 5, "direct": 6}

// figures draws the cases of one document.
type figures struct {
	cases  []*Case
	peers  []string // of all cases, in the order they ran
	styles map[string]int
}

func newFigures(cases []*Case) *figures {
	f := &figures{cases: cases, styles: map[string]int{}}
	taken := map[int]bool{}
	for _, c := range cases {
		for _, p := range c.Peers {
			if !slices.Contains(f.peers, p) {
				f.peers = append(f.peers, p)
			}
		}
	}
	for _, p := range f.peers {
		if style, known := peerStyles[p]; known && !taken[style] {
			f.styles[p], taken[style] = style, true
		}
	}
	for _, p := range f.peers {
		if _, has := f.styles[p]; !has {
			style := 0
			for taken[style] {
				style++
			}
			f.styles[p], taken[style] = style, true
		}
	}
	return f
}

// series has an empty one for each peer of the cases.
func (f *figures) series(cases []*Case) (all []plot.Series) {
	for _, p := range f.peers {
		if slices.ContainsFunc(cases, func(c *Case) bool { return len(c.Rounds[p]) > 0 }) {
			all = append(all, plot.Series{Name: p, Style: f.styles[p]})
		}
	}
	return all
}

func point(x float64, s Spread) plot.Point {
	return plot.Point{X: x, Y: s.Median, Low: s.Min, High: s.Max}
}

func nonEmpty(plots []plot.Plot) []plot.Plot {
	return slices.DeleteFunc(plots, plot.Plot.Empty)
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// slug makes a name fit for a file.
func slug(parts ...string) string {
	clean := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}
	words := strings.FieldsFunc(strings.Map(clean, strings.ToLower(strings.Join(parts, "-"))), func(r rune) bool { return r == '-' })
	return strings.Join(words, "-")
}

// growth is what a message costs along every axis on which the cases differ.
func (f *figures) growth() (all []plot.Plot) {
	for _, s := range sweeps(f.cases) {
		for _, cost := range s.axis.cost {
			l := &plot.Lines{
				Head:   plot.Head{Slug: slug(s.held.workload, cost.slug, s.axis.slug), Title: s.held.workload + ": " + cost.title + " against " + s.axis.title, Note: s.note()},
				X:      plot.Axis{Title: s.axis.title, Log: true},
				Y:      plot.Axis{Title: cost.unit},
				Series: f.series(s.cases),
			}
			for i := range l.Series {
				peer := &l.Series[i]
				for _, c := range s.cases {
					p := point(s.axis.at(placeOf(c)), c.Spread(peer.Name, cost.figure))
					p.Name = c.Name
					peer.Points = append(peer.Points, p)
				}
			}
			all = append(all, l)
		}
	}
	return nonEmpty(all)
}

// quantile is a figure of the latency of a case's own kind of request.
type quantile struct {
	name   string
	figure Figure
}

// quantiles stand at equal distances: each has a tenth of the one before it beyond (or a fifth).
var quantiles = []quantile{
	{"p50", P50},
	{"p90", func(c *Case, r *Round) float64 { return r.Latency[c.Kind].P90 }},
	{"p99", P99},
	{"p99.9", P999},
	{"p99.99", func(c *Case, r *Round) float64 { return r.Latency[c.Kind].P9999 }},
}

// measured is the spread of a latency, which 0 says nothing about.
func measured(c *Case, peer string, figure Figure) Spread {
	s := c.Spread(peer, figure)
	if s.Median == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return s
}

func (f *figures) fixedRates() (cases []*Case) {
	for _, c := range f.cases {
		if c.Rate > 0 {
			cases = append(cases, c)
		}
	}
	return cases
}

// latencies are the distributions at each fixed rate, on one common scale, so that plots can be compared.
func (f *figures) latencies() (all []plot.Plot) {
	cases := f.fixedRates()
	x := plot.Axis{Title: "percentile"}
	for i, q := range quantiles {
		x.Ticks = append(x.Ticks, plot.Tick{Value: float64(i), Name: q.name})
	}
	y := plot.Axis{Title: "latency", Format: plot.Micros, Log: true}
	for _, c := range cases {
		l := &plot.Lines{
			Head: plot.Head{Slug: slug(c.Name, "latency"), Title: fmt.Sprintf("%s: latency at %s/s", placeOf(c).workload, grouped(c.Rate)),
				Note: c.Name},
			X: x, Series: f.series([]*Case{c}),
		}
		for i := range l.Series {
			peer := &l.Series[i]
			for at, q := range quantiles {
				p := point(float64(at), measured(c, peer.Name, q.figure))
				peer.Points = append(peer.Points, p)
				y.Span = append(y.Span, p.Low, p.High)
			}
		}
		all = append(all, l)
	}
	for _, p := range all {
		p.(*plot.Lines).Y = y
	}
	return nonEmpty(all)
}

// latencyAgainstLoad has a plot for each percentile, where a workload has run at several rates.
func (f *figures) latencyAgainstLoad() (all []plot.Plot) {
	for _, s := range sweeps(f.cases) {
		if s.axis.slug != "load" {
			continue
		}
		for _, q := range quantiles {
			l := &plot.Lines{
				Head:   plot.Head{Slug: slug(s.held.workload, q.name, s.axis.slug), Title: s.held.workload + ": " + q.name + " against load", Note: s.note()},
				X:      plot.Axis{Title: s.axis.title, Log: true},
				Y:      plot.Axis{Title: q.name + " latency", Format: plot.Micros, Log: true},
				Series: f.series(s.cases),
			}
			for i := range l.Series {
				peer := &l.Series[i]
				for _, c := range s.cases {
					peer.Points = append(peer.Points, point(c.Rate, measured(c, peer.Name, q.figure)))
				}
			}
			all = append(all, l)
		}
	}
	return nonEmpty(all)
}

// barsMax is how many workloads are in one plot.
const barsMax = 8

// bars compare the peers on each workload. Those at a fixed rate are no throughput.
func (f *figures) bars() (all []plot.Plot) {
	cases := crossings(f.cases)
	closed := slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return c.Rate > 0 })
	all = append(f.barsOf(cases, cpuCost), f.barsOf(closed, rateCost)...)
	return nonEmpty(all)
}

func (f *figures) barsOf(cases []*Case, cost cost) (all []plot.Plot) {
	parts := slices.Collect(slices.Chunk(cases, barsMax))
	for i, part := range parts {
		b := &plot.Bars{
			Head:   plot.Head{Slug: slug(cost.slug, "bars"), Title: capital(cost.title), Note: "medians, with the least and the most of the rounds"},
			Y:      plot.Axis{Title: cost.unit},
			Series: f.series(part),
		}
		if len(parts) > 1 {
			b.Title = fmt.Sprintf("%s, %d of %d", b.Title, i+1, len(parts))
		}
		for _, c := range part {
			b.Groups = append(b.Groups, c.Name)
			for i := range b.Series {
				b.Series[i].Points = append(b.Series[i].Points, point(0, c.Spread(b.Series[i].Name, cost.figure)))
			}
		}
		all = append(all, b)
	}
	return all
}
