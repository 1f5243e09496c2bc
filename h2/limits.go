package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
)

// Allowance is how often something may happen that honest clients seldom do: Burst times at once,
// then once more every Interval.
type Allowance struct {
	Burst    int
	Interval time.Duration
}

// Limits bound what one client can make one connection hold or do. A zero field means its
// default; a negative duration switches that timeout off.
type Limits struct {
	// StreamsMax is how many calls may be open at once; SETTINGS_MAX_CONCURRENT_STREAMS.
	// More are refused with REFUSED_STREAM, which clients may retry. A client library opens
	// one telemetry stream and one long poll for each queue it consumes. Default 1000.
	StreamsMax uint32

	// HeaderListBytesMax bounds a decoded header list, in bytes, with 32 for each field;
	// SETTINGS_MAX_HEADER_LIST_SIZE. Client libraries send about 1.5 KiB. A header block on
	// the wire may take twice as much. Default 16 KiB.
	HeaderListBytesMax int

	// HeaderFieldsMax bounds the fields of a header list. Client libraries send 15 to 20.
	// Default 64.
	HeaderFieldsMax int

	// ContinuationsMax bounds the CONTINUATION frames of one header block, empty ones too
	// (CVE-2024-27316). Default 8.
	ContinuationsMax int

	// MessageBytesMax bounds one request message, in bytes. It is compared with the declared
	// length, before anything is kept, and with what a compressed one grows to. Default 130 MiB, as
	// the Java proxy has it.
	MessageBytesMax int

	// RequestBytesMax bounds all partly received messages of the connection together, and so
	// each of them, in bytes; so much again one that is being inflated. Above the half of it one stream at a time is let send on; the
	// call whose bytes exceed it ends with RESOURCE_EXHAUSTED. Default 32 MiB.
	RequestBytesMax int

	// StreamWindowBytes is how far a client may send ahead on one stream, in bytes;
	// SETTINGS_INITIAL_WINDOW_SIZE. Default 1 MiB.
	StreamWindowBytes int

	// ConnWindowBytes is the same for all streams together; at least 65535. Default 8 MiB.
	ConnWindowBytes int

	// OutboxBytesMax bounds encoded frames that were not drained yet, in bytes. Messages are
	// not encoded beyond a quarter of it, so that what exceeds it are answers to control
	// frames and refusals: the connection ends with ENHANCE_YOUR_CALM. Default 4 MiB.
	OutboxBytesMax int

	// WaitingBytesMax bounds response messages that wait for the client to open its windows,
	// in bytes, all streams together. The stream that exceeds it is reset. Default 64 MiB.
	WaitingBytesMax int

	// ControlFramesMax bounds acknowledgments and resets that were not drained yet
	// (CVE-2019-9512, -9514, -9515). One read of 64 KiB holds no more of an honest client's
	// frames. Default 1024.
	ControlFramesMax int

	// SettingsEntriesMax bounds the entries of one SETTINGS frame; RFC 9113 defines six, other
	// RFCs a few more. Default 32.
	SettingsEntriesMax int

	// WindowUpdatesMax is how many WINDOW_UPDATE frames may come, and WindowUpdatesPerData how
	// many more for each DATA frame that we send, up to WindowUpdatesMax again. A client needs
	// one for some DATA frames. Defaults 10000 and 10.
	WindowUpdatesMax, WindowUpdatesPerData int

	// DribbleBytesMax is the DATA, in bytes, that is not worth its head: a frame with fewer that
	// completes no message spends the allowance of DataDribble. Default 256.
	DribbleBytesMax int

	// Allowances are by the kind of violation. Whoever exceeds one is sent away with
	// ENHANCE_YOUR_CALM. Honest clients stay far below each: the defaults, in [DefaultLimits],
	// are those of hyperium/h2, nghttp2 and netty, or looser. Kinds without a default are bounded
	// by other fields, and theirs are of no effect.
	Allowances [Violations]Allowance

	// PrefaceTimeout is how long a client may take from connecting to its first SETTINGS, and
	// again to acknowledge ours. Default 10 s.
	PrefaceTimeout time.Duration

	// HeaderBlockTimeout is how long a header block may take from HEADERS to END_HEADERS.
	// Default 5 s.
	HeaderBlockTimeout time.Duration

	// RequestTimeout is how long a unary request may rest between two DATA frames before it
	// is complete. Default 30 s.
	RequestTimeout time.Duration

	// StallTimeout is how long queued messages may wait for a window without one byte
	// leaving; the stream is reset then. It may take up to twice as long. Default 30 s.
	StallTimeout time.Duration

	// IdleTimeout is how long a connection may stay without an open call before it is sent
	// away with NO_ERROR. Default 120 s, as the Java proxy has it.
	IdleTimeout time.Duration

	// KeepaliveInterval is how long a connection with open calls may be silent before it is
	// sent a PING; after KeepaliveTimeout without any byte it is taken for dead. The latter counts
	// from when the PING was drained: what a peer is too slow to take is its link's concern.
	// Defaults 12 s and 3 s: official clients say something every 10 s, and so cost no PING. That a
	// host is cut off the kernel finds out sooner, see link.Listen.
	KeepaliveInterval, KeepaliveTimeout time.Duration

	// AgeMax is how old a connection may become before it is asked to end as [Conn.Shutdown]
	// does it, give or take a tenth, which Config.Random draws: clients that came together
	// do not leave together. Default: it is never too old.
	AgeMax time.Duration

	// AgeGrace is how long its calls may then take to end, before they are canceled. Default 30 s.
	AgeGrace time.Duration
}

