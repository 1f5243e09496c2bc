package floods

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The frames are spelled out here (RFC 9113 section 6) and not written by the codecs of the proxy:
// most of them are such as no codec would write.

func frame(kind http2.FrameType, flags http2.Flags, stream uint32, payload ...byte) []byte {
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), byte(kind), byte(flags)}
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func setting(id http2.SettingID, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, uint16(id)), value)
}

// hello is a preface and SETTINGS, with the acknowledgment of the server's in advance.
func hello(settings ...byte) []byte {
	return join([]byte(http2.ClientPreface), frame(http2.FrameSettings, 0, 0, settings...), frame(http2.FrameSettings, http2.FlagSettingsAck, 0))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// block is the header block of a call. Its fields are never indexed, so that it is the same for
// every call of a connection.
func (c Call) block(more ...hpack.HeaderField) []byte {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	fields := []hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: c.Path}, {Name: ":authority", Value: "proxy"},
		{Name: "content-type", Value: "application/grpc"}, {Name: "te", Value: "trailers"},
		{Name: "x-mq-client-id", Value: "flood"}, {Name: "x-mq-language", Value: "GO"}, {Name: "x-mq-client-version", Value: "5.0.5"},
	}
	for _, f := range append(fields, more...) {
		f.Sensitive = true
		_ = encoder.WriteField(f) // into memory
	}
	return b.Bytes()
}

func (c Call) open(stream uint32, flags http2.Flags) []byte {
	return frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|flags, stream, c.block()...)
}

// bomb is a message of two kilobytes that holds two megabytes, with its prefix.
var bomb = func() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, 2<<20)) // into memory
	_ = w.Close()
	return join([]byte{1}, number(uint32(b.Len())), b.Bytes())
}()

// message is the request with its prefix.
func (c Call) message() []byte {
	return append(append([]byte{0}, number(uint32(len(c.Request)))...), c.Request...)
}
