// Package remoting is one Remoting connection, seen from the caller, and the line to one
// address that outlives its connections.
//
// [Conn] is the state machine of a connection: Feed, Drain, Tick and Close, plus [Conn.Call].
// [Lane] has the same verbs and keeps an address reachable: it has connections dialled on
// demand, backs off when that fails, and lets calls wait meanwhile. [NameServers] chooses among
// the name servers of a list.
//
// The package holds no socket, starts no goroutine, reads no clock and writes no log: bytes go
// in by Feed and come out by Drain, time and randomness are arguments. A Conn and a Lane belong
// to one turn at a time; nothing in them is locked. Only [Counters] may be read from elsewhere.
//
// Every call handed over by Call ends by exactly one [Request.Done], on that turn. A call that
// may have reached the peer is never sent twice; the one exception is a peer that says by
// GO_AWAY that it did not look at it (Remoting specification 1.10).
package remoting
