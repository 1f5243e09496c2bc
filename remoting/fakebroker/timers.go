package fakebroker

import "slices"

// timer is a message that becomes visible later: a delay level, a timer message.
type timer struct {
	due     int64 // ms since 1970
	message *stored
}

func (b *Broker) tickTimers(now int64) {
	var due []timer
	b.timers = slices.DeleteFunc(b.timers, func(t timer) bool {
		if t.due <= now {
			due = append(due, t)
			return true
		}
		return false
	})
	slices.SortStableFunc(due, func(a, b timer) int { return int(a.due - b.due) })
	for _, t := range due {
		b.put(t.message)
	}
}

// delayLevels are the delays of the DELAY property, in s, from level 1 on.
var delayLevels = [...]int64{1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200}

// dueOf is when a message becomes visible, in ms since 1970; timed tells a timer message from
// a delay level, which comes first. It is 0 for at once.
func dueOf(s *stored, now int64) (due int64, timed bool) {
	number := func(name string) int64 { return atoi(s.property(name)) }
	if level := number("DELAY"); level > 0 {
		return now + 1000*delayLevels[min(level, int64(len(delayLevels)))-1], false
	}
	switch {
	case s.property("TIMER_DELIVER_MS") != "":
		return number("TIMER_DELIVER_MS"), true
	case s.property("TIMER_DELAY_MS") != "":
		return now + number("TIMER_DELAY_MS"), true
	case s.property("TIMER_DELAY_SEC") != "":
		return now + 1000*number("TIMER_DELAY_SEC"), true
	}
	return 0, false
}
