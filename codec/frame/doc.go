// Package frame is the byte layout of HTTP/2 frames: the nine-byte head, the ten frame types
// of RFC 9113 section 6, the error codes and the setting identifiers.
//
// It holds no state and knows no stream: whether a frame may arrive now is a question for
// package h2. Parse functions borrow the payload they are given and return values that point
// into it; Append functions encode onto the end of a slice. A frame that contradicts its own
// layout is an [Error], which carries the code the peer is to see.
package frame
