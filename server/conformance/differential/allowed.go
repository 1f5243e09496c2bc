package differential

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Allowed is the list of differences that are meant. Rows that run at the same time may share it.
type Allowed struct {
	entries []*allowance
	mu      sync.Mutex // of met
}

// allowance is one hunk, and the rows and sides in which it is met.
type allowance struct {
	heading string
	line    int
	rows    []string
	sides   [][]string // of each row
	hunk    Hunk
	met     map[string]bool // "side: row"
}

// ReadAllowed reads the list:
//
//	## Heading of differences.md
//	receive: no settings [cluster local]
//	- 1 ReceiveMessage.status.code: INTERNAL_SERVER_ERROR
//	+ 1 ReceiveMessage.status.code: UNRECOGNIZED_CLIENT_TYPE
//
// Several rows may stand above one hunk, and "..." for the rest of its lines of a sign. Lines that begin with "# " are comments.
func ReadAllowed(in io.Reader) (*Allowed, error) {
	a := &Allowed{}
	var heading string
	var open *allowance
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		sign, rest, _ := strings.Cut(line, " ")
		switch sign {
		case "", "#":
		case "##":
			heading, open = rest, nil
		case "-", "+":
			if open == nil {
				return nil, fmt.Errorf("line %d: a difference of no row", n)
			}
			if sign == "-" {
				open.hunk.Theirs = append(open.hunk.Theirs, rest)
			} else {
				open.hunk.Ours = append(open.hunk.Ours, rest)
			}
		default:
			row, sides, valid := cutSides(line)
			if !valid || heading == "" {
				return nil, fmt.Errorf("line %d: %q is no \"row [side side]\" under a heading", n, line)
			}
			if open == nil || len(open.hunk.Theirs)+len(open.hunk.Ours) > 0 {
				open = &allowance{heading: heading, line: n, met: map[string]bool{}}
				a.entries = append(a.entries, open)
			}
			open.rows, open.sides = append(open.rows, row), append(open.sides, sides)
		}
	}
	return a, lines.Err()
}

func cutSides(line string) (row string, sides []string, valid bool) {
	row, rest, found := strings.Cut(line, " [")
	inside, closed := strings.CutSuffix(rest, "]")
	return row, strings.Fields(inside), found && closed
}

// Explain takes a hunk of a row on a side as explained, and tells whether the list has it.
func (a *Allowed) Explain(side, row string, h Hunk) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.entries {
		i := slices.Index(e.rows, row)
		if i >= 0 && slices.Contains(e.sides[i], side) && like(e.hunk.Theirs, h.Theirs) && like(e.hunk.Ours, h.Ours) {
			e.met[side+": "+row] = true
			return true
		}
	}
	return false
}

// Unused are the entries, by line, that were not met in any of the sides.
func (a *Allowed) Unused(sides ...string) (unused []string) {
	for _, e := range a.entries {
		for i, row := range e.rows {
			for _, side := range e.sides[i] {
				if slices.Contains(sides, side) && !e.met[side+": "+row] {
					unused = append(unused, fmt.Sprintf("line %d: %q does not differ so on %s", e.line, row, side))
				}
			}
		}
	}
	return unused
}

// Headings are those that the list names.
func (a *Allowed) Headings() []string {
	var headings []string
	for _, e := range a.entries {
		if !slices.Contains(headings, e.heading) {
			headings = append(headings, e.heading)
		}
	}
	return headings
}

// Rows are those that the list names.
func (a *Allowed) Rows() []string {
	var rows []string
	for _, e := range a.entries {
		rows = append(rows, e.rows...)
	}
	return rows
}
