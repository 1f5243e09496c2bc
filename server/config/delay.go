package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// delayLevelsDefault is the reference's messageDelayLevel, of the proxy and of brokers.
const delayLevelsDefault = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"

// delayUnits are the letters behind the numbers of a delay level.
var delayUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}

// delayLevelMax is longer than any level makes sense: a year.
const delayLevelMax = 365 * 24 * time.Hour

// Delays is the table of DelayLevels: the delay of level 1 is the first.
func (m Message) Delays() (delays []time.Duration, err error) {
	for text := range strings.FieldsSeq(m.DelayLevels) {
		last := len(text) - 1
		n, bad := strconv.ParseInt(text[:last], 10, 32)
		unit := delayUnits[text[last]]
		if bad != nil || unit == 0 || n <= 0 || n > int64(delayLevelMax/unit) {
			return nil, fmt.Errorf("has the level %q, expected levels as 1s 5m 2h 1d, of up to 365d", text)
		}
		delays = append(delays, time.Duration(n)*unit)
	}
	if len(delays) == 0 {
		return nil, fmt.Errorf("has no level, expected some, as 1s 5m 2h 1d")
	}
	return delays, nil
}
