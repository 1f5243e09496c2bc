package grpc

import (
	"errors"
	"math"
	"time"
)

// timeoutDigitsMax is the longest TimeoutValue the specification allows.
const timeoutDigitsMax = 8

// ErrTimeout is a grpc-timeout that is not one to eight digits and a unit.
var ErrTimeout = errors.New("malformed grpc-timeout")

// ParseTimeout reads a grpc-timeout header. A timeout that no Duration can hold, which is
// one of more than 2562047 hours, becomes the largest Duration there is.
func ParseTimeout(b []byte) (time.Duration, error) {
	digits := len(b) - 1
	if digits < 1 || digits > timeoutDigitsMax {
		return 0, ErrTimeout
	}
	unit := timeoutUnit(b[digits])
	if unit == 0 {
		return 0, ErrTimeout
	}
	n := int64(0)
	for _, c := range b[:digits] {
		if c < '0' || c > '9' {
			return 0, ErrTimeout
		}
		n = n*10 + int64(c-'0')
	}
	if n > math.MaxInt64/int64(unit) {
		return math.MaxInt64, nil
	}
	return time.Duration(n) * unit, nil
}

func timeoutUnit(c byte) time.Duration {
	switch c {
	case 'H':
		return time.Hour
	case 'M':
		return time.Minute
	case 'S':
		return time.Second
	case 'm':
		return time.Millisecond
	case 'u':
		return time.Microsecond
	case 'n':
		return time.Nanosecond
	}
	return 0
}
