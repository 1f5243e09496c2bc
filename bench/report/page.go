package report

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"rocketmq-proxy/bench/report/plot"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// ErrEmpty says that there was nothing to show.
var ErrEmpty = errors.New("no document has a case")

// Page writes documents as one HTML page that needs nothing else: plots, then every figure in tables.
// Each document is a part of its own, since figures of different runs do not compare.
func Page(w io.Writer, documents []*Document, ours string) error {
	var v pageView
	v.Style = template.CSS(plot.Style + pageStyle) // both are ours
	for i, d := range documents {
		if len(d.Cases) > 0 {
			v.Runs = append(v.Runs, newRun(fmt.Sprintf("run%d", i+1), d, ours))
		}
	}
	if len(v.Runs) == 0 {
		return ErrEmpty
	}
	return pageTemplate.Execute(w, &v)
}

// Page writes this document's page to a file.
func (d *Document) Page(file, ours string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(Page(f, []*Document{d}, ours), f.Close())
}

// Plots are all drawings of a document.
func (d *Document) Plots() (all []plot.Plot) {
	for _, s := range newFigures(d.Cases).sections() {
		all = append(all, s.plots...)
	}
	return all
}

// section is plots under one heading.
type section struct {
	title, text string
	plots       []plot.Plot
}

func (f *figures) sections() []section {
	return []section{
		{"Workloads side by side", "", f.bars()},
		{"Latency at fixed rates", "Requests start evenly, whatever the answers do; latency counts from the moment a request was due. " +
			"Plots of one kind have one scale.", f.latencies()},
		{"Latency against load", "The same percentiles, along the rates.", f.latencyAgainstLoad()},
		{"Cost as work grows", "", f.growth()},
	}
}

type pageView struct {
	Style template.CSS
	Runs  []run
}

// run is a document as the template shows it.
type run struct {
	ID, Date string
	About    [][2]string
	Command  string
	Ratios   table
	Sections []sectionView
	Matrices []table
	All      table
}

type sectionView struct {
	ID, Title, Text string
	Plots           []plotView
}

type plotView struct {
	Title, Note string
	SVG         template.HTML
	Table       plot.Table
}

// table is rows of cells, the first ones of each row words.
type table struct {
	Title, Text string
	Head        []string
	Rows        []row
}

type row struct {
	Words []string
	Cells []plot.Cell
}

// IsWord says whether a column is of words.
func (t table) IsWord(column int) bool { return len(t.Rows) > 0 && column < len(t.Rows[0].Words) }

func newRun(id string, d *Document, ours string) run {
	r := run{ID: id, Date: d.Date.Format("2006-01-02 15:04 MST"), Command: d.Command, About: about(d),
		Ratios: ratioTable(d.Cases, ours), Matrices: matrices(d.Cases), All: allFigures(d.Cases)}
	for i, s := range newFigures(d.Cases).sections() {
		if len(s.plots) == 0 {
			continue
		}
		view := sectionView{ID: fmt.Sprintf("%s-%d", id, i+1), Title: s.title, Text: s.text}
		for _, p := range s.plots {
			h := p.About()
			svg := template.HTML(p.SVG(false)) // its writer escapes
			view.Plots = append(view.Plots, plotView{h.Title, h.Note, svg, p.Table()})
		}
		r.Sections = append(r.Sections, view)
	}
	return r
}

// about is what has to be known about a run, without what is not known.
func about(d *Document) (facts [][2]string) {
	rounds := 0
	for _, c := range d.Cases {
		for _, r := range c.Rounds {
			rounds = max(rounds, len(r))
		}
	}
	for _, fact := range [][2]string{
		{"Commit", d.Commit}, {"Go", d.Go}, {"CPU", d.CPU}, {"Cores", strconv.Itoa(d.Cores)}, {"Kernel", d.Kernel},
		{"Measured", fmt.Sprintf("up to %s of %g s", count(float64(rounds), "round"), d.Seconds)},
	} {
		if fact[1] != "" && fact[1] != "0" {
			facts = append(facts, fact)
		}
	}
	return facts
}

