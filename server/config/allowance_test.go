package config

import (
	"strings"
	"testing"
	"time"
)

func TestAllowance(t *testing.T) {
	for _, test := range []struct {
		text     Allowance
		burst    int
		interval time.Duration
	}{
		{"200 50/s", 200, 20 * time.Millisecond},
		{"30 3/s", 30, time.Second / 3},
		{" 1  1/h ", 1, time.Hour},
		{"1000000 1000000/m", 1000000, time.Minute / 1000000},
	} {
		burst, interval, err := test.text.Parse()
		if err != nil || burst != test.burst || interval != test.interval {
			t.Errorf("%q: %d, %v, %v", test.text, burst, interval, err)
		}
	}
	for _, text := range []Allowance{"", "200", "200/s", "200 50", "200 50/d", "0 1/s", "1 0/s", "-1 1/s", "1000001 1/s", "1 1000001/s", "1.5 1/s", "1 1/s more", "1 1/"} {
		if burst, interval, err := text.Parse(); err == nil || !strings.Contains(err.Error(), `expected so many at once`) {
			t.Errorf("%q: %d, %v, %v", text, burst, interval, err)
		}
	}
	if top := allowanceMax * time.Hour; top <= 0 || top/allowanceMax != time.Hour {
		t.Error("the largest allowance is no duration")
	}
}

// All wrong limits are said at once, each with its key, its line and what is expected.
func TestWrongLimits(t *testing.T) {
	c, _, err := Parse("f", []byte(`{
		"rapidResetAllowance": "200",
		"pingFloodAllowance": "0 3/s",
		"headerFieldsMax": 1,
		"tlsHandshakesMax": 0,
		"headerBlockTimeoutMillis": 1
	}`), Default(testEnv))
	if err != nil {
		t.Fatal(err)
	}
	checkFaults(t, c.Validate(), []string{
		"f:5: tlsHandshakesMax is 0, expected a number from 1 to",
		"f:4: headerFieldsMax is 1, expected a number from 16 to",
		"f:6: headerBlockTimeoutMillis is 1, expected a number of milliseconds from 100 to",
		`f:2: rapidResetAllowance is "200", expected so many at once`,
		`f:3: pingFloodAllowance is "0 3/s", expected so many at once`,
	})
	_, _, err = Parse("f", []byte(`{"rapidResetAllowance": 200}`), Default(testEnv))
	if err == nil || !strings.Contains(err.Error(), "f:1: rapidResetAllowance is 200, expected so many at once") {
		t.Error(err)
	}
}
