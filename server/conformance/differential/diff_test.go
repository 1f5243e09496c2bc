package differential

import (
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	lines := func(text string) Transcript { return strings.Fields(text) }
	for _, test := range []struct {
		theirs, ours string
		want         []string
	}{
		{"a b c", "a b c", nil},
		{"a b c", "a x c", []string{"- b\n+ x\n"}},
		{"a b c", "a c", []string{"- b\n"}},
		{"a c", "a b c d", []string{"+ b\n", "+ d\n"}},
		{"a b c d", "x b y d", []string{"- a\n+ x\n", "- c\n+ y\n"}},
		{"", "a", []string{"+ a\n"}},
	} {
		var got []string
		for _, h := range Diff(lines(test.theirs), lines(test.ours)) {
			got = append(got, h.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s and %s differ by %q, want %q", test.theirs, test.ours, got, test.want)
		}
	}
}

func TestAnyTextIsAsGoodAsAnException(t *testing.T) {
	theirs := Transcript{`1 X.status.message: "null` + thrown + `"`}
	if hunks := Diff(theirs, Transcript{`1 X.status.message: "no such thing"`}); len(hunks) != 0 {
		t.Errorf("differs by %v", hunks)
	}
	for _, ours := range []string{`1 X.status.code: OK`, `1 Y.status.message: "no such thing"`} {
		if hunks := Diff(theirs, Transcript{ours}); len(hunks) != 1 {
			t.Errorf("%s is taken for a text", ours)
		}
	}
}

const list = `# a comment
## Heading one
ack: this [cluster local]
ack: that [local]
- 1 code: A
+ 1 code: B

## Heading two
ack: this [cluster]
+ 1 more: C
`

func TestAllowed(t *testing.T) {
	a, err := ReadAllowed(strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	code, more := Hunk{[]string{"1 code: A"}, []string{"1 code: B"}}, Hunk{nil, []string{"1 more: C"}}
	for _, test := range []struct {
		side, row string
		hunk      Hunk
		want      bool
	}{
		{"cluster", "ack: this", code, true},
		{"cluster", "ack: that", code, false},
		{"local", "ack: that", code, true},
		{"local", "ack: this", more, false},
		{"local", "ack: this", Hunk{[]string{"1 code: A"}, []string{"1 code: C"}}, false},
	} {
		if got := a.Explain(test.side, test.row, test.hunk); got != test.want {
			t.Errorf("%s [%s] %v: %v", test.row, test.side, test.hunk, got)
		}
	}
	if want := []string{`line 3: "ack: this" does not differ so on local`, `line 9: "ack: this" does not differ so on cluster`}; !slices.Equal(a.Unused("cluster", "local"), want) {
		t.Errorf("unused %q, want %q", a.Unused("cluster", "local"), want)
	}
	if want := []string{`line 9: "ack: this" does not differ so on cluster`}; !slices.Equal(a.Unused("cluster"), want) {
		t.Errorf("unused where Local mode did not run: %q", a.Unused("cluster"))
	}
	if got := a.Headings(); !slices.Equal(got, []string{"Heading one", "Heading two"}) {
		t.Errorf("headings %q", got)
	}
}

func TestListThatMakesNoSense(t *testing.T) {
	for _, text := range []string{"row [local]\n- a\n", "## H\n- a\n", "## H\nrow\n- a\n", "## H\nrow [local\n"} {
		if _, err := ReadAllowed(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
