package h2test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
)

var settingIDs = map[string]frame.SettingID{
	"HEADER_TABLE_SIZE":      frame.SettingHeaderTableSize,
	"ENABLE_PUSH":            frame.SettingEnablePush,
	"MAX_CONCURRENT_STREAMS": frame.SettingStreamsMax,
	"INITIAL_WINDOW_SIZE":    frame.SettingInitialWindowSize,
	"MAX_FRAME_SIZE":         frame.SettingFrameSizeMax,
	"MAX_HEADER_LIST_SIZE":   frame.SettingHeaderListSizeMax,
}

func settingName(id frame.SettingID) string {
	for name, known := range settingIDs {
		if known == id {
			return name
		}
	}
	return fmt.Sprintf("0x%x", uint16(id))
}

// Encode is the bytes of a feed line.
//
//	SETTINGS [ack] NAME=VALUE ...           HEADERS stream= [end_stream] [open] [padding=] [depends=]
//	DATA stream= [end_stream] [padding=]            [bare] :path=... name=value ...
//	     message=TEXT hex= size=N            CONTINUATION stream= [open] name=value ...
//	     gzip=TEXT gzip_size=N ...
//	PING [ack] data=TEXT                    WINDOW_UPDATE [stream=] by=N
//	RST_STREAM stream= code=N               PRIORITY stream= depends=N
//	GOAWAY last=N code=N                    PUSH_PROMISE stream=
//	FRAME kind=N [flags=N] [stream=N] [hex=]
//
// times=N repeats the frame; step=N adds to the stream each time. HEADERS of a request has
// the headers of a gRPC call unless bare.
func Encode(s Step) ([]byte, error) {
	if len(s.Args) == 0 {
		return nil, fmt.Errorf("feed what?")
	}
	kind := s.Args[0].Key
	if kind == "BYTES" || (kind == "" && s.Args[0].Value != "") {
		return rawBytes(s)
	}
	times, step := max(1, s.Int("times")), s.Int("step")
	var out []byte
	for i := range times {
		b, err := encodeFrame(kind, s, uint32(s.Int("stream")+i*step))
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

func rawBytes(s Step) ([]byte, error) {
	if len(s.Args) > 1 && s.Args[1].Key == "" {
		return []byte(s.Args[1].Value), nil
	}
	if len(s.Args) > 1 {
		return hex.DecodeString(s.Args[1].Key)
	}
	return nil, fmt.Errorf("feed BYTES what?")
}

func encodeFrame(kind string, s Step, stream uint32) ([]byte, error) {
	switch kind {
	case "PREFACE":
		return []byte(frame.Preface), nil
	case "SETTINGS":
		return encodeSettings(s)
	case "HEADERS":
		return encodeHeaders(s, stream)
	case "CONTINUATION":
		return frame.AppendContinuation(nil, stream, headerBlock(s, true), endHeaders(s)), nil
	case "DATA":
		return encodeData(s, stream)
	case "PING":
		var data [frame.PingBytes]byte
		text, _ := s.Get("data")
		copy(data[:], text)
		return frame.AppendPing(nil, data, ack(s)), nil
	case "WINDOW_UPDATE":
		return frame.AppendWindowUpdate(nil, stream, uint32(s.Int("by"))), nil
	case "RST_STREAM":
		return frame.AppendReset(nil, stream, frame.ErrCode(s.Int("code"))), nil
	case "PRIORITY":
		return frame.AppendPriority(nil, stream, frame.Priority{DependsOn: uint32(s.Int("depends"))}), nil
	case "GOAWAY":
		return frame.AppendGoAway(nil, uint32(s.Int("last")), frame.ErrCode(s.Int("code")), ""), nil
	case "PUSH_PROMISE":
		return frame.AppendPushPromise(nil, stream, 2, nil, frame.FlagEndHeaders), nil
	case "FRAME":
		payload, err := hexArg(s)
		b := frame.AppendHead(nil, frame.Head{
			Length: len(payload), Kind: frame.Kind(s.Int("kind")), Flags: frame.Flags(s.Int("flags")), Stream: stream,
		})
		return append(b, payload...), err
	}
	return nil, fmt.Errorf("unknown frame %s", kind)
}

func ack(s Step) frame.Flags {
	if s.Has("ack") {
		return frame.FlagAck
	}
	return 0
}

func endHeaders(s Step) frame.Flags {
	if s.Has("open") {
		return 0
	}
	return frame.FlagEndHeaders
}

func hexArg(s Step) ([]byte, error) {
	text, _ := s.Get("hex")
	return hex.DecodeString(text)
}

func encodeSettings(s Step) ([]byte, error) {
	if s.Has("ack") {
		return frame.AppendSettingsAck(nil), nil
	}
	var list []frame.Setting
	for _, a := range s.Args {
		if id, ok := settingIDs[a.Key]; ok {
			list = append(list, frame.Setting{ID: id, Value: uint32(s.Int(a.Key))})
		}
	}
	return frame.AppendSettings(nil, list...), nil
}

func encodeHeaders(s Step, stream uint32) ([]byte, error) {
	flags := endHeaders(s)
	if s.Has("end_stream") {
		flags |= frame.FlagEndStream
	}
	payload := headerBlock(s, s.Has("bare"))
	if h, err := hexArg(s); err != nil {
		return nil, err
	} else if len(h) > 0 {
		payload = h
	}
	if s.Has("depends") {
		flags |= frame.FlagPriority
		priority := frame.AppendPriority(nil, stream, frame.Priority{DependsOn: uint32(s.Int("depends"))})
		payload = append(priority[frame.HeadBytes:], payload...)
	}
	if s.Has("padding") {
		flags |= frame.FlagPadded
		n := s.Int("padding")
		payload = append(append([]byte{byte(n)}, payload...), make([]byte, n)...)
	}
	return frame.AppendHeaders(nil, stream, payload, flags), nil
}

// words that are no header names.
var words = map[string]bool{
	"stream": true, "end_stream": true, "open": true, "padding": true, "depends": true,
	"bare": true, "times": true, "step": true, "hex": true,
}

// headerBlock encodes the headers of a line in their order; unless bare, the usual ones of a
// gRPC call come first, with the values of the line where it gives some.
func headerBlock(s Step, bare bool) []byte {
	usual := []Arg{
		{":method", "POST"}, {":scheme", "http"}, {":path", "/test.Service/Unary"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	}
	var block []byte
	if bare {
		usual = nil
	}
	for _, h := range usual {
		if v, given := s.Get(h.Key); given {
			block = hpack.AppendLiteral(block, h.Key, v)
		} else {
			block = hpack.AppendLiteral(block, h.Key, h.Value)
		}
	}
	for _, a := range s.Args[1:] {
		known := false
		for _, h := range usual {
			known = known || h.Key == a.Key
		}
		if !known && !words[a.Key] {
			block = hpack.AppendLiteral(block, a.Key, a.Value)
		}
	}
	return block
}

var writers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// appendCompressed appends a message as a client sends it that compresses.
func appendCompressed(dst []byte, text string) []byte {
	var b bytes.Buffer
	w := writers.Get().(*gzip.Writer) // a new one costs a megabyte
	defer writers.Put(w)
	w.Reset(&b)
	_, _ = io.WriteString(w, text) // a buffer takes everything
	_ = w.Close()
	return append(grpc.Prefix{Flag: grpc.Compressed, Length: uint32(b.Len())}.Append(dst), b.Bytes()...)
}

func encodeData(s Step, stream uint32) ([]byte, error) {
	var flags frame.Flags
	if s.Has("end_stream") {
		flags = frame.FlagEndStream
	}
	var content []byte
	for _, a := range s.Args {
		switch a.Key {
		case "message":
			content = append(grpc.AppendPrefix(content, len(a.Value)), a.Value...)
		case "gzip":
			content = appendCompressed(content, a.Value)
		case "gzip_size":
			content = appendCompressed(content, strings.Repeat("x", s.Int("gzip_size")))
		case "size":
			content = append(content, strings.Repeat("x", s.Int("size"))...)
		case "hex":
			b, err := hex.DecodeString(a.Value)
			if err != nil {
				return nil, err
			}
			content = append(content, b...)
		}
	}
	if s.Has("padding") {
		return frame.AppendDataPadded(nil, stream, content, flags, uint8(s.Int("padding"))), nil
	}
	return frame.AppendData(nil, stream, content, flags), nil
}
