package link

import "testing"

// A read says whether some may be left: at the end of each node, and at each once nodes are larger.
func TestReadsStopAtTheEndOfANode(t *testing.T) {
	type read struct {
		n    int
		left bool
	}
	for what, reads := range map[string][]read{
		"small ones":             {{100, false}, {3996, true}, {4095, false}, {1, true}, {1, false}},
		"a whole node":           {{4096, true}, {4096, true}, {100, false}},
		"a node larger than one": {{4000, false}, {200, true}, {1, true}, {4096, true}},
	} {
		p := new(socket)
		for i, r := range reads {
			if left := p.left(r.n); left != r.left {
				t.Errorf("%s: read %d of %d bytes: left is %v", what, i, r.n, left)
			}
		}
	}
}
