package link

import "testing"

// A read says whether some may be left: at the end of each node, and at each once nodes are larger.
func TestReadsStopAtTheEndOfANode(t *testing.T) {
	type read struct {
		n    int
		left bool
	}
	for what, reads := range map[string][]read{
		"small ones":             {{100, false}, {8092, true}, {8191, false}, {1, true}, {1, false}},
		"a whole node":           {{8192, true}, {8192, true}, {100, false}},
		"a node larger than one": {{8000, false}, {200, true}, {1, true}, {8192, true}},
	} {
		p := new(plain)
		for i, r := range reads {
			if left := p.left(r.n); left != r.left {
				t.Errorf("%s: read %d of %d bytes: left is %v", what, i, r.n, left)
			}
		}
	}
}
