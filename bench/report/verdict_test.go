package report

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		what   string
		ratios []float64
		want   Outcome
	}{
		{"no difference at all", []float64{1, 1, 1, 1, 1, 1}, Same},
		{"noise around none", []float64{0.98, 1.01, 0.99, 1.02, 1, 1.01, 0.97, 1.02}, Same},
		{"a tenth more", []float64{1.09, 1.1, 1.12, 1.08, 1.11, 1.1}, Worse},
		{"a tenth less", []float64{0.91, 0.9, 0.88, 0.92, 0.89, 0.9}, Better},
		{"surely more, but within the threshold", []float64{1.02, 1.02, 1.021, 1.019, 1.02, 1.02}, Same},
		{"surely less, but within the threshold", []float64{0.98, 0.98, 0.981, 0.979, 0.98, 0.98}, Same},
		{"exactly the threshold", []float64{1.03, 1.03, 1.03, 1.03, 1.03, 1.03}, Same},
		{"the median beyond, the interval over both sides", []float64{0.95, 1.1, 1.1, 1.1, 1.1, 1.1}, Unclear},
		{"exactly 1 at the low end", []float64{1, 1.1, 1.1, 1.1, 1.1, 1.1}, Unclear},
		{"too noisy to tell", []float64{0.7, 1.4, 0.8, 1.3, 0.9, 1.2}, Unclear},
		{"noisy, but not to the bad side", []float64{0.5, 0.7, 0.9, 1.01, 0.6, 1.02}, Same},
		{"one disturbed round of nine", []float64{1, 1.01, 0.99, 1, 1.01, 0.99, 1, 1, 3}, Same},
		{"one lucky round of nine", []float64{1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 0.2}, Worse},
	} {
		v, err := Judge(c.ratios, 0.03)
		if err != nil || v.Outcome != c.want || v.Low > v.Median || v.Median > v.High || v.Confidence < confidence {
			t.Errorf("%s: %+v, %v; want %s", c.what, v, err, c.want)
		}
		slices.Reverse(c.ratios)
		if again, _ := Judge(c.ratios, 0.03); again != v {
			t.Errorf("%s: the order of the rounds matters", c.what)
		}
	}
}

func TestJudgeRefusesWhatDecidesNothing(t *testing.T) {
	for _, few := range [][]float64{nil, {1}, {2, 2, 2, 2, 2}} {
		if _, err := Judge(few, 0); err == nil || !strings.Contains(err.Error(), "pairs decide nothing") {
			t.Errorf("%v: %v", few, err)
		}
	}
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := Judge([]float64{1, 1, 1, bad, 1, 1}, 0); !errors.Is(err, errRatio) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// The ranks are those of the tables of the sign test.
func TestIntervalsOfTheMedian(t *testing.T) {
	for _, c := range []struct {
		rounds, outside int
		within          float64
	}{{6, 0, 0.96875}, {8, 0, 0.9921875}, {9, 1, 0.9609375}, {12, 2, 0.9614}, {20, 5, 0.9586}} {
		outside, within := tails(c.rounds)
		if outside != c.outside || math.Abs(within-c.within) > 0.0001 {
			t.Errorf("%d rounds: %d outside at each end, %.4f within; want %d, %.4f", c.rounds, outside, within, c.outside, c.within)
		}
	}
}
