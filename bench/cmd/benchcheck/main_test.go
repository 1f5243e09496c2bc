package main

import (
	"bytes"
	"strings"
	"testing"

	"rocketmq-proxy/bench"
	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
)

func compared(name string, ratio float64, pairs int) *report.Case {
	c := &report.Case{Name: name, Peers: []string{peer.Base, peer.Tree}, Rounds: map[string][]report.Round{}}
	for range pairs * bench.CheckTurns {
		c.Rounds[peer.Base] = append(c.Rounds[peer.Base], report.Round{CPUMicros: 5})
		c.Rounds[peer.Tree] = append(c.Rounds[peer.Tree], report.Round{CPUMicros: 5 * ratio})
	}
	return c
}

func TestOneWorseWorkloadIsEnough(t *testing.T) {
	for _, c := range []struct {
		cases []*report.Case
		worse bool
	}{
		{[]*report.Case{compared("send", 1, 12), compared("receive_ack", 0.9, 12)}, false},
		{[]*report.Case{compared("send", 1, 12), compared("receive_ack", 1.1, 12)}, true},
		{[]*report.Case{compared("send", 1.1, 12), compared("receive_ack", 0.5, 12)}, true},
	} {
		var out bytes.Buffer
		worse, err := judge(&out, c.cases, "HEAD~1", 0.03)
		if err != nil || worse != c.worse {
			t.Errorf("worse %v, %v\n%s", worse, err, out.String())
		}
		for _, part := range []string{"above 1.030", "HEAD~1", "send", "receive_ack", "96.1%"} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%q is not in\n%s", part, out.String())
			}
		}
	}
	if _, err := judge(&bytes.Buffer{}, []*report.Case{compared("send", 1, 3)}, "HEAD~1", 0.03); err == nil {
		t.Error("three pairs decided something")
	}
}
