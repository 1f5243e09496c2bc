package fleet

import (
	"errors"
	"time"

	"rocketmq-proxy/server/backend"
)

// schedule is when something is done next, with growing pauses while it fails.
type schedule struct {
	due   time.Time // zero: it is under way
	pause time.Duration
}

func (s *schedule) waits() bool { return !s.due.IsZero() }

// over tells that the time has come, and ends the wait.
func (s *schedule) over(now time.Time) bool {
	if s.due.IsZero() || now.Before(s.due) {
		return false
	}
	s.due = time.Time{}
	return true
}

// after waits for a time that follows a success.
func (s *schedule) after(now time.Time, d time.Duration) { s.due, s.pause = now.Add(d), 0 }

// again waits after a failure.
func (s *schedule) again(now time.Time, longest time.Duration) {
	s.pause = min(max(2*s.pause, longest/50), longest)
	s.due = now.Add(s.pause)
}

func failure(f backend.Fault) error { return errors.New(f.Text) }
