package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// place is where a case stands on each axis, and what the axes do not say.
type place struct {
	workload                                    string // the scenario and what else its name has: receive_ack/batch32
	conns, streams, body, topics, brokers, rate float64
}

// bodyBytes of a case that names none: the workload of the issue.
const bodyBytes = 256

var (
	namedSize = regexp.MustCompile(`^\d+x\d+$`) // connections x streams
	namedBody = regexp.MustCompile(`^(\d+)B$`)
	namedAxis = regexp.MustCompile(`^(topics|brokers|rate)(\d+)$`)
)

// placeOf takes a case's name apart; its fields know better where they know.
func placeOf(c *Case) place {
	p := place{conns: float64(c.Conns), streams: float64(c.Streams), body: bodyBytes, topics: 1, brokers: 1}
	var rest []string
	for part := range strings.SplitSeq(c.Name, "/") {
		if m := namedBody.FindStringSubmatch(part); m != nil {
			p.body, _ = strconv.ParseFloat(m[1], 64)
			continue
		}
		if m := namedAxis.FindStringSubmatch(part); m != nil {
			v, _ := strconv.ParseFloat(m[2], 64)
			switch m[1] {
			case "topics":
				p.topics = v
			case "brokers":
				p.brokers = v
			}
			continue
		}
		if !namedSize.MatchString(part) {
			rest = append(rest, part)
		}
	}
	if c.BodyBytes > 0 {
		p.body = float64(c.BodyBytes)
	}
	p.rate = c.Rate
	p.workload = strings.Join(rest, "/")
	return p
}

// axis is something that grows from case to case.
type axis struct {
	slug  string
	title string
	at    func(place) float64
	key   func(place) place // the place without this axis: cases that differ in nothing else have the same
	least int               // cases that show anything
	cost  []cost            // what is plotted over it

	instead bool // only for workloads of which the axis before it showed nothing
}

// cost is a figure with its words.
type cost struct {
	slug, title, unit string
	figure            Figure
}

var (
	cpuCost    = cost{"cpu", "CPU a message", "CPU µs a message", CPUMicros}
	rateCost   = cost{"throughput", "throughput", "messages/s", PerSecond}
	memoryCost = cost{"rss", "memory", "resident MB", RSSMB}
)

// axes in the order of their plots. Requests in flight can grow on the same connections or with them;
// connections can bring their requests along or share the same number.
var axes = []axis{
	{
		slug: "in-flight", title: "requests in flight", least: 3, cost: []cost{cpuCost, rateCost},
		at: place.inFlight, key: func(p place) place { p.streams = 0; return p },
	},
	{
		slug: "in-flight", title: "requests in flight", least: 3, cost: []cost{cpuCost, rateCost}, instead: true,
		at: place.inFlight, key: func(p place) place { p.streams, p.conns = 0, 0; return p },
	},
	{
		slug: "connections", title: "connections", least: 2, cost: []cost{cpuCost, rateCost, memoryCost},
		at: func(p place) float64 { return p.conns }, key: func(p place) place { p.conns = 0; return p },
	},
	{
		slug: "connections", title: "connections", least: 3, cost: []cost{cpuCost, rateCost, memoryCost}, instead: true,
		at: func(p place) float64 { return p.conns }, key: func(p place) place { p.streams, p.conns = p.inFlight(), 0; return p },
	},
	{
		slug: "body", title: "bytes of body", least: 2, cost: []cost{cpuCost, rateCost},
		at: func(p place) float64 { return p.body }, key: func(p place) place { p.body = 0; return p },
	},
	{
		slug: "topics", title: "topics", least: 2, cost: []cost{cpuCost, rateCost, memoryCost},
		at: func(p place) float64 { return p.topics }, key: func(p place) place { p.topics = 0; return p },
	},
	{
		slug: "brokers", title: "brokers", least: 2, cost: []cost{cpuCost, rateCost, memoryCost},
		at: func(p place) float64 { return p.brokers }, key: func(p place) place { p.brokers = 0; return p },
	},
	{
		slug: "load", title: "messages/s asked for", least: 2, cost: []cost{cpuCost},
		at: func(p place) float64 { return p.rate }, key: func(p place) place { p.rate = 0; return p },
	},
}