// allowancesDefault are the defaults of Limits.Allowances.
var allowancesDefault = [Violations]Allowance{
	RapidReset:     {200, time.Second / 50},
	ProvokedReset:  {100, time.Second / 10},
	PingFlood:      {30, time.Second / 3},
	SettingsFlood:  {20, time.Second / 2},
	PriorityFlood:  {1000, time.Second / 10},
	EmptyData:      {100, time.Second / 10},
	DataDribble:    {1000, time.Second / 100},
	UnknownFlood:   {1000, time.Second / 100},
	RefusedStreams: {200, time.Second / 20},
	HeaderLists:    {20, time.Second},
	GzipBombs:      {10, time.Second},
}

// DefaultLimits are what zero Limits mean.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

// withDefaults fills every zero field.
func (l Limits) withDefaults() Limits {
	fill(&l.StreamsMax, 1000)
	fill(&l.HeaderListBytesMax, 16<<10)
	fill(&l.HeaderFieldsMax, 64)
	fill(&l.ContinuationsMax, 8)
	fill(&l.MessageBytesMax, 130<<20)
	fill(&l.RequestBytesMax, 32<<20)
	fill(&l.StreamWindowBytes, 1<<20)
	fill(&l.ConnWindowBytes, 8<<20)
	fill(&l.OutboxBytesMax, 4<<20)
	fill(&l.WaitingBytesMax, 64<<20)
	fill(&l.ControlFramesMax, 1024)
	fill(&l.SettingsEntriesMax, 32)
	fill(&l.WindowUpdatesMax, 10000)
	fill(&l.WindowUpdatesPerData, 10)
	fill(&l.DribbleBytesMax, 256)
	for v, a := range allowancesDefault {
		fill(&l.Allowances[v].Burst, a.Burst)
		fill(&l.Allowances[v].Interval, a.Interval)
	}
	fill(&l.PrefaceTimeout, 10*time.Second)
	fill(&l.HeaderBlockTimeout, 5*time.Second)
	fill(&l.RequestTimeout, 30*time.Second)
	fill(&l.StallTimeout, 30*time.Second)
	fill(&l.IdleTimeout, 120*time.Second)
	fill(&l.KeepaliveInterval, 12*time.Second)
	fill(&l.KeepaliveTimeout, 3*time.Second)
	fill(&l.AgeMax, -1)
	fill(&l.AgeGrace, 30*time.Second)
	l.ConnWindowBytes = max(l.ConnWindowBytes, frame.WindowInitial)
	return l
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// headerBlockBytesMax bounds the fragments of one header block on the wire.
func (l *Limits) headerBlockBytesMax() int { return 2 * l.HeaderListBytesMax }

// headerStringBytesMax bounds one decoded name or value.
func (l *Limits) headerStringBytesMax() int { return l.HeaderListBytesMax / 2 }
