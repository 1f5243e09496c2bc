// Package h2 is one HTTP/2 connection, seen from the server, with gRPC on top.
//
// It holds no socket, starts no goroutine, reads no clock and writes no log: bytes go in by
// [Conn.Feed] and come out by [Conn.Drain]. A Conn belongs to one turn at a time; nothing in
// it is locked, and everything it calls, [Service] and [Handler], runs inside the call that
// caused it.
//
// A call is a [Stream]. Whoever wants to answer later keeps its [Key], not its pointer: a
// stream that is gone leaves its memory to the next one, and a stale key finds nobody.
//
// Sections cited without a number are of RFC 9113.
package h2
