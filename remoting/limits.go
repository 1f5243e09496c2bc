package remoting

import (
	"time"

	"rocketmq-proxy/codec/command"
)

// Limits bounds what one connection and one lane may hold. A zero field means its default.
type Limits struct {
	// InflightMax is how many calls of one connection may wait for their answers; one more
	// fails with TooManyInFlight. The reference has 65,535 permits and waits for one; here a
	// slow broker is refused early, so that it cannot hold the memory of all.
	InflightMax int

	// OutboxBytesMax is how many bytes may wait for Drain; at or above it a call fails with
	// OutboxFull. One frame may pass the mark, so the real bound is this plus FrameBytesMax.
	OutboxBytesMax int

	// HeadBytesMax is the longest head taken from a peer; a longer one ends the connection.
	HeadBytesMax int

	// CallTimeout is the deadline of a call that was given none.
	CallTimeout time.Duration

	// QueueMax is how many calls may wait on a lane for a connection; one more fails with
	// QueueFull.
	QueueMax int

	// ConnectTimeout ends a dial that reports nothing (specification 1.9).
	ConnectTimeout time.Duration

	// BackoffMin is the pause after a first failed dial. It doubles with each further one up
	// to BackoffMax, which also is how late a peer that came back may be noticed. A pause is
	// shortened by up to half of it, at random.
	BackoffMin, BackoffMax time.Duration

	// IdleMax is how long a lane keeps a connection without traffic. It is below the 120 s
	// after which servers close (specification 1.9): who hangs up first loses no call to it.
	IdleMax time.Duration

	// SilenceMax is how long a peer that owes answers may say nothing at all: past it the
	// first call that times out takes the connection with it (half-open link).
	SilenceMax time.Duration

	// GoAwayInterval is how often a GO_AWAY may reopen a connection (specification 1.10).
	GoAwayInterval time.Duration

	// GoAwayDrainMax is how long the other calls of a connection may still complete after a
	// GO_AWAY before it is closed. It is well below a send's 2 s, because new calls wait.
	GoAwayDrainMax time.Duration
}

// DefaultLimits are the limits used where a field is zero.
func DefaultLimits() Limits {
	return Limits{
		InflightMax:    16_384,
		OutboxBytesMax: 32 << 20, // two frames of the largest size
		HeadBytesMax:   1 << 20,
		CallTimeout:    3 * time.Second,
		QueueMax:       4_096,
		ConnectTimeout: 3 * time.Second,
		BackoffMin:     50 * time.Millisecond,
		BackoffMax:     time.Second,
		IdleMax:        110 * time.Second,
		SilenceMax:     5 * time.Second,
		GoAwayInterval: 60 * time.Second,
		GoAwayDrainMax: 500 * time.Millisecond,
	}
}

// inflightCeiling keeps the table of calls, twice as large, well inside the opaque numbers.
const inflightCeiling = 1 << 24

// filled returns l with defaults in the place of zeroes.
func (l Limits) filled() Limits {
	d := DefaultLimits()
	fill(&l.InflightMax, d.InflightMax)
	fill(&l.OutboxBytesMax, d.OutboxBytesMax)
	fill(&l.HeadBytesMax, d.HeadBytesMax)
	fill(&l.CallTimeout, d.CallTimeout)
	fill(&l.QueueMax, d.QueueMax)
	fill(&l.ConnectTimeout, d.ConnectTimeout)
	fill(&l.BackoffMin, d.BackoffMin)
	fill(&l.BackoffMax, d.BackoffMax)
	fill(&l.IdleMax, d.IdleMax)
	fill(&l.SilenceMax, d.SilenceMax)
	fill(&l.GoAwayInterval, d.GoAwayInterval)
	fill(&l.GoAwayDrainMax, d.GoAwayDrainMax)
	l.InflightMax = min(l.InflightMax, inflightCeiling)
	l.HeadBytesMax = min(l.HeadBytesMax, command.FrameBytesMax)
	l.BackoffMin = min(l.BackoffMin, l.BackoffMax)
	return l
}

func fill[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
