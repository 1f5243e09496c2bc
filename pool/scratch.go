package pool

import "github.com/valyala/bytebufferpool"

// Scratch is a growable byte slice for encodings whose size is not known beforehand and
// which are copied out before it is put back. Use B.
type Scratch = bytebufferpool.ByteBuffer

// GetScratch returns an empty Scratch.
func GetScratch() *Scratch { return bytebufferpool.Get() }

// PutScratch takes s back. Nothing may still borrow s.B.
func PutScratch(s *Scratch) {
	poison(s.B)
	bytebufferpool.Put(s)
}
