package plot

import (
	"fmt"
	"strings"
)

// Bars compare the series within groups, from zero on a linear scale: lengths tell the ratios.
type Bars struct {
	Head

	Y      Axis // along the bars
	Groups []string
	Series []Series // the i-th point of each belongs to the i-th group; its X means nothing
}

// Empty says that there is nothing to draw.
func (b *Bars) Empty() bool { return empty(b.Series) }

const (
	barsLeft   = 26.0
	barsRight  = 64.0 // for the figure behind the longest
	barsTicks  = 5
	barHeight  = 17.0
	barThick   = 11.0
	groupSpace = 8.0
)

// SVG draws.
func (b *Bars) SVG(alone bool) string {
	scale := Linear(append(values(b.Series), b.Y.Span...), barsTicks)
	var body svg
	top := body.legend(b.Series, headHeight(b.Head, alone)) + 2.4*lineHeight
	var rows svg // over the grid
	y := top
	for g, name := range b.Groups {
		rows.text(barsLeft, y+14, "group", name)
		y += lineHeight
		for i := range b.Series {
			if s := &b.Series[i]; g < len(s.Points) && drawable(s.Points[g].Y) {
				b.bar(&rows, scale, s, g, y)
				y += barHeight
			}
		}
		y += groupSpace
	}
	b.axis(&body, scale, top, y)
	body.WriteString(rows.String())
	var s svg
	s.start(b.Head, y+1.3*lineHeight, alone, b.alt())
	s.WriteString(body.String())
	s.end("svg")
	return s.String()
}

func place(scale Scale, v float64) float64 {
	at, _ := scale.At(v)
	return barsLeft + at*(width-barsLeft-barsRight)
}

func (b *Bars) axis(s *svg, scale Scale, top, base float64) {
	s.text(margin, top-1.5*lineHeight, "axis", b.Y.name(scale))
	for _, v := range scale.Ticks {
		x := place(scale, v)
		s.empty("path", "class", "grid", "d", fmt.Sprintf("M%.1f %.1fV%.1f", x, top-4, base))
		s.text(x, top-9, "tick middle", b.Y.format(v))
		s.text(x, base+15, "tick middle", b.Y.format(v))
	}
	s.empty("path", "class", "edge", "d", fmt.Sprintf("M%.1f %.1fV%.1f", place(scale, 0), top-4, base))
	s.WriteString("\n")
}

func (b *Bars) bar(s *svg, scale Scale, series *Series, g int, y float64) {
	p := &series.Points[g]
	zero, end, middle := place(scale, 0), place(scale, p.Y), y+barHeight/2
	s.open("g", "class", class(series.Style))
	s.leaf("title", fmt.Sprintf("%s, %s: %s %s", series.Name, b.Groups[g], p.cell(&b.Y), b.Y.Title))
	s.empty("path", "class", "marker", "d", marker(series.Style, barsLeft-11, middle))
	s.empty("path", "class", "bar", "d", fmt.Sprintf("M%.1f %.1fH%.1fv%vH%.1fz", zero, middle-barThick/2, end, barThick, zero))
	if p.ranged() {
		low, high := place(scale, p.Low), place(scale, p.High)
		s.empty("path", "class", "whisker", "d", fmt.Sprintf("M%.1f %.1fv6m0 -3H%.1fm0 -3v6", low, middle-3, high))
		end = max(end, high)
	}
	s.text(end+6, middle+4.5, "value", b.Y.format(p.Y))
	s.end("g")
	s.WriteString("\n")
}

func (b *Bars) alt() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s. %s. Bars of %s.", b.Title, b.Note, b.Y.Title)
	for g, name := range b.Groups {
		fmt.Fprintf(&text, " %s:", name)
		for i := range b.Series {
			if s := &b.Series[i]; g < len(s.Points) && drawable(s.Points[g].Y) {
				fmt.Fprintf(&text, " %s %s", s.Name, b.Y.format(s.Points[g].Y))
			}
		}
		text.WriteString(".")
	}
	return text.String()
}

// Table has a row for each group and a column for each series.
func (b *Bars) Table() Table {
	t := Table{Head: []string{"workload"}}
	for i := range b.Series {
		t.Head = append(t.Head, b.Series[i].Name)
	}
	for g, name := range b.Groups {
		row := []Cell{{Figure: name}}
		for i := range b.Series {
			cell := Cell{Figure: "-"}
			if g < len(b.Series[i].Points) {
				cell = b.Series[i].Points[g].cell(&b.Y)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
