package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// VerdictPairsMin is how many ratios a verdict needs: with fewer no interval holds the median with
// a probability of 95 %.
const VerdictPairsMin = 6

// confidence is the least probability with which the interval of a verdict holds the true median.
const confidence = 0.95

// Outcome is what a comparison of two builds shows.
type Outcome string

// The outcomes. Only Worse is a failure.
const (
	Better  Outcome = "better"  // the whole interval is below 1, and the median by more than the threshold
	Same    Outcome = "same"    // the whole interval is within the threshold, or to its good side
	Unclear Outcome = "unclear" // neither: the interval is wider than what is looked for
	Worse   Outcome = "worse"   // the whole interval is above 1, and the median by more than the threshold
)

// Verdict is what paired ratios of a cost, tree over base, say.
type Verdict struct {
	Outcome    Outcome
	Median     float64
	Low, High  float64 // the interval
	Confidence float64 // that the true median is within, from confidence to 1
}

var errRatio = errors.New("a ratio is not a positive number")

// Judge says whether a cost has grown. The interval is made of two of the sorted ratios and follows
// from the sign test: each ratio lies above the true median with a probability of one half, whatever
// the noise looks like, so a pair that something else disturbed moves it by one rank at most.
// Threshold is the growth that nobody minds, as 0.03.
func Judge(ratios []float64, threshold float64) (Verdict, error) {
	if len(ratios) < VerdictPairsMin {
		return Verdict{}, fmt.Errorf("%d pairs decide nothing; %d are the least", len(ratios), VerdictPairsMin)
	}
	for _, r := range ratios {
		if !(r > 0) || math.IsInf(r, 0) { // not r <= 0: that lets NaN through
			return Verdict{}, fmt.Errorf("%w: %v", errRatio, r)
		}
	}
	s := slices.Sorted(slices.Values(ratios))
	outside, within := tails(len(s))
	v := Verdict{Median: SpreadOf(s).Median, Low: s[outside], High: s[len(s)-1-outside], Confidence: within}
	switch {
	case v.Low > 1 && v.Median > 1+threshold:
		v.Outcome = Worse
	case v.High < 1 && v.Median < 1-threshold:
		v.Outcome = Better
	case v.High <= 1+threshold:
		v.Outcome = Same
	default:
		v.Outcome = Unclear
	}
	return v, nil
}

// tails is how many of n sorted values can be left out at each end so that the others still span the
// median with the wanted confidence, and the confidence that they do.
func tails(n int) (outside int, within float64) {
	tail, term := 0.0, math.Pow(0.5, float64(n)) // of the binomial distribution: P(X <= outside), P(X = outside)
	for k := 0; ; k++ {
		tail += term
		if 1-2*tail < confidence {
			return outside, within
		}
		outside, within = k, 1-2*tail
		term *= float64(n-k) / float64(k+1)
	}
}
