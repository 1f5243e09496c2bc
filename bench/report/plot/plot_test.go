package plot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// drawing is what a reader of the XML finds: how many elements of each class, and all words.
type drawing struct {
	classes map[string]int
	words   []string
	label   string
	height  float64
}

func parse(t *testing.T, text string) drawing {
	t.Helper()
	d := drawing{classes: map[string]int{}}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("a coordinate is no number:\n%s", text)
	}
	x := xml.NewDecoder(strings.NewReader(text))
	x.Entity = map[string]string{} // a stand-alone file knows no others
	for {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			return d
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		switch e := token.(type) {
		case xml.StartElement:
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "class":
					d.classes[a.Value]++
				case "aria-label":
					d.label = a.Value
				case "viewBox":
					d.height, err = strconv.ParseFloat(strings.Fields(a.Value)[3], 64)
					if err != nil {
						t.Error(err)
					}
				}
			}
		case xml.CharData:
			if word := strings.TrimSpace(string(e)); word != "" {
				d.words = append(d.words, word)
			}
		}
	}
}

func (d *drawing) says(word string) bool { return slices.Contains(d.words, word) }

func lines() *Lines {
	return &Lines{
		Head: Head{Slug: "cost", Title: "Cost", Note: "4 connections"},
		X:    Axis{Title: "in flight", Log: true}, Y: Axis{Title: "µs"},
		Series: []Series{
			{Name: "proxy", Style: 0, Points: []Point{{X: 1, Y: 20, Low: 18, High: 25}, {X: 16, Y: 5, Low: 5, High: 5}, {X: 64, Y: 4, Low: 3, High: 6, Name: "send/4x16"}}},
			{Name: "grpcgo", Style: 1, Points: []Point{{X: 1, Y: 90, Low: 80, High: 99}, {X: 16, Y: NoValue}, {X: 64, Y: 75}}},
			{Name: "relay", Style: 2, Points: []Point{{X: 64, Y: 2, Low: 1, High: math.NaN()}}},
		},
	}
}

func TestLines(t *testing.T) {
	for _, alone := range []bool{false, true} {
		d := parse(t, lines().SVG(alone))
		// a marker in the legend and one for each point that was measured
		if d.classes["line"] != 3 || d.classes["marker"] != 3+6 || d.classes["range"] != 3 {
			t.Errorf("%v", d.classes)
		}
		for _, word := range []string{"proxy", "in flight (log scale)", "µs (log scale)", "proxy, send/4x16: 4 (3 to 6)", "grpcgo, 64: 75", "100", "50"} {
			if !d.says(word) {
				t.Errorf("nowhere %q: %q", word, d.words)
			}
		}
		if d.says("Cost") != alone || !strings.Contains(d.label, "proxy: from 20 at 1 to 4 at 64. ") || !strings.Contains(d.label, "relay: 2 at 64.") {
			t.Errorf("alone %v: %q", alone, d.label)
		}
	}
	table := lines().Table()
	want := "[[1 20 (18 to 25) 90 (80 to 99) -] [16 5 - -] [64 4 (3 to 6) 75 2]]"
	if got := fmt.Sprint(table.Rows); got != want {
		t.Errorf("%s", got)
	}
}

func TestSeriesOfAPointIsAPoint(t *testing.T) {
	l := lines()
	l.Series = []Series{{Name: "proxy", Points: []Point{{X: 64, Y: 4}}}}
	if d := parse(t, l.SVG(false)); d.classes["marker"] != 2 || !d.says("proxy, 64: 4") {
		t.Errorf("%v %q", d.classes, d.words)
	}
}

func TestFixedTicks(t *testing.T) {
	l := &Lines{X: Axis{Title: "percentile", Ticks: []Tick{{0, "p50"}, {1, "p99"}}}, Y: Axis{Title: "latency", Format: Micros, Log: true},
		Series: []Series{{Name: "proxy", Points: []Point{{X: 0, Y: 90}, {X: 1, Y: 3000}}}}}
	d := parse(t, l.SVG(false))
	for _, word := range []string{"p50", "p99", "1 ms", "proxy, p99: 3 ms"} {
		if !d.says(word) {
			t.Errorf("nowhere %q: %q", word, d.words)
		}
	}
}

