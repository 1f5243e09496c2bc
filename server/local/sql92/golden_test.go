package sql92

import (
	"bufio"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"
)

var goldenPath = flag.String("golden", "testdata/golden.txt", "the table that TestGolden reads")

// goldenCase is a line of the table: what the reference says of an expression and properties.
type goldenCase struct {
	line       int
	result     string
	expression string
	properties map[string][]byte
}

func (c *goldenCase) lookup(name []byte) ([]byte, bool) {
	value, ok := c.properties[string(name)]
	return value, ok
}

// readGolden hands every case of the table to do and returns how many there are.
func readGolden(tb testing.TB, path string, do func(*goldenCase)) int {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	cases := 0
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		cases++
		do(parseGolden(tb, n, lines.Text()))
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return cases
}

func parseGolden(tb testing.TB, line int, text string) *goldenCase {
	tb.Helper()
	columns := strings.Split(text, "\t")
	for i, column := range columns {
		unquoted, err := strconv.Unquote(`"` + column + `"`)
		if err != nil {
			tb.Fatalf("line %d, column %d: %v: %s", line, i, err, column)
		}
		columns[i] = unquoted
	}
	c := &goldenCase{line: line, result: columns[0], expression: columns[1], properties: map[string][]byte{}}
	for _, column := range columns[2:] {
		name, value, _ := strings.Cut(column, "=")
		c.properties[name] = []byte(value)
	}
	return c
}

var truthNames = map[truth]string{isTrue: "TRUE", isFalse: "FALSE", isNull: "NULL", isFailed: "ERROR"}

// TestGolden compares every case with the reference's answer.
func TestGolden(t *testing.T) {
	mismatches := 0
	cases := readGolden(t, *goldenPath, func(c *goldenCase) {
		got := "REFUSED"
		f, err := Compile(c.expression)
		if err == nil {
			got = truthNames[truthOf(f.root, c.lookup)]
			if match := f.Match(c.lookup); match != (c.result == "TRUE") {
				t.Errorf("line %d: Match is %v, the reference says %s", c.line, match, c.result)
			}
		}
		if got != c.result {
			if mismatches++; mismatches <= 20 {
				t.Errorf("line %d: %q with %q is %s (%v), the reference says %s", c.line, c.expression, c.properties, got, err, c.result)
			}
		}
	})
	t.Logf("%d cases, %d mismatches", cases, mismatches)
}
