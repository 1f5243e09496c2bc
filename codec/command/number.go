package command

import "math"

// parseInt64 reads an optional sign and digits, all of b. Java's Long.parseLong accepts the
// same, apart from digits of other scripts.
func parseInt64(b []byte) (int64, bool) {
	digits, negative := b, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		digits, negative = b[1:], b[0] == '-'
	}
	if len(digits) == 0 {
		return 0, false
	}
	n, ok := parseDigits(digits)
	switch {
	case !ok, n > math.MaxInt64 && !(negative && n == -math.MinInt64):
		return 0, false
	case negative:
		return -int64(n), true
	}
	return int64(n), true
}

// parseDigits reads digits alone. Numbers of up to 18 of them, which is all that come, cannot
// leave 64 bits and are not watched for it.
func parseDigits(digits []byte) (n uint64, ok bool) {
	if len(digits) > 18 {
		return parseManyDigits(digits)
	}
	for _, c := range digits {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

func parseManyDigits(digits []byte) (n uint64, ok bool) {
	for _, c := range digits {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

func parseInt32(b []byte) (int32, bool) {
	n, ok := parseInt64(b)
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		return 0, false
	}
	return int32(n), true
}