func (p place) inFlight() float64 { return p.conns * p.streams }

// sweep is cases that differ in one axis, by rising value, no two at the same.
type sweep struct {
	axis  *axis
	held  place // the axis's own fields are 0
	cases []*Case
}

// sweepsOf finds what can be plotted over an axis.
func sweepsOf(cases []*Case, a *axis) (all []sweep) {
	for _, c := range cases {
		p := placeOf(c)
		if a.at(p) == 0 { // as a closed loop has no rate
			continue
		}
		key := a.key(p)
		i := slices.IndexFunc(all, func(s sweep) bool { return s.held == key })
		if i < 0 {
			i = len(all)
			all = append(all, sweep{axis: a, held: key})
		}
		if !slices.ContainsFunc(all[i].cases, func(other *Case) bool { return a.at(placeOf(other)) == a.at(p) }) {
			all[i].cases = append(all[i].cases, c)
		}
	}
	all = slices.DeleteFunc(all, func(s sweep) bool { return len(s.cases) < a.least })
	for _, s := range all {
		slices.SortStableFunc(s.cases, func(x, y *Case) int { return cmp.Compare(a.at(placeOf(x)), a.at(placeOf(y))) })
	}
	return all
}

// sweeps of all axes.
func sweeps(cases []*Case) (all []sweep) {
	for i := range axes {
		a := &axes[i]
		for _, s := range sweepsOf(cases, a) {
			shown := func(t sweep) bool { return t.axis.slug == a.slug && t.held.workload == s.held.workload }
			if !a.instead || !slices.ContainsFunc(all, shown) {
				all = append(all, s)
			}
		}
	}
	return all
}

// crossings leaves out what is only one of many places on an axis that has a plot: of each workload
// those cases stay that most of its plots go through. At a fixed rate none does when others are beside it.
func crossings(cases []*Case) (stay []*Case) {
	through, most := map[*Case]int{}, map[string]int{}
	for _, s := range sweeps(cases) {
		for _, c := range s.cases {
			through[c]++
			if name := placeOf(c).workload; c.Rate == 0 {
				most[name] = max(most[name], through[c])
			}
		}
	}
	for _, c := range cases {
		wanted := most[placeOf(c).workload]
		if c.Rate > 0 {
			wanted = 0
		}
		if through[c] == wanted {
			stay = append(stay, c)
		}
	}
	return stay
}

// note says what was held fixed.
func (s sweep) note() string {
	h := s.held
	var parts []string
	switch {
	case h.conns > 0 && h.streams > 0:
		parts = append(parts, fmt.Sprintf("%s × %s in flight", count(h.conns, "connection"), grouped(h.streams)))
	case h.conns > 0:
		parts = append(parts, count(h.conns, "connection"))
	case h.streams > 0 && s.cases[0].Streams != s.cases[len(s.cases)-1].Streams:
		parts = append(parts, grouped(h.streams)+" in flight altogether")
	case h.streams > 0:
		parts = append(parts, grouped(h.streams)+" in flight on each")
	default:
		parts = append(parts, "with more and more connections")
	}
	if h.body > 0 && !strings.HasPrefix(h.workload, "route") {
		parts = append(parts, grouped(h.body)+" B bodies")
	}
	if h.rate > 0 {
		parts = append(parts, grouped(h.rate)+"/s")
	}
	if h.topics > 1 {
		parts = append(parts, count(h.topics, "topic"))
	}
	if h.brokers > 1 {
		parts = append(parts, count(h.brokers, "broker"))
	}
	return strings.Join(parts, ", ")
}

func count(n float64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// grouped writes a whole number with its thousands apart.
func grouped(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
