package frame

import "encoding/binary"

// HeadBytes is the size of every frame head.
const HeadBytes = 9

// Bounds of the frame layout (RFC 9113 sections 4.2, 5.1.1 and 6.9).
const (
	// PayloadBytesMin is the largest payload every peer must accept, and the initial value
	// of SETTINGS_MAX_FRAME_SIZE.
	PayloadBytesMin = 1 << 14
	// PayloadBytesMax is the largest value SETTINGS_MAX_FRAME_SIZE may take.
	PayloadBytesMax = 1<<24 - 1
	// StreamMax is the last stream identifier there is.
	StreamMax = 1<<31 - 1
	// WindowMax is the largest flow-control window.
	WindowMax = 1<<31 - 1
	// WindowInitial is the window of the connection and of every stream before any
	// SETTINGS or WINDOW_UPDATE.
	WindowInitial = 1<<16 - 1
)

// Preface is what a client sends before its first frame (RFC 9113 section 3.4).
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Kind is a frame type.
type Kind uint8

// The frame types of RFC 9113 section 6.
const (
	KindData Kind = iota
	KindHeaders
	KindPriority
	KindReset
	KindSettings
	KindPushPromise
	KindPing
	KindGoAway
	KindWindowUpdate
	KindContinuation
)

var kindNames = [...]string{
	"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS",
	"PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION",
}

// String is the name the RFC gives the type.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "UNKNOWN"
}

// Flags are the eight flag bits of a head. Their meaning depends on the kind.
type Flags uint8

// The flags of RFC 9113 section 6.
const (
	FlagAck        Flags = 0x1 // SETTINGS, PING
	FlagEndStream  Flags = 0x1 // DATA, HEADERS
	FlagEndHeaders Flags = 0x4 // HEADERS, PUSH_PROMISE, CONTINUATION
	FlagPadded     Flags = 0x8 // DATA, HEADERS, PUSH_PROMISE
	FlagPriority   Flags = 0x20
)

// Has tells whether every bit of flag is set.
func (f Flags) Has(flag Flags) bool { return f&flag == flag }

// Head is a frame head (RFC 9113 section 4.1).
type Head struct {
	Length int // bytes of payload
	Kind   Kind
	Flags  Flags
	Stream uint32
}

// ParseHead reads the head at the front of b, which must hold HeadBytes bytes. The reserved
// bit is ignored.
func ParseHead(b []byte) Head {
	_ = b[HeadBytes-1]
	return Head{
		Length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		Kind:   Kind(b[3]),
		Flags:  Flags(b[4]),
		Stream: binary.BigEndian.Uint32(b[5:]) & StreamMax,
	}
}

// AppendHead encodes h.
func AppendHead(dst []byte, h Head) []byte {
	return append(dst,
		byte(h.Length>>16), byte(h.Length>>8), byte(h.Length),
		byte(h.Kind), byte(h.Flags),
		byte(h.Stream>>24), byte(h.Stream>>16), byte(h.Stream>>8), byte(h.Stream))
}

// PutLength writes the length of the frame that encoded holds into its head.
func PutLength(encoded []byte) {
	n := len(encoded) - HeadBytes
	encoded[0], encoded[1], encoded[2] = byte(n>>16), byte(n>>8), byte(n)
}
