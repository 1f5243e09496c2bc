// Package report turns measurements into figures: medians and spreads over
// alternating rounds, ratios within rounds, a table and a JSON file.
package report

import (
	"math"
	"slices"
)

// Round is what one measured window of one peer showed. Unit messages are the
// workload's: one sent, one received and acknowledged, one route answered.
type Round struct {
	PerSecond float64            `json:"messagesPerSecond"`
	CPUMicros float64            `json:"cpuMicrosPerMessage"`          // user and system, of the peer's process
	Allocs    *float64           `json:"allocsPerMessage,omitempty"`   // heap objects, where the peer counts them
	Syscalls  *float64           `json:"syscallsPerMessage,omitempty"` // where they were counted
	RSSBytes  uint64             `json:"rssBytes"`                     // at the end of the window
	Messages  uint64             `json:"messages"`
	Latency   map[string]Latency `json:"latency"` // by kind of request
	LateP99   float64            `json:"pacerLateP99Micros,omitempty"`
}

// Latency is a distribution in microseconds.
type Latency struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99.9"`
	P9999 float64 `json:"p99.99"`
	Max   float64 `json:"max"`
}

// Case is one workload with what every peer showed, round by round: the i-th
// rounds of all peers ran one after the other.
type Case struct {
	Name      string             `json:"name"`
	Conns     int                `json:"connections"`
	Streams   int                `json:"streamsPerConnection"`
	Rate      float64            `json:"ratePerSecond,omitempty"` // 0 for a closed loop
	BodyBytes int                `json:"bodyBytes,omitempty"`     // of a message
	Kind      string             `json:"kind"`                    // of request whose latency is shown
	Peers     []string           `json:"peers"`                   // in the order they ran
	Rounds    map[string][]Round `json:"rounds"`
}

// Spread is a median and the range it was taken from.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SpreadOf sorts a copy of v.
func SpreadOf(v []float64) Spread {
	if len(v) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	s := slices.Sorted(slices.Values(v))
	middle := s[len(s)/2]
	if len(s)%2 == 0 {
		middle = (s[len(s)/2-1] + middle) / 2
	}
	return Spread{middle, s[0], s[len(s)-1]}
}

// Figure is one number of a round.
type Figure func(c *Case, r *Round) float64

// The figures that are shown.
var (
	PerSecond Figure = func(_ *Case, r *Round) float64 { return r.PerSecond }
	CPUMicros Figure = func(_ *Case, r *Round) float64 { return r.CPUMicros }
	Allocs    Figure = func(_ *Case, r *Round) float64 { return counted(r.Allocs) }
	Syscalls  Figure = func(_ *Case, r *Round) float64 { return counted(r.Syscalls) }
	P50       Figure = func(c *Case, r *Round) float64 { return r.Latency[c.Kind].P50 }
	P99       Figure = func(c *Case, r *Round) float64 { return r.Latency[c.Kind].P99 }
	P999      Figure = func(c *Case, r *Round) float64 { return r.Latency[c.Kind].P999 }
	RSSMB     Figure = func(_ *Case, r *Round) float64 { return float64(r.RSSBytes) / (1 << 20) }

	// CorePercent is how busy the peer keeps one processor.
	CorePercent Figure = func(_ *Case, r *Round) float64 { return r.CPUMicros * r.PerSecond / 1e4 }
)

// counted is NaN where nobody counted.
func counted(n *float64) float64 {
	if n == nil {
		return math.NaN()
	}
	return *n
}

// Spread of one figure of one peer over the rounds.
func (c *Case) Spread(peer string, f Figure) Spread {
	var v []float64
	for i := range c.Rounds[peer] {
		v = append(v, f(c, &c.Rounds[peer][i]))
	}
	return SpreadOf(v)
}

// Ratios are a over b, computed within each round: what slows the machine for a while slows both.
func (c *Case) Ratios(a, b string, f Figure) []float64 {
	return c.within(a, b, f, func(x, y float64) float64 { return x / y })
}

// Added sums up what a has more than b, computed within each round as ratios are.
func (c *Case) Added(a, b string, f Figure) Spread {
	return SpreadOf(c.within(a, b, f, func(x, y float64) float64 { return x - y }))
}

// within holds a figure of a against that of b, round by round.
func (c *Case) within(a, b string, f Figure, held func(x, y float64) float64) (v []float64) {
	for i := range min(len(c.Rounds[a]), len(c.Rounds[b])) {
		v = append(v, held(f(c, &c.Rounds[a][i]), f(c, &c.Rounds[b][i])))
	}
	return v
}

// Means are the geometric means of each n ratios in a row, a rest left out.
func Means(ratios []float64, n int) (means []float64) {
	for ; len(ratios) >= n; ratios = ratios[n:] {
		logs := 0.0
		for _, r := range ratios[:n] {
			logs += math.Log(r)
		}
		means = append(means, math.Exp(logs/float64(n)))
	}
	return means
}

// Ratio sums the ratios within rounds up.
func (c *Case) Ratio(a, b string, f Figure) Spread { return SpreadOf(c.Ratios(a, b, f)) }
