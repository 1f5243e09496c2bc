package plot

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Style is what a page of plots needs once. A stand-alone plot brings it along.
//
//go:embed plot.css
var Style string

// Measures of a plot, in its own pixels. It is drawn narrow, so that its words can be read when a
// phone makes it narrower still.
const (
	width      = 420.0
	lineHeight = 20.0
	letter     = 6.9 // mean width of one, at 13 pixels
	markerSize = 4.5
)

// svg writes elements. What comes from outside only gets in by attribute values and texts, and both
// are escaped.
type svg struct{ strings.Builder }

// open begins an element; attributes are names and values in turn.
func (s *svg) open(name string, attributes ...string) {
	s.begin(name, attributes)
	s.WriteString(">")
}

// empty is an element without content.
func (s *svg) empty(name string, attributes ...string) {
	s.begin(name, attributes)
	s.WriteString("/>")
}

func (s *svg) begin(name string, attributes []string) {
	s.WriteString("<" + name)
	for i := 0; i < len(attributes); i += 2 {
		s.WriteString(" " + attributes[i] + `="`)
		s.escape(attributes[i+1])
		s.WriteString(`"`)
	}
}

func (s *svg) end(name string) { s.WriteString("</" + name + ">") }

// leaf is an element with nothing but text inside.
func (s *svg) leaf(name, text string, attributes ...string) {
	s.open(name, attributes...)
	s.escape(text)
	s.end(name)
}

func (s *svg) text(x, y float64, class, text string) {
	s.leaf("text", text, "x", px(x), "y", px(y), "class", class)
}

// escape also replaces what XML cannot hold at all.
func (s *svg) escape(text string) {
	_ = xml.EscapeText(s, []byte(text)) // a Builder never fails
}

func px(v float64) string { return strconv.FormatFloat(math.Round(10*v)/10, 'f', -1, 64) }

// start opens a plot of that height. One that stands alone has its title, its style and its own ground.
func (s *svg) start(h Head, height float64, alone bool, alt string) {
	attributes := []string{"class", "plot", "viewBox", "0 0 " + px(width) + " " + px(height), "role", "img", "aria-label", alt}
	if alone {
		attributes = append(attributes, "xmlns", "http://www.w3.org/2000/svg", "width", px(1.5*width), "height", px(1.5*height))
	}
	s.open("svg", attributes...)
	if alone {
		s.leaf("style", Style)
		s.empty("rect", "class", "ground", "width", px(width), "height", px(height))
		title, note := headLines(h)
		y := 0.0
		for _, line := range title {
			y += lineHeight
			s.text(margin, y, "title", line)
		}
		for _, line := range note {
			y += 0.9 * lineHeight
			s.text(margin, y, "note", line)
		}
	}
	s.WriteString("\n")
}

// headHeight is the room that start takes.
func headHeight(h Head, alone bool) float64 {
	if !alone {
		return 0
	}
	title, note := headLines(h)
	return (float64(len(title)) + 0.9*float64(len(note)) + 0.5) * lineHeight
}

// headLines are those of title and note.
func headLines(h Head) (title, note []string) {
	return wrap(h.Title, titleLetters), wrap(h.Note, noteLetters)
}

// How many letters of title and note, which have other sizes than the rest, fit into a line.
const (
	titleLetters = 46
	noteLetters  = 62
)

// wrap breaks a text between its words into lines of about that many letters.
func wrap(text string, letters int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > letters {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

const margin = 10.0

// legend names each series beside its marker, in as many rows as it needs, and returns where it ends.
func (s *svg) legend(series []Series, top float64) float64 {
	x, y := margin, top+0.7*lineHeight
	for i := range series {
		wide := 18 + letter*float64(utf8.RuneCountInString(series[i].Name)) + 14
		if x > margin && x+wide > width {
			x, y = margin, y+lineHeight
		}
		s.open("g", "class", class(series[i].Style))
		s.empty("path", "class", "marker", "d", marker(series[i].Style, x+5, y-4.5))
		s.text(x+16, y, "key", series[i].Name)
		s.end("g")
		x += wide
	}
	s.WriteString("\n")
	return y + 0.3*lineHeight
}

// class is the colour of a style.
func class(style int) string { return fmt.Sprintf("c%d", mod(style, styles)) }

// styles is how many colours there are; as many shapes are paired with them in turn.
const styles = 8

// marker is the outline of a shape around a place.
func marker(style int, x, y float64) string {
	const r = markerSize
	// past the last colour the shapes move on by one, so that 64 series differ
	switch mod(style+style/styles, styles) {
	case 0: // disc
		return fmt.Sprintf("M%.1f %.1fa%v %v 0 1 0 %v 0a%v %v 0 1 0 %v 0z", x-r, y, r, r, 2*r, r, r, -2*r)
	case 1: // square
		return polygon(x, y, -0.9*r, -0.9*r, 0.9*r, -0.9*r, 0.9*r, 0.9*r, -0.9*r, 0.9*r)
	case 2: // triangle
		return polygon(x, y, 0, -1.2*r, 1.15*r, 0.9*r, -1.15*r, 0.9*r)
	case 3: // diamond
		return polygon(x, y, 0, -1.3*r, 1.3*r, 0, 0, 1.3*r, -1.3*r, 0)
	case 4: // triangle on its tip
		return polygon(x, y, 0, 1.2*r, 1.15*r, -0.9*r, -1.15*r, -0.9*r)
	case 5: // plus
		const a, b = 0.4 * r, 1.25 * r
		return polygon(x, y, -a, -b, a, -b, a, -a, b, -a, b, a, a, a, a, b, -a, b, -a, a, -b, a, -b, -a, -a, -a)
	case 6: // bar
		return polygon(x, y, -1.3*r, -0.5*r, 1.3*r, -0.5*r, 1.3*r, 0.5*r, -1.3*r, 0.5*r)
	default: // hexagon
		return polygon(x, y, -1.2*r, 0, -0.6*r, -1.05*r, 0.6*r, -1.05*r, 1.2*r, 0, 0.6*r, 1.05*r, -0.6*r, 1.05*r)
	}
}

func polygon(x, y float64, around ...float64) string {
	var d strings.Builder
	pen := "M"
	for i := 0; i < len(around); i += 2 {
		fmt.Fprintf(&d, "%s%.1f %.1f", pen, x+around[i], y+around[i+1])
		pen = "L"
	}
	return d.String() + "z"
}
