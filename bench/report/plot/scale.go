package plot

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Scale maps values to places between 0 and 1, with its ticks at round numbers: 1, 2 or 5 times a
// power of ten.
type Scale struct {
	Log      bool
	Min, Max float64 // the first and last place; both 0 when there was nothing to show
	Ticks    []float64
}

// Values beyond these are no measurements, and arithmetic on them overflows.
const (
	smallest = 1e-100
	largest  = 1e100
)

func drawable(v float64) bool {
	a := math.Abs(v)
	return v == 0 || a >= smallest && a <= largest // a NaN is none of this
}

func positive(v float64) bool { return drawable(v) && v > 0 }

// Linear is a scale from zero, or a round number below, to a round number, with at most about that many ticks.
func Linear(values []float64, ticks int) Scale {
	values = filter(values, drawable)
	if len(values) == 0 {
		return Scale{}
	}
	low, high := min(0, slices.Min(values)), max(0, slices.Max(values))
	if low == high {
		high = 1
	}
	step := roundUp((high - low) / float64(ticks))
	first, last := math.Floor(low/step+slack), math.Ceil(high/step-slack)
	s := Scale{Min: first * step, Max: last * step}
	for i := first; i <= last; i++ {
		s.Ticks = append(s.Ticks, i*step)
	}
	return s
}

// slack is what a quotient may be off because of rounding, so that 0.3 needs no tick beyond 0.3.
const slack = 1e-9

// Log is a logarithmic scale between round numbers.
func Log(values []float64, ticks int) Scale {
	values = filter(values, positive)
	if len(values) == 0 {
		return Scale{}
	}
	first, last := roundIndex(slices.Min(values)), roundIndex(slices.Max(values))
	if round(last) < slices.Max(values)*(1-slack) {
		last++
	}
	if first == last { // one value stands in the middle
		first, last = first-1, last+1
	}
	s := Scale{Log: true, Min: round(first), Max: round(last)}
	every := 1 // of 1, 2, 5
	if last-first >= ticks {
		decades := (last - first) / 3
		every = 3 * (1 + decades/max(ticks, 1))
	}
	for i := first; i <= last; i++ {
		if mod(i, every) == 0 {
			s.Ticks = append(s.Ticks, round(i))
		}
	}
	return s
}

// Suited is logarithmic where a linear scale would crowd the small values at zero.
func Suited(values []float64, ticks int) Scale {
	values = filter(values, drawable)
	if len(values) > 0 && slices.Min(values) > 0 && slices.Max(values) > 10*slices.Min(values) {
		return Log(values, ticks)
	}
	return Linear(values, ticks)
}

// At is the place of a value, or false when it has none.
func (s Scale) At(v float64) (float64, bool) {
	if !drawable(v) || s.Min == s.Max || s.Log && v <= 0 {
		return 0, false
	}
	if s.Log {
		return math.Log(v/s.Min) / math.Log(s.Max/s.Min), true
	}
	return (v - s.Min) / (s.Max - s.Min), true
}

// round is the i-th round number: 0 is 1, 1 is 2, 2 is 5, 3 is 10, -1 is 0.5.
func round(i int) float64 {
	digit := mod(i, 3)
	return [3]float64{1, 2, 5}[digit] * math.Pow10((i-digit)/3)
}

// roundIndex is the index of the largest round number that is not above v.
func roundIndex(v float64) int {
	i := 3 * int(math.Floor(math.Log10(v)))
	for round(i+1) <= v*(1+slack) {
		i++
	}
	return i
}

// roundUp is the smallest round number that is not below v.
func roundUp(v float64) float64 {
	i := roundIndex(v)
	if round(i) < v*(1-slack) {
		i++
	}
	return round(i)
}

func mod(i, n int) int { return (i%n + n) % n }

func filter(values []float64, keep func(float64) bool) []float64 {
	return slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !keep(v) })
}

// Number writes a value with three digits: 0.0312, 4.33, 166k, 2.5M; "-" when it is none.
func Number(v float64) string {
	const rounds = 999.5 // to 1000, with three digits
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case a >= rounds*1e9 || a != 0 && a < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= rounds*1e6:
		return digits(v/1e9) + "G"
	case a >= rounds*1e3:
		return digits(v/1e6) + "M"
	case a >= rounds:
		return digits(v/1e3) + "k"
	default:
		return digits(v)
	}
}

// Micros writes microseconds with the unit that suits them.
func Micros(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case v >= 999.5e3:
		return digits(v/1e6) + " s"
	case v >= 999.5:
		return digits(v/1e3) + " ms"
	default:
		return digits(v) + " µs"
	}
}

// digits writes three of them, without zeros behind the point.
func digits(v float64) string {
	decimals := 2
	if v != 0 {
		decimals = max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
