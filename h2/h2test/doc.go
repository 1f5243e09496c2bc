// Package h2test runs written conversations against an [h2.Conn], in memory. It is for tests
// only.
//
// A conversation is blocks separated by empty lines. A block is what happens, a line "----",
// and what is seen: calls to the service as they come, then the frames of one Drain.
//
//	feed HEADERS stream=1 :path=/test.Service/Unary
//	feed DATA stream=1 end_stream message=hello
//	----
//	call open stream=1 path=/test.Service/Unary
//	call message stream=1 bytes=5 text=hello
//	call half_closed stream=1
//
// What may happen:
//
//	limit NAME=VALUE ...        before anything else: a field of h2.Limits
//	hello [SETTING=VALUE ...]   preface, SETTINGS and acknowledgment; our answer is not shown
//	feed KIND key=value ...     a frame, see frames.go
//	feed BYTES "text" | HEX     bytes as they are
//	write|send|reply stream=N (bytes=N | text=T)
//	headers stream=N
//	header|trailer stream=N name=T value=T
//	finish stream=N [status=NAME] [message=T]
//	tick DURATION               that much time passes
//	offloaded                   what was given to Service.Offload is done, and comes home
//	shutdown | close
//
// Lines of one block that feed are one piece of input for [Run]; [Pieces] cuts it up.
// Methods whose name ends in Stream take any number of messages; the service test.Service is
// known, all others are not.
package h2test
