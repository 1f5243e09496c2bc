package plot

import (
	"fmt"
	"slices"
	"strings"
)

// Lines are series over a common axis. A series of one point is a point.
type Lines struct {
	Head

	X, Y   Axis
	Series []Series
}

// Empty says that there is nothing to draw.
func (l *Lines) Empty() bool { return empty(l.Series) }

const (
	linesHeight  = 210.0 // of the area within the axes
	linesLeft    = 56.0
	linesRight   = 26.0
	linesTicks   = 10
	linesRounded = 8.0 // half of what a tooltip can be reached by
)

// frame places values in the area.
type frame struct {
	x, y      Scale
	top, base float64
}

func (f *frame) at(p Point) (x, y float64, ok bool) {
	h, hasX := f.x.At(p.X)
	v, hasY := f.y.At(p.Y)
	return linesLeft + h*(width-linesLeft-linesRight), f.base - v*(f.base-f.top), hasX && hasY
}

// SVG draws.
func (l *Lines) SVG(alone bool) string {
	var abscissas []float64
	for i := range l.Series {
		for _, p := range l.Series[i].Points {
			abscissas = append(abscissas, p.X)
		}
	}
	f := frame{x: l.X.scale(abscissas, linesTicks), y: l.Y.scale(values(l.Series), linesTicks)}
	var body svg
	f.top = body.legend(l.Series, headHeight(l.Head, alone)) + 1.7*lineHeight
	f.base = f.top + linesHeight
	l.axes(&body, &f)
	for i := len(l.Series) - 1; i >= 0; i-- { // the first is drawn last: over the others
		l.line(&body, &f, &l.Series[i])
	}
	var s svg
	s.start(l.Head, f.base+2.4*lineHeight, alone, l.alt(&f))
	s.WriteString(body.String())
	s.end("svg")
	return s.String()
}

func (l *Lines) axes(s *svg, f *frame) {
	right := width - linesRight
	s.text(margin, f.top-0.7*lineHeight, "axis", l.Y.name(f.y))
	s.text((linesLeft+right)/2, f.base+1.95*lineHeight, "axis middle", l.X.name(f.x))
	for _, v := range f.y.Ticks {
		_, y, _ := f.at(Point{X: f.x.Min, Y: v})
		s.empty("path", "class", "grid", "d", fmt.Sprintf("M%.1f %.1fH%.1f", linesLeft, y, right))
		s.text(linesLeft-7, y+4.5, "tick end", l.Y.format(v))
	}
	for _, v := range f.x.Ticks {
		x, _, _ := f.at(Point{X: v, Y: f.y.Min})
		s.empty("path", "class", "grid", "d", fmt.Sprintf("M%.1f %.1fV%.1f", x, f.top, f.base+4))
		s.text(x, f.base+0.95*lineHeight, "tick middle", l.X.format(v))
	}
	s.empty("path", "class", "edge", "d", fmt.Sprintf("M%.1f %.1fH%.1f", linesLeft, f.base, right))
	s.WriteString("\n")
}

func (l *Lines) line(s *svg, f *frame, series *Series) {
	s.open("g", "class", class(series.Style))
	var path strings.Builder
	pen := "M"
	for _, p := range series.Points {
		if x, y, ok := f.at(p); ok {
			fmt.Fprintf(&path, "%s%.1f %.1f", pen, x, y)
			pen = "L"
		}
	}
	if path.Len() > 0 {
		s.empty("path", "class", "line", "d", path.String())
	}
	for i := range series.Points {
		l.point(s, f, series, &series.Points[i])
	}
	s.end("g")
	s.WriteString("\n")
}

func (l *Lines) point(s *svg, f *frame, series *Series, p *Point) {
	x, y, ok := f.at(*p)
	if !ok {
		return
	}
	s.open("g")
	where := p.Name
	if where == "" {
		where = l.X.format(p.X)
	}
	s.leaf("title", fmt.Sprintf("%s, %s: %s", series.Name, where, p.cell(&l.Y)))
	if _, low, ok := f.at(Point{X: p.X, Y: p.Low}); ok && p.ranged() {
		if _, high, ok := f.at(Point{X: p.X, Y: p.High}); ok {
			s.empty("path", "class", "range", "d", fmt.Sprintf("M%.1f %.1fh6m-3 0V%.1fm-3 0h6", x-3, low, high))
		}
	}
	s.empty("path", "class", "marker", "d", marker(series.Style, x, y))
	s.empty("circle", "class", "reach", "cx", px(x), "cy", px(y), "r", px(linesRounded))
	s.end("g")
}

// alt says in a sentence a series what a look at the plot says.
func (l *Lines) alt(f *frame) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %s. %s against %s.", l.Title, l.Note, l.Y.name(f.y), l.X.name(f.x))
	for i := range l.Series {
		s := &l.Series[i]
		drawn := slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { _, _, ok := f.at(p); return !ok })
		switch len(drawn) {
		case 0:
		case 1:
			fmt.Fprintf(&b, " %s: %s at %s.", s.Name, l.Y.format(drawn[0].Y), l.X.format(drawn[0].X))
		default:
			first, last := drawn[0], drawn[len(drawn)-1]
			fmt.Fprintf(&b, " %s: from %s at %s to %s at %s.", s.Name, l.Y.format(first.Y), l.X.format(first.X), l.Y.format(last.Y), l.X.format(last.X))
		}
	}
	return b.String()
}

// Table has a row for each place on the X axis and a column for each series.
func (l *Lines) Table() Table {
	t := Table{Head: []string{l.X.Title}}
	var places []float64
	for i := range l.Series {
		t.Head = append(t.Head, l.Series[i].Name)
		for _, p := range l.Series[i].Points {
			if drawable(p.X) && !slices.Contains(places, p.X) {
				places = append(places, p.X)
			}
		}
	}
	slices.Sort(places)
	for _, x := range places {
		row := []Cell{{Figure: l.X.format(x)}}
		for i := range l.Series {
			points := l.Series[i].Points
			cell := Cell{Figure: "-"}
			if j := slices.IndexFunc(points, func(p Point) bool { return p.X == x }); j >= 0 {
				cell = points[j].cell(&l.Y)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
