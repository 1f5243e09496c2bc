package apiv2

// Limits bound how much memory the elements of one request can make a view hold. Without them
// a request of two-byte elements grows more than a hundredfold when it is read.
type Limits struct {
	MessagesMax   int // messages of a SendMessageRequest
	PropertiesMax int // user properties of a SendMessageRequest, all messages together
	KeysMax       int // message keys of a SendMessageRequest, all messages together
	EntriesMax    int // entries of an AckMessageRequest
}

// DefaultLimits are far above what the official clients send in one request.
func DefaultLimits() Limits {
	return Limits{
		MessagesMax:   4 << 10,
		PropertiesMax: 64 << 10,
		KeysMax:       64 << 10,
		EntriesMax:    16 << 10,
	}
}

// What a view keeps from one Parse to the next; more than that goes to the garbage collector,
// so that one large request does not stay large for ever.
const (
	keptScratchBytesMax = 64 << 10
	keptElementsMax     = 1 << 10
)

// reuse empties s, and keeps its array unless that has grown beyond max elements.
func reuse[T any](s []T, max int) []T {
	clear(s)
	if cap(s) > max {
		return nil
	}
	return s[:0]
}
