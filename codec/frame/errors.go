package frame

// ErrCode is a reason for the end of a stream or of a connection (RFC 9113 section 7).
type ErrCode uint32

// The error codes of RFC 9113 section 7.
const (
	NoError            ErrCode = 0x0
	ProtocolError      ErrCode = 0x1
	InternalError      ErrCode = 0x2
	FlowControlError   ErrCode = 0x3
	SettingsTimeout    ErrCode = 0x4
	StreamClosed       ErrCode = 0x5
	FrameSizeError     ErrCode = 0x6
	RefusedStream      ErrCode = 0x7
	Cancel             ErrCode = 0x8
	CompressionError   ErrCode = 0x9
	ConnectError       ErrCode = 0xa
	EnhanceYourCalm    ErrCode = 0xb
	InadequateSecurity ErrCode = 0xc
	HTTP11Required     ErrCode = 0xd
)

var errCodeNames = [...]string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
	"STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
	"CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// String is the name the RFC gives the code.
func (c ErrCode) String() string {
	if int64(c) < int64(len(errCodeNames)) {
		return errCodeNames[c]
	}
	return "UNKNOWN_ERROR"
}

// Error is a frame that contradicts its own layout. Whether a stream or the connection dies
// of it depends on the frame type and is decided by the caller.
type Error struct {
	Code   ErrCode // what the peer is told
	Reason string
}

func (e *Error) Error() string { return e.Code.String() + ": " + e.Reason }

// sizeError is a payload of a wrong length.
func sizeError(kind Kind) error {
	return &Error{Code: FrameSizeError, Reason: kind.String() + " has a wrong length"}
}
