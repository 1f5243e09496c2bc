package remoting

import "sync/atomic"

// Counters are what connections and lanes count, for whoever publishes it. Machines add to
// them on their turn; anybody may read. One Counters may serve many lanes.
type Counters struct {
	Calls     atomic.Int64 // calls put on a connection, oneways among them
	Oneways   atomic.Int64 // those of them that expect no answer
	Answers   atomic.Int64 // answers that ended a call
	Timeouts  atomic.Int64 // calls that ended by their deadline
	Lapses    atomic.Int64 // calls that ended by a deadline that says nothing of the peer
	Refused   atomic.Int64 // calls ended by a limit: in flight, outbox, queue, encoding
	Lost      atomic.Int64 // calls that ended with their connection or with a failed dial
	Resent    atomic.Int64 // calls sent a second time, after a GO_AWAY
	GoAways   atomic.Int64 // answers with code 1500
	Unclaimed atomic.Int64 // answers nobody waited for: late, duplicate, unknown; dropped

	Requests        atomic.Int64 // requests of the peer
	RequestsIgnored atomic.Int64 // those of them that nobody handles

	FramesBad atomic.Int64 // frames that ended their connection
	BytesIn   atomic.Int64
	BytesOut  atomic.Int64
	Inflight  atomic.Int64 // calls waiting for an answer now
	Dials     atomic.Int64 // connections asked for
	DialFails atomic.Int64 // dials that failed or took too long
	Connects  atomic.Int64 // connections that came up; all but a lane's first are reconnects
	Losses    atomic.Int64 // connections that ended without the lane wanting it
	Silences  atomic.Int64 // connections given up because the peer owed answers and was silent
}
