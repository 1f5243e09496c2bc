package h2spec

import "testing"

func TestParse(t *testing.T) {
	for _, test := range []struct {
		text   string
		want   Report
		summed bool
	}{
		{"1. Starting HTTP/2\n", Report{}, false},
		{"Finished in 0.0493 seconds\n146 tests, 146 passed, 0 skipped, 0 failed\n", Report{Tests: 146, Passed: 146}, true},
		{"Failures: \n\nping\nFinished\n146 tests, 140 passed, 5 skipped, 1 failed\n", Report{146, 140, 5, 1, " \n\nping\nFinished\n146 tests, 140 passed, 5 skipped, 1 failed\n"}, true},
	} {
		if got, summed := parse(test.text); got != test.want || summed != test.summed {
			t.Errorf("%q: %+v, %v", test.text, got, summed)
		}
	}
}
