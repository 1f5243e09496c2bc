package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Allowance is how often something may happen: so many times at once, then so many more in a time, as
// "200 50/s". See [Allowance.Parse].
type Allowance string

// allowanceMax bounds both numbers of an Allowance. Even a burst of so many that come back one an hour
// is a time that a duration can say.
const allowanceMax = 1_000_000

// allowanceExpected is what a key with an Allowance takes.
var allowanceExpected = fmt.Sprintf(`so many at once and so many more in a second, minute or hour, as "200 50/s", "30 3/m" or "5 1/h", each from 1 to %d`, allowanceMax)

// Parse reads the burst, and the time after which there is one more.
func (a Allowance) Parse() (burst int, interval time.Duration, err error) {
	first, rate, _ := strings.Cut(strings.TrimSpace(string(a)), " ")
	count, unit, _ := strings.Cut(strings.TrimSpace(rate), "/")
	burst, errBurst := strconv.Atoi(first)
	more, errRate := strconv.Atoi(count)
	per, known := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	valid := func(n int, err error) bool { return err == nil && n >= 1 && n <= allowanceMax }
	if !known || !valid(burst, errBurst) || !valid(more, errRate) {
		return 0, 0, fmt.Errorf("is %q, expected %s", string(a), allowanceExpected)
	}
	return burst, per / time.Duration(more), nil
}
