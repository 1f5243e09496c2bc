package floods

import (
	"bytes"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// All is every attack, the quick ones first.
var All = []Attack{
	{
		Name: "rapid reset", CVE: "CVE-2023-44487", Within: 500, Codes: calm,
		Piece: func(c Call, i int) []byte {
			return join(c.open(odd(i), 0), frame(http2.FrameRSTStream, 0, odd(i), number(uint32(http2.ErrCodeCancel))...))
		},
	},
	{
		Name: "made-you-reset: WINDOW_UPDATE of 0", CVE: "CVE-2025-8671", Within: 200, Codes: calm,
		Piece: func(c Call, i int) []byte {
			return join(c.open(odd(i), 0), frame(http2.FrameWindowUpdate, 0, odd(i), number(0)...))
		},
	},
	{
		Name: "made-you-reset: window overflow", CVE: "CVE-2025-8671", Within: 200, Codes: calm,
		Piece: func(c Call, i int) []byte {
			return join(c.open(odd(i), 0), frame(http2.FrameWindowUpdate, 0, odd(i), number(1<<31-1)...))
		},
	},
	{
		Name: "made-you-reset: DATA after the end", CVE: "CVE-2025-8671", Within: 200, Codes: calm,
		Piece: func(c Call, i int) []byte {
			return join(c.open(odd(i), http2.FlagHeadersEndStream), frame(http2.FrameData, 0, odd(i), 'x'))
		},
	},
	{
		Name: "made-you-reset: content-length lie", CVE: "CVE-2025-8671", Within: 200, Codes: calm,
		Piece: func(c Call, i int) []byte {
			block := c.block(hpack.HeaderField{Name: "content-length", Value: "1"})
			return join(frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, odd(i), block...), frame(http2.FrameData, 0, odd(i), c.message()...))
		},
	},
	{
		Name: "made-you-reset: a stream depends on itself", CVE: "CVE-2025-8671", Within: 200, Codes: calm,
		Piece: func(_ Call, i int) []byte { return frame(http2.FramePriority, 0, odd(i), append(number(odd(i)), 0)...) },
	},
	{
		Name: "CONTINUATION, 400 bytes each", CVE: "CVE-2024-27316", Within: 9, Codes: calm,
		Begin: func(c Call) []byte { return frame(http2.FrameHeaders, 0, 1, c.block()...) },
		Piece: func(_ Call, i int) []byte {
			return frame(http2.FrameContinuation, 0, 1, literal("x-"+string(rune('a'+i%26)), bytes.Repeat([]byte{'v'}, 390))...)
		},
	},
	{
		Name: "CONTINUATION, empty", CVE: "CVE-2024-27316", Within: 9, Codes: calm,
		Begin: func(c Call) []byte { return frame(http2.FrameHeaders, 0, 1, c.block()...) },
		Piece: func(Call, int) []byte { return frame(http2.FrameContinuation, 0, 1) },
	},
	{
		Name: "HPACK bomb", CVE: "CVE-2016-6581", Within: 30, Max: 200, Codes: calm,
		Begin: func(c Call) []byte {
			block := append(indexed("bomb", bytes.Repeat([]byte{'v'}, 3900)), c.block()...)
			return frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, 1, block...)
		},
		Piece: func(_ Call, i int) []byte {
			const newest = 0x80 | 62 // the first entry of the dynamic table
			return frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, odd(i+1), bytes.Repeat([]byte{newest}, 16_000)...)
		},
	},
	{
		Name: "gzip bomb", Within: 100, Codes: calm,
		Piece: func(c Call, i int) []byte {
			headers := c.block(hpack.HeaderField{Name: "grpc-encoding", Value: "gzip"})
			return join(frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, odd(i), headers...), frame(http2.FrameData, http2.FlagDataEndStream, odd(i), bomb...))
		},
	},
	{
		Name: "PING", CVE: "CVE-2019-9512", Within: 100, Codes: calm,
		Piece: func(Call, int) []byte { return frame(http2.FramePing, 0, 0, []byte("anybody?")...) },
	},
	{
		Name: "SETTINGS", CVE: "CVE-2019-9515", Within: 100, Codes: calm,
		Piece: func(Call, int) []byte {
			return frame(http2.FrameSettings, 0, 0, setting(http2.SettingInitialWindowSize, 65535)...)
		},
	},
	{
		Name: "PRIORITY", CVE: "CVE-2019-9513", Within: 1500, Codes: calm,
		Piece: func(_ Call, i int) []byte { return frame(http2.FramePriority, 0, 7, 0, 0, 0, 0, byte(i)) },
	},
	{
		Name: "empty DATA", CVE: "CVE-2019-9518", Within: 200, Codes: calm,
		Begin: func(c Call) []byte { return c.open(1, 0) },
		Piece: func(Call, int) []byte { return frame(http2.FrameData, 0, 1) },
	},
	{
		Name: "DATA of padding only", CVE: "CVE-2019-9518", Within: 200, Codes: calm,
		Begin: func(c Call) []byte { return c.open(1, 0) },
		Piece: func(Call, int) []byte { return frame(http2.FrameData, http2.FlagDataPadded, 1, 3, 0, 0, 0) },
	},
	{
		Name: "DATA byte by byte", CVE: "CVE-2019-9511", Within: 2000, Codes: calm,
		Begin: func(c Call) []byte {
			return append(c.open(1, 0), frame(http2.FrameData, 0, 1, 0, 0, 0x10, 0, 0)...) // a message of 1 MiB
		},
		Piece: func(Call, int) []byte { return frame(http2.FrameData, 0, 1, 'x') },
	},
	{
		Name: "WINDOW_UPDATE", Within: 12_000, Codes: calm,
		Piece: func(Call, int) []byte { return frame(http2.FrameWindowUpdate, 0, 0, number(1)...) },
	},
	{
		Name: "frames of unknown types", Within: 1500, Codes: calm,
		Piece: func(Call, int) []byte { return frame(0xbe, 0, 0, 'x') },
	},
	{
		Name: "GOAWAY", Within: 1500, Codes: calm,
		Piece: func(Call, int) []byte { return frame(http2.FrameGoAway, 0, 0, append(number(0), number(0)...)...) },
	},
	{
		Name: "streams without end", Within: 1500, Codes: calm,
		Piece: func(c Call, i int) []byte { return c.open(odd(i), 0) },
	},
	{
		Name: "stream identifiers backwards", Within: 1, Codes: []http2.ErrCode{http2.ErrCodeProtocol, http2.ErrCodeStreamClosed},
		Begin: func(c Call) []byte { return c.open(101, 0) },
		Piece: func(c Call, i int) []byte { return c.open(uint32(99-2*(i%40)), 0) },
	},
	{
		Name: "frame of 16 MiB", Within: 1, Codes: []http2.ErrCode{http2.ErrCodeFrameSize},
		Begin: func(c Call) []byte { return c.open(1, 0) },
		Piece: func(_ Call, i int) []byte {
			if i == 0 {
				return []byte{0xff, 0xff, 0xff, byte(http2.FrameData), 0, 0, 0, 0, 1}
			}
			return make([]byte, 1024)
		},
	},
	{
		Name: "silence", Codes: closing, Bare: true, By: 11 * time.Second,
	},
	{
		Name: "a preface byte by byte", CVE: "slowloris", Codes: closing, Bare: true, By: 11 * time.Second, Every: 600 * time.Millisecond,
		Piece: func(_ Call, i int) []byte { return hello()[i : i+1] },
	},
	{
		Name: "a header block that does not end", CVE: "slowloris", Codes: calm, By: 7 * time.Second,
		Begin: func(c Call) []byte { return frame(http2.FrameHeaders, 0, 1, c.block()...) },
	},
}

// Codes with which a server may end the connection. closing is for those that have not even spoken
// HTTP/2: a bare close will do.
var (
	calm    = []http2.ErrCode{http2.ErrCodeEnhanceYourCalm}
	closing = []http2.ErrCode{http2.ErrCodeNo, http2.ErrCodeProtocol, http2.ErrCodeEnhanceYourCalm}
)

func odd(i int) uint32 { return uint32(2*i + 1) }

// literal is a header field that no table keeps (RFC 7541 section 6.2.2); indexed is one that the
// dynamic table does (6.2.1).
func literal(name string, value []byte) []byte { return field(0, name, value) }
func indexed(name string, value []byte) []byte { return field(0x40, name, value) }

func field(kind byte, name string, value []byte) []byte {
	b := append([]byte{kind}, byte(len(name)))
	b = append(b, name...)
	const prefixMax = 127
	if rest := len(value) - prefixMax; rest < 0 {
		b = append(b, byte(len(value)))
	} else {
		b = append(b, prefixMax, byte(rest&0x7f|0x80), byte(rest>>7)) // up to 16 KiB
	}
	return append(b, value...)
}
