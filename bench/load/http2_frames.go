package load

import "encoding/binary"

// HTTP/2 as far as a client needs it (RFC 9113 §6).
const (
	preface        = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeadBytes = 9

	frameData         = 0
	frameHeaders      = 1
	frameRST          = 3
	frameSettings     = 4
	framePing         = 6
	frameGoAway       = 7
	frameWindowUpdate = 8
	frameContinuation = 9

	flagAck        = 0x1
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingTableBytes    = 1
	settingEnablePush    = 2
	settingStreamsMax    = 3
	settingInitialWindow = 4
	settingFrameBytes    = 5

	windowDefault    = 65535
	frameBytesMin    = 16384
	streamWindow     = 1 << 20 // granted to the server for each stream
	connWindow       = 1 << 30 // granted to the server for the connection
	messageBytesMax  = 64 << 20
	messageHeadBytes = 5 // gRPC: compressed flag and length
)

func appendFrameHead(out []byte, n int, kind, flags byte, stream uint32) []byte {
	out = append(out, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	return binary.BigEndian.AppendUint32(out, stream)
}

func appendWindowUpdate(out []byte, stream uint32, n int) []byte {
	out = appendFrameHead(out, 4, frameWindowUpdate, 0, stream)
	return binary.BigEndian.AppendUint32(out, uint32(n))
}

// appendHello is all a client says before its first request.
func appendHello(out []byte) []byte {
	out = append(out, preface...)
	out = appendFrameHead(out, 12, frameSettings, 0, 0)
	out = binary.BigEndian.AppendUint16(out, settingEnablePush)
	out = binary.BigEndian.AppendUint32(out, 0)
	out = binary.BigEndian.AppendUint16(out, settingInitialWindow)
	out = binary.BigEndian.AppendUint32(out, streamWindow)
	return appendWindowUpdate(out, 0, connWindow-windowDefault)
}

// unpad removes the padding, and for HEADERS the priority, from a payload.
func unpad(flags byte, payload []byte, headers bool) ([]byte, bool) {
	pad := 0
	if flags&flagPadded != 0 {
		if len(payload) == 0 {
			return nil, false
		}
		pad = int(payload[0])
		payload = payload[1:]
	}
	if headers && flags&flagPriority != 0 {
		if len(payload) < 5 {
			return nil, false
		}
		payload = payload[5:]
	}
	if pad > len(payload) {
		return nil, false
	}
	return payload[:len(payload)-pad], true
}
