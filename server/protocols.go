package server

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/link"
)

// speaksHTTP2 judges the first cleartext bytes of a connection: clients begin with the
// connection preface (RFC 9113 section 3.4).
func speaksHTTP2(first []byte) link.Verdict {
	const enough = 4 // tells "PRI " from every HTTP/1.1 method and every Remoting frame
	n := min(len(first), enough)
	switch {
	case string(first[:n]) != frame.Preface[:n]:
		return link.Never
	case n < enough:
		return link.More
	}
	return link.Yes
}

const (
	rejectHTTP1 = "This port speaks gRPC (HTTP/2, with TLS or in cleartext by prior knowledge), not HTTP/1.1.\n" +
		"Point a RocketMQ 5 client at it; see the README of rocketmq-proxy.\n"
	rejectRemoting = "this is the gRPC port of rocketmq-proxy (RocketMQ 5 clients); " +
		"4.x clients speak Remoting and are not served here"
	rejectIntroduction = "This port takes a PROXY header only from the networks that proxyProtocolTrusted names, and this peer is in none of them.\n"
	rejectCleartext    = "this port speaks TLS only (tlsServerMode is enforcing): have the client use TLS"
)

// tlsHandshake is the first byte of a TLS connection (RFC 8446 section 5.1).
const tlsHandshake = 22

// rejectTLS is the alert protocol_version (RFC 8446 section 6): it makes a TLS client say at once
// that the other side does not speak with it.
var rejectTLS = []byte{21, 3, 1, 0, 2, 2, 70}

// reject answers a client of another protocol so that a person can read it.
func reject(first []byte) []byte {
	if first[0] == tlsHandshake {
		return rejectTLS
	}
	if speaksHTTP2(first) == link.Yes {
		return frame.AppendGoAway(frame.AppendSettings(nil), 0, frame.InadequateSecurity, rejectCleartext)
	}
	if line, _, _ := bytes.Cut(first, []byte("\r\n")); bytes.Contains(line, []byte(" HTTP/1.")) {
		return fmt.Appendf(nil, "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: text/plain; charset=utf-8\r\n"+
			"Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(rejectHTTP1), rejectHTTP1)
	}
	if isIntroduction(first) {
		return frame.AppendGoAway(frame.AppendSettings(nil), 0, frame.ProtocolError, rejectIntroduction)
	}
	if head, isFrame := remotingHead(first); isFrame {
		return command.AppendResponse(nil, head.Opaque, int32(command.ResponseSystemError), rejectRemoting, nil, 0)
	}
	// RFC 9113 section 3.4: an invalid preface. A person at a terminal finds the text in it.
	return frame.AppendGoAway(frame.AppendSettings(nil), 0, frame.ProtocolError, rejectHTTP1)
}

// remotingHead reads the head of a Remoting frame, if first is the begin of one.
func remotingHead(first []byte) (head command.Head, isFrame bool) {
	headLen, _, kind, err := command.SplitFrame(first)
	if err != nil || binary.BigEndian.Uint32(first) == 0 {
		return head, false
	}
	rest := first[command.PrefixBytes:]
	return head, command.ParseHead(&head, kind, rest[:min(headLen, len(rest))]) == nil
}
