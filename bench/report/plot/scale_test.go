package plot

import (
	"math"
	"slices"
	"testing"
)

func TestLinear(t *testing.T) {
	for _, c := range []struct {
		what   string
		values []float64
		ticks  []float64
	}{
		{"from zero to a round number", []float64{3, 87}, []float64{0, 20, 40, 60, 80, 100}},
		{"a round number is its own end", []float64{100}, []float64{0, 20, 40, 60, 80, 100}},
		{"equal values", []float64{4, 4, 4}, []float64{0, 1, 2, 3, 4}},
		{"zeros", []float64{0, 0}, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		{"below zero", []float64{-3, 3}, []float64{-4, -2, 0, 2, 4}},
		{"what is no number is not there", []float64{math.NaN(), 9, math.Inf(1)}, []float64{0, 2, 4, 6, 8, 10}},
		{"nothing", nil, nil},
		{"only what is no number", []float64{math.NaN(), math.Inf(-1), 1e300}, nil},
	} {
		s := Linear(c.values, 5)
		if !slices.EqualFunc(s.Ticks, c.ticks, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%s: %v", c.what, s.Ticks)
		}
	}
}

func TestLog(t *testing.T) {
	for _, c := range []struct {
		what   string
		values []float64
		ticks  []float64
	}{
		{"1, 2, 5", []float64{3, 87}, []float64{2, 5, 10, 20, 50, 100}},
		{"round numbers are the ends", []float64{1, 10}, []float64{1, 2, 5, 10}},
		{"decades when it is far", []float64{1, 4e6}, []float64{1, 10, 100, 1000, 1e4, 1e5, 1e6}},
		{"thousands when it is farther", []float64{1, 1e24}, []float64{1, 1e4, 1e8, 1e12, 1e16, 1e20, 1e24}},
		{"one value is in the middle", []float64{100, 100}, []float64{50, 100, 200}},
		{"one between two", []float64{3}, []float64{2, 5}},
		{"small ones", []float64{0.003, 0.02}, []float64{0.002, 0.005, 0.01, 0.02}},
		{"no place for zero", []float64{0, -1, math.NaN(), 100}, []float64{50, 100, 200}},
		{"nothing", []float64{0}, nil},
	} {
		s := Log(c.values, 8)
		if !slices.EqualFunc(s.Ticks, c.ticks, func(a, b float64) bool { return math.Abs(a/b-1) < 1e-9 }) {
			t.Errorf("%s: %v", c.what, s.Ticks)
		}
	}
}

// Whatever the values are: they are within, in their order, and there are some ticks but not too many.
func TestScalesHoldTheirValues(t *testing.T) {
	for _, scale := range []func([]float64, int) Scale{Linear, Log, Suited} {
		for e := -99.0; e < 99; e += 1.7 {
			for _, ratio := range []float64{1, 1.0001, 1.3, 7, 1000, 1e9, 1e50} {
				low := math.Pow(10, e)
				high := min(low*ratio, 1e99)
				s := scale([]float64{low, high}, 8)
				a, okA := s.At(low)
				b, okB := s.At(high)
				if !okA || !okB || a < -1e-6 || b > 1+1e-6 || b < a-1e-12 {
					t.Fatalf("%g to %g: at %g, %g of %+v", low, high, a, b, s)
				}
				if len(s.Ticks) < 2 || len(s.Ticks) > 11 || !slices.IsSorted(s.Ticks) {
					t.Fatalf("%g to %g: ticks %v", low, high, s.Ticks)
				}
			}
		}
	}
}

func TestAtOfWhatHasNoPlace(t *testing.T) {
	for _, s := range []Scale{{}, Linear([]float64{1}, 5), Log([]float64{1}, 5)} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if at, ok := s.At(v); ok {
				t.Errorf("%g is at %g of %+v", v, at, s)
			}
		}
	}
	if _, ok := Log([]float64{1}, 5).At(0); ok {
		t.Error("zero has a place on a logarithmic scale")
	}
}

func TestSuited(t *testing.T) {
	for _, c := range []struct {
		values []float64
		log    bool
	}{
		{[]float64{10, 99}, false},
		{[]float64{1, 100}, true},
		{[]float64{0, 1, 100}, false},
		{[]float64{5}, false},
		{nil, false},
	} {
		if s := Suited(c.values, 5); s.Log != c.log {
			t.Errorf("%v: %+v", c.values, s)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {4.335, "4.33"}, {12, "12"}, {0.0312, "0.0312"}, {0.1 + 0.2, "0.3"}, {999.4, "999"}, {999.7, "1k"}, {166173, "166k"},
		{2.5e6, "2.5M"}, {3e9, "3G"}, {1e13, "1e+13"}, {1e-7, "1e-07"}, {-20, "-20"}, {math.NaN(), "-"}, {math.Inf(1), "-"},
	} {
		if got := Number(c.v); got != c.want {
			t.Errorf("%g: %q, want %q", c.v, got, c.want)
		}
	}
	for v, want := range map[float64]string{38: "38 µs", 1949: "1.95 ms", 2.5e6: "2.5 s", 0.5: "0.5 µs"} {
		if got := Micros(v); got != want {
			t.Errorf("%g: %q, want %q", v, got, want)
		}
	}
}
