package plot

import (
	"math"
	"slices"
)

// Head names a plot.
type Head struct {
	Slug  string // for file names: letters, digits and hyphens
	Title string
	Note  string // a second line: what was held fixed
}

// About is the head itself.
func (h Head) About() Head { return h }

// Plot is one drawing.
type Plot interface {
	About() Head
	SVG(alone bool) string // alone: a file of its own, not part of a page that has Style
	Table() Table          // the same figures
	Empty() bool           // there is nothing to draw
}

// Table is what a plot shows, in words. The first column of a row names it.
type Table struct {
	Head []string
	Rows [][]Cell
}

// Cell is a figure, with the range it was taken from where there is one.
type Cell struct{ Figure, Range string }

func (c Cell) String() string {
	if c.Range == "" {
		return c.Figure
	}
	return c.Figure + " (" + c.Range + ")"
}

// Series is what one of those compared showed. It keeps its style in all plots of a page.
type Series struct {
	Name   string
	Style  int
	Points []Point // by rising X; of bars the i-th belongs to the i-th group
}

// Point is a figure with the range it was taken from, which is not drawn when it is none.
type Point struct {
	X, Y      float64
	Low, High float64
	Name      string // in its tooltip, instead of X
}

// Axis says what is along a side.
type Axis struct {
	Title  string
	Format func(float64) string // Number when nil
	Ticks  []Tick               // fixed ones, on a linear scale; otherwise they are found
	Log    bool                 // always; otherwise where it suits
	Span   []float64            // values that must be on it, so that plots can share one
}

// Tick is a named place on an axis.
type Tick struct {
	Value float64
	Name  string
}

func (a *Axis) format(v float64) string {
	for _, t := range a.Ticks {
		if t.Value == v {
			return t.Name
		}
	}
	if a.Format != nil {
		return a.Format(v)
	}
	return Number(v)
}

// scale fits the values in.
func (a *Axis) scale(values []float64, ticks int) Scale {
	values = append(values, a.Span...)
	switch {
	case len(a.Ticks) > 0:
		s := Scale{Min: a.Ticks[0].Value, Max: a.Ticks[len(a.Ticks)-1].Value}
		for _, t := range a.Ticks {
			s.Ticks = append(s.Ticks, t.Value)
		}
		return s
	case a.Log:
		return Log(values, ticks)
	default:
		return Suited(values, ticks)
	}
}

// name is the title, which says when steps are not equal.
func (a *Axis) name(s Scale) string {
	if s.Log {
		return a.Title + " (log scale)"
	}
	return a.Title
}

// ranged says whether there is a range to draw.
func (p *Point) ranged() bool { return drawable(p.Low) && drawable(p.High) && p.Low < p.High }

// cell is the value with its range.
func (p *Point) cell(a *Axis) Cell {
	switch {
	case !drawable(p.Y):
		return Cell{Figure: "-"}
	case p.ranged():
		return Cell{a.format(p.Y), a.format(p.Low) + " to " + a.format(p.High)}
	default:
		return Cell{Figure: a.format(p.Y)}
	}
}

// values are all of the ordinates, ranges included.
func values(series []Series) (all []float64) {
	for i := range series {
		for j := range series[i].Points {
			p := &series[i].Points[j]
			all = append(all, p.Y)
			if p.ranged() && drawable(p.Y) {
				all = append(all, p.Low, p.High)
			}
		}
	}
	return all
}

func empty(series []Series) bool { return !slices.ContainsFunc(values(series), drawable) }

// NoValue is the ordinate of a point that was not measured.
var NoValue = math.NaN()