func fixed(decimals int) func(float64) string {
	return func(v float64) string {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "-"
		}
		if decimals == 0 {
			return grouped(v)
		}
		return fmt.Sprintf("%.*f", decimals, v)
	}
}

// spreadCell shows the range only where there is one.
func spreadCell(s Spread, format func(float64) string) plot.Cell {
	c := plot.Cell{Figure: format(s.Median)}
	if s.Min < s.Max {
		c.Range = format(s.Min) + " to " + format(s.Max)
	}
	return c
}

// ratioTable has ours over every other peer, where there is another.
func ratioTable(cases []*Case, ours string) table {
	t := table{Title: "Ratios", Text: "Computed within rounds that ran one after the other, then the median, and below it the least and the most of them: what slows the machine for a while slows both sides.",
		Head: []string{"ratio of", "workload", "CPU a message", "messages/s", "p99", "RSS"}}
	for _, c := range cases {
		if len(c.Peers) == 0 {
			continue
		}
		for _, pair := range pairs(c.Peers, ours) {
			r := row{Words: []string{pair[0] + " / " + pair[1], c.Name}}
			for _, f := range []Figure{CPUMicros, PerSecond, P99, RSSMB} {
				r.Cells = append(r.Cells, spreadCell(c.Ratio(pair[0], pair[1], f), ratioText))
			}
			t.Rows = append(t.Rows, r)
		}
	}
	return t
}

// ratioText keeps three digits below 1, where ratios are read as parts.
func ratioText(v float64) string {
	switch {
	case v < 0.9995:
		return fixed(3)(v)
	case v < 100:
		return fixed(2)(v)
	default:
		return fixed(0)(v)
	}
}

// matrices have a row for each workload and a column for each peer; a figure that nobody counted has none.
func matrices(cases []*Case) (all []table) {
	peers := newFigures(cases).peers
	for _, m := range []struct {
		title, text string
		figure      Figure
		decimals    int
	}{
		{"Memory, MB resident", "At the end of a window.", RSSMB, 1},
		{"Heap allocations a message", "Objects, of the peer's process.", Allocs, 2},
		{"System calls a message", "Of the peer's process, all directions together.", Syscalls, 2},
	} {
		t := table{Title: m.title, Text: m.text, Head: append([]string{"workload"}, peers...)}
		counted := false
		for _, c := range cases {
			r := row{Words: []string{c.Name}}
			for _, p := range peers {
				s := c.Spread(p, m.figure)
				counted = counted || !math.IsNaN(s.Median)
				r.Cells = append(r.Cells, spreadCell(s, fixed(m.decimals)))
			}
			t.Rows = append(t.Rows, r)
		}
		if counted {
			all = append(all, t)
		}
	}
	return all
}

// allFigures has every case and peer: what the plots leave out is here.
func allFigures(cases []*Case) table {
	t := table{Head: []string{"workload", "peer", "messages/s", "CPU µs a message"}}
	for _, q := range quantiles {
		t.Head = append(t.Head, q.name+" µs")
	}
	t.Head = append(t.Head, "rounds")
	for _, c := range cases {
		for _, p := range c.Peers {
			r := row{Words: []string{c.Name, p}, Cells: []plot.Cell{
				spreadCell(c.Spread(p, PerSecond), fixed(0)), spreadCell(c.Spread(p, CPUMicros), fixed(2)),
			}}
			for _, q := range quantiles {
				r.Cells = append(r.Cells, plot.Cell{Figure: fixed(0)(measured(c, p, q.figure).Median)})
			}
			r.Cells = append(r.Cells, plot.Cell{Figure: strconv.Itoa(len(c.Rounds[p]))})
			t.Rows = append(t.Rows, r)
		}
	}
	return t
}

// FileNames are the plots' names for files, no two the same.
func FileNames(plots []plot.Plot) (names []string) {
	for _, p := range plots {
		name := p.About().Slug
		for i := 2; slices.Contains(names, name); i++ {
			name = fmt.Sprintf("%s-%d", p.About().Slug, i)
		}
		names = append(names, name)
	}
	for i := range names {
		names[i] = strings.TrimLeft(names[i]+".svg", "-")
	}
	return names
}
