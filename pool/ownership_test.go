package pool

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// conversations say who owns what, a step a line: what is done, and after the bar what is then
// so. Chains are named by letters and hold digits; "live" is the number of blocks that are out,
// which only the invariants build counts.
//
//	a write 0123           copy into a's reserved room
//	a append 0123          take a view of a block of its own
//	a static 0123          a view of bytes that nobody owns
//	a share b 1 2          share two bytes of b from its second on
//	a move b 2             move the first two bytes of b to the back of a
//	a chain b              move all of b
//	a discard 2            release the first two bytes
//	a trim, a release
var conversations = map[string]string{
	"a block lives as long as its view": `
		a append 0123        | a=0123 live=1
		a release            | a= live=0`,
	"static bytes have no block": `
		a static 0123        | a=0123 live=0
		a discard 4          | a= live=0`,
	"an empty view is released at once": `
		a append             | a= live=0`,
	"sharing outlives the first owner": `
		a append 0123456789  | live=1
		b share a 2 5        | a=0123456789 b=23456 live=1
		a release            | a= b=23456 live=1
		b release            | b= live=0`,
	"sharing across views": `
		a append 012         | live=1
		a append 345         | live=2
		a append 678         | a=012345678 live=3
		b share a 2 5        | b=23456 live=3
		a release            | b=23456 live=3
		b discard 1          | b=3456 live=2
		b discard 3          | b=6 live=1
		b release            | live=0`,
	"sharing nothing": `
		a append 012         | live=1
		b share a 3 0        | b= live=1
		a release            | live=0`,
	"a cut view belongs to both sides": `
		a append 0123456789  | live=1
		b move a 4           | a=456789 b=0123 live=1
		b release            | a=456789 live=1
		a release            | live=0`,
	"a cut between views moves without sharing": `
		a append 0123        | live=1
		a append 4567        | live=2
		b move a 4           | a=4567 b=0123 live=2
		b release            | a=4567 live=1
		a release            | live=0`,
	"moving everything": `
		a append 01          | live=1
		b append 23          | live=2
		b append 45          | live=3
		a chain b            | a=012345 b= live=3
		b write 67           | b=67 live=4
		a release            | b=67 live=1
		b release            | live=0`,
	"discarding releases what is passed": `
		a append 0123        | live=1
		a append 4567        | live=2
		a discard 3          | a=34567 live=2
		a discard 1          | a=4567 live=1
		a discard 4          | a= live=0`,
	"writes share a block, which its room keeps": `
		a write 01           | a=01 live=1
		a write 23           | a=0123 live=1
		a discard 4          | a= live=1
		a write 45           | a=45 live=1
		a trim               | a=45 live=1
		a discard 2          | a= live=0`,
	"what was written and moved is not written again": `
		a write 0123         | live=1
		b chain a            | a= b=0123 live=1
		a write 4567         | a=4567 b=0123 live=1
		b write 89           | b=012389 live=2
		a release            | b=012389 live=2
		b release            | live=0`,
	"writing behind a shared view": `
		a write 0123         | live=1
		b share a 0 4        | live=1
		a write 45           | a=012345 b=0123 live=1
		b write 67           | a=012345 b=012367 live=2
		a release            | b=012367 live=2
		b release            | live=0`,
	"writing behind a view that lost its end": `
		a write 012345       | live=1
		b move a 4           | a=45 b=0123 live=1
		b write 67           | a=45 b=012367 live=2
		a write 89           | a=4589 b=012367 live=2
		a release            | live=2
		b release            | live=0`,
	"a chain may share from itself": `
		a append 0123        | live=1
		a share a 1 2        | a=012312 live=1
		a release            | live=0`,
	"an empty chain can be released": `
		a release            | a= live=0
		a trim               | live=0`,
}

func TestOwnership(t *testing.T) {
	for name, text := range conversations {
		t.Run(name, func(t *testing.T) {
			start, chains := Live(), map[string]*Chain{}
			for line := range strings.Lines(text) {
				step, claims, ok := strings.Cut(strings.TrimSpace(line), "|")
				if !ok {
					continue
				}
				if err := do(chains, strings.Fields(step)); err != nil {
					t.Fatalf("%s: %v", step, err)
				}
				for claim := range strings.FieldsSeq(claims) {
					what, want, _ := strings.Cut(claim, "=")
					if what == "live" && !Invariants {
						continue
					}
					got := strconv.FormatInt(Live()-start, 10)
					if what != "live" {
						got = string(chains[what].AppendTo(nil))
						if n := chains[what].Len(); n != len(got) {
							t.Errorf("%s: %s says %d bytes and has %q", step, what, n, got)
						}
					}
					if got != want {
						t.Errorf("%s: %s is %q, want %q", step, what, got, want)
					}
				}
			}
		})
	}
}

// do carries out one step.
func do(chains map[string]*Chain, words []string) error {
	chain := func(name string) *Chain {
		if chains[name] == nil {
			chains[name] = new(Chain)
		}
		return chains[name]
	}
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(word(i))
		return n
	}
	c := chain(word(0))
	switch word(1) {
	case "write":
		c.Write([]byte(word(2)))
	case "append":
		b := Get(len(word(2)))
		c.Append(ViewOf(b, 0, copy(b.Bytes(), word(2))))
	case "static":
		c.Append(Static([]byte(word(2))))
	case "share":
		c.Share(chain(word(2)), number(3), number(4))
	case "move":
		c.MoveFront(chain(word(2)), number(3))
	case "chain":
		c.AppendChain(chain(word(2)))
	case "discard":
		c.Discard(number(2))
	case "trim":
		c.Trim()
	case "release":
		c.Release()
	default:
		return fmt.Errorf("no such step %q", word(1))
	}
	return nil
}

func TestViewSub(t *testing.T) {
	checkLive(t)
	b := Get(10)
	copy(b.Bytes(), "0123456789")
	v := ViewOf(b, 2, 8)
	s := v.Sub(1, 3)
	v.Release()
	if got := string(s.Bytes()); got != "34" || s.Len() != 2 {
		t.Errorf("got %q", got)
	}
	s.Release()
	Static([]byte("x")).Share().Release()
}