func bars() *Bars {
	return &Bars{
		Head: Head{Title: "CPU"}, Y: Axis{Title: "µs a message"}, Groups: []string{"send/4x16", "route/4x16"},
		Series: []Series{
			{Name: "proxy", Points: []Point{{Y: 4.3, Low: 4, High: 5}, {Y: 9.8, Low: 9.8, High: 9.8}}},
			{Name: "java", Style: 3, Points: []Point{{Y: 134, Low: 120, High: 150}, {Y: NoValue}}},
			{Name: "late", Style: 4, Points: []Point{{Y: 1}}},
		},
	}
}

func TestBars(t *testing.T) {
	d := parse(t, bars().SVG(true))
	if d.classes["bar"] != 4 || d.classes["whisker"] != 2 || d.classes["marker"] != 3+4 || d.classes["group"] != 2 {
		t.Errorf("%v", d.classes)
	}
	for _, word := range []string{"send/4x16", "134", "java, send/4x16: 134 (120 to 150) µs a message"} {
		if !d.says(word) {
			t.Errorf("nowhere %q: %q", word, d.words)
		}
	}
	if want := "send/4x16: proxy 4.3 java 134 late 1."; !strings.Contains(d.label, want) {
		t.Errorf("%q", d.label)
	}
	if got := fmt.Sprint(bars().Table().Rows); got != "[[send/4x16 4.3 (4 to 5) 134 (120 to 150) 1] [route/4x16 9.8 - -]]" {
		t.Error(got)
	}
	longer := bars()
	longer.Groups = append(longer.Groups, "receive_ack")
	longer.Series[0].Points = append(longer.Series[0].Points, Point{Y: 3})
	if more := parse(t, longer.SVG(true)); more.height <= d.height {
		t.Errorf("a group more, and %v high after %v", more.height, d.height)
	}
}

func TestNothingToDraw(t *testing.T) {
	none := []Series{{Name: "proxy", Points: []Point{{X: 1, Y: NoValue, Low: 1, High: 2}, {X: 2, Y: math.Inf(1)}}}}
	for _, p := range []Plot{&Lines{}, &Bars{}, &Lines{Series: none}, &Bars{Series: none, Groups: []string{"a", "b"}}} {
		if !p.Empty() {
			t.Errorf("%+v is not empty", p)
		}
		parse(t, p.SVG(true)) // drawn nevertheless, it is well formed
	}
	if lines().Empty() || bars().Empty() {
		t.Error("these are not empty")
	}
}

func TestNamesFromOutsideAreOnlyText(t *testing.T) {
	const name = `<script>alert("1")</script> & 'x' ]]>` + "\x00\xff"
	l, b := lines(), bars()
	l.Title, l.Note, l.X.Title, l.Y.Title, l.Series[0].Name, l.Series[0].Points[0].Name = name, name, name, name, name, name
	b.Title, b.Note, b.Y.Title, b.Series[0].Name, b.Groups[0] = name, name, name, name, name
	for _, p := range []Plot{l, b} {
		text := p.SVG(true)
		parse(t, text)
		if strings.Contains(text, "<script") {
			t.Errorf("%s", text)
		}
	}
}

// No two of 64 series look alike, and the legend keeps within the plot.
func TestManySeries(t *testing.T) {
	looks := map[string]bool{}
	l := &Lines{}
	for i := range styles * styles {
		looks[class(i)+marker(i, 0, 0)] = true
		l.Series = append(l.Series, Series{Name: fmt.Sprintf("peer number %d", i), Style: i, Points: []Point{{X: 1, Y: 1}}})
	}
	if len(looks) != styles*styles {
		t.Errorf("%d looks", len(looks))
	}
	few, many := *l, *l
	few.Series = l.Series[:2]
	a, b := parse(t, few.SVG(false)), parse(t, many.SVG(false))
	if b.height-a.height < 15*lineHeight {
		t.Errorf("%v and %v high: the legend has no room", a.height, b.height)
	}
}

func TestLongTitlesAreWrapped(t *testing.T) {
	l := lines()
	l.Title = strings.Repeat("receive_ack against something ", 5)
	long, short := parse(t, l.SVG(true)), parse(t, lines().SVG(true))
	if long.classes["title"] < 3 || short.classes["title"] != 1 || long.height <= short.height {
		t.Errorf("%v, %v high; %v, %v", long.classes, long.height, short.classes, short.height)
	}
	for _, c := range []struct {
		text string
		want string
	}{
		{"", "[]"}, {"one", "[one]"}, {"one two", "[one two]"}, {"one  two three", "[one two|three]"}, {"averylongword x", "[averylongword|x]"},
	} {
		if got := "[" + strings.Join(wrap(c.text, 8), "|") + "]"; got != c.want {
			t.Errorf("%q: %s", c.text, got)
		}
	}
}
