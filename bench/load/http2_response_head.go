package load

import (
	"bytes"
	"errors"

	"golang.org/x/net/http2/hpack"
)

var errHeadBlock = errors.New("load: malformed header block")

// responseHead is what the generator wants to know of one header block.
type responseHead struct {
	httpStatus  string // ":status", "" in trailers
	grpcStatus  string // "" before the trailers
	grpcMessage string
	contentType string
}

// headDecoder decodes header blocks. Servers send the same few blocks over and
// over: a block that changes no table means the same as long as nobody else
// changes the table either, so it is decoded once.
type headDecoder struct {
	hpack *hpack.Decoder
	now   responseHead
	known []knownBlock
}

type knownBlock struct {
	block []byte
	head  responseHead
}

const knownBlocksMax = 16

func newHeadDecoder() *headDecoder {
	d := &headDecoder{}
	d.hpack = hpack.NewDecoder(tableBytesDefault, d.emit)
	return d
}

func (d *headDecoder) emit(f hpack.HeaderField) {
	switch f.Name {
	case ":status":
		d.now.httpStatus = f.Value
	case "grpc-status":
		d.now.grpcStatus = f.Value
	case "grpc-message":
		d.now.grpcMessage = f.Value
	case "content-type":
		d.now.contentType = f.Value
	}
}

func (d *headDecoder) decode(block []byte) (responseHead, error) {
	for i := range d.known {
		if bytes.Equal(d.known[i].block, block) {
			return d.known[i].head, nil
		}
	}
	d.now = responseHead{}
	if _, err := d.hpack.Write(block); err != nil {
		return d.now, err
	}
	if err := d.hpack.Close(); err != nil {
		return d.now, err
	}
	changes, err := changesTable(block)
	if err != nil {
		return d.now, err
	}
	if changes {
		d.known = d.known[:0]
	} else if len(d.known) < knownBlocksMax {
		d.known = append(d.known, knownBlock{bytes.Clone(block), d.now})
	}
	return d.now, nil
}

// changesTable reports whether a block inserts into the dynamic table or
// resizes it.
func changesTable(b []byte) (bool, error) {
	for len(b) > 0 {
		first := b[0]
		var v uint64
		var ok bool
		switch {
		case first&indexedBit != 0:
			_, b, ok = readInt(b, 7)
		case first&(incrementalBit|sizeUpdateBit) != 0:
			return true, nil
		default:
			if v, b, ok = readInt(b, 4); ok && v == 0 {
				b, ok = skipString(b)
			}
			if ok {
				b, ok = skipString(b)
			}
		}
		if !ok {
			return false, errHeadBlock
		}
	}
	return false, nil
}

func skipString(b []byte) ([]byte, bool) {
	n, b, ok := readInt(b, 7)
	if !ok || n > uint64(len(b)) {
		return nil, false
	}
	return b[n:], true
}

func readInt(b []byte, prefixBits uint) (uint64, []byte, bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	limit := uint64(1)<<prefixBits - 1
	v := uint64(b[0]) & limit
	b = b[1:]
	if v < limit {
		return v, b, true
	}
	for shift := uint(0); len(b) > 0 && shift < 63; shift += 7 {
		c := b[0]
		b = b[1:]
		v += uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return v, b, true
		}
	}
	return 0, nil, false
}
