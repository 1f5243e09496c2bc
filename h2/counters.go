package h2

import "sync/atomic"

// Violation is a kind of abuse, or of a limit met. It is counted, and ends the connection or the
// stream: of the kinds that have an allowance, when that is used up.
type Violation uint8

// The kinds of abuse.
const (
	RapidReset     Violation = iota // streams the client reset (CVE-2023-44487)
	ProvokedReset                   // streams the client made us reset (CVE-2025-8671)
	PingFlood                       // PING while nothing else happens (CVE-2019-9512)
	SettingsFlood                   // SETTINGS (CVE-2019-9515)
	PriorityFlood                   // PRIORITY without new streams (CVE-2019-9513)
	EmptyData                       // DATA that carries nothing (CVE-2019-9518)
	DataDribble                     // DATA that carries next to nothing (CVE-2019-9511)
	WindowFlood                     // WINDOW_UPDATE out of proportion to what we sent
	UnknownFlood                    // frames of unknown types, and GOAWAY
	RefusedStreams                  // streams beyond StreamsMax
	HeaderLists                     // header lists too long once decoded (CVE-2016-6581)
	GzipBombs                       // messages that inflate out of all proportion
	Continuations                   // header block too long on the wire (CVE-2024-27316)
	ControlBacklog                  // unsent acknowledgments and resets
	OutboxBacklog                   // unsent output (CVE-2019-9517)
	Timeouts                        // preface, header block, keepalive

	// WaitingBacklog and the next ones end a stream.
	WaitingBacklog // messages that wait for a window, beyond WaitingBytesMax
	StalledStreams // StallTimeout
	SlowRequests   // RequestTimeout
	MessageBytes   // messages longer than MessageBytesMax
	RequestBytes   // incomplete messages beyond RequestBytesMax
	RequestBudget  // those of all connections beyond Config.Requests
	violationsLen
)

var violationNames = [violationsLen]string{
	"rapid_reset", "provoked_reset", "ping_flood", "settings_flood", "priority_flood",
	"empty_data", "data_dribble", "window_flood", "unknown_flood", "refused_streams",
	"header_lists", "gzip_bombs", "continuations", "control_backlog", "outbox_backlog", "timeouts",
	"waiting_backlog", "stalled_streams", "slow_requests", "message_bytes", "request_bytes", "request_budget",
}

// Violations is the number of kinds; the kinds are 0 to Violations-1.
const Violations = int(violationsLen)

// String is the name under which the kind is published.
func (v Violation) String() string { return violationNames[v] }

// Counters is what connections count into. One Counters may serve any number of them; it is
// read at any time.
type Counters struct {
	StreamsOpened   atomic.Uint64
	StreamsCanceled atomic.Uint64 // ended before everything was handed to the output
	ResetsReceived  atomic.Uint64
	ResetsSent      atomic.Uint64
	ConnErrors      atomic.Uint64
	ConnsIdle       atomic.Uint64 // sent away for IdleTimeout
	// Violations counts what spent an allowance, whether or not it was exceeded, and what met
	// a limit.
	Violations [Violations]atomic.Uint64
}
