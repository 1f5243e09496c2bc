// Package differential holds the Java proxy and this one against each other: one table of requests,
// each sent to every [Side], and what comes back put into lines that can be compared.
//
// A [Row] is data: a name and a few steps whose requests have placeholders for what differs from
// side to side, such as "{own}" for a topic of the row's own and "{handle}" for the receipt handle
// of the message that came last. A side fills them in before a request leaves and puts them back
// into what it hears, so that two sides that behave alike have the same [Transcript].
//
// What remains is [Diff]: hunks of lines. [Allowed] reads the list of those that are meant, each
// under the heading of server/docs/differences.md that gives the reason.
package differential
