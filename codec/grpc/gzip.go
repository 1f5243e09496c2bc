package grpc

import (
	"compress/gzip"
	"errors"
	"io"
	"sync"

	"rocketmq-proxy/pool"
)

// EncodingGzip is the grpc-encoding of messages that are gzip files (RFC 1952), and the only one
// here but identity.
const EncodingGzip = "gzip"

// What Inflate fails with, besides the complaints of compress/gzip.
var (
	ErrInflatedSize = errors.New("the message is too large once inflated")
	ErrInflatedRoom = errors.New("there is no room for the inflated message")
)

// Inflation is how a compressed message is inflated, of which its length says nothing: a few
// kilobytes may hold gigabytes, or nothing and still take long.
type Inflation struct {
	BytesMax int              // what the message may grow to
	Hold     func(n int) bool // asked before n more bytes are held
	Pause    func()           // called every now and then: it takes a while
}

// inflatePiece is after how many bytes of input Inflate pauses; it reads 8 to 100 of them a microsecond.
const inflatePiece = 4 << 10

// The blocks that an inflated message is held in grow from the first to the second.
const (
	inflateBlockMin = 4 << 10
	inflateBlockMax = 64 << 10
)

// Inflate appends to dst the message that src holds compressed, which it borrows. It fails with
// ErrInflatedSize, ErrInflatedRoom, or an error of compress/gzip when src is no gzip file; what dst
// holds then was asked for by Hold like the rest.
func (in *Inflation) Inflate(dst, src *pool.Chain) error {
	z := inflaters.Get().(*inflater)
	defer z.done()
	z.source = source{views: src.Views(), pause: in.Pause}
	if err := z.reader.Reset(&z.source); err != nil {
		return noEOF(err)
	}
	for size := inflateBlockMin; ; size = min(4*size, inflateBlockMax) {
		n, err := z.fill(in, dst, size)
		if in.BytesMax -= n; in.BytesMax < 0 {
			return ErrInflatedSize
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return noEOF(err)
		}
	}
}

// inflater is the memory of an Inflate, about 40 KiB.
type inflater struct {
	reader gzip.Reader
	source source
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func (z *inflater) done() {
	z.source = source{}
	inflaters.Put(z)
}

// fill appends one block to dst, full unless there is an error.
func (z *inflater) fill(in *Inflation, dst *pool.Chain, size int) (n int, err error) {
	if !in.Hold(size) {
		return 0, ErrInflatedRoom
	}
	block := pool.Get(size)
	for n < size && err == nil {
		var read int
		read, err = z.reader.Read(block.Bytes()[n:size])
		n += read
	}
	dst.Append(pool.ViewOf(block, 0, n))
	return n, err
}

// noEOF is err, which is no end but where something is missing.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// source reads views, and pauses between pieces.
type source struct {
	rest  []byte // of the current piece
	view  []byte // behind it
	views []pool.View
	pause func()
}

func (s *source) next() error {
	for len(s.view) == 0 {
		if len(s.views) == 0 {
			return io.EOF
		}
		s.view, s.views = s.views[0].Bytes(), s.views[1:]
	}
	s.pause()
	n := min(len(s.view), inflatePiece)
	s.rest, s.view = s.view[:n], s.view[n:]
	return nil
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// ReadByte implements io.ByteReader, so that compress/flate puts no buffer of its own in between.
func (s *source) ReadByte() (byte, error) {
	if len(s.rest) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b, nil
}

// Deflate appends to dst the message in src, compressed, which it borrows. It is quick rather than
// thorough: about 10 us a kilobyte.
func Deflate(dst, src *pool.Chain) {
	z := deflaters.Get().(*gzip.Writer)
	defer deflaters.Put(z)
	z.Reset((*sink)(dst))
	for _, v := range src.Views() {
		_, _ = z.Write(v.Bytes()) // a sink takes everything
	}
	_ = z.Close()
	z.Reset(io.Discard) // the chain is the caller's
}

var deflaters = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return z
}}

// sink is a chain to write to.
type sink pool.Chain

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	(*pool.Chain)(s).Write(p)
	return len(p), nil
}
