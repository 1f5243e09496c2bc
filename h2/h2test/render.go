package h2test

import (
	"fmt"
	"strconv"
	"strings"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/hpack"
)

// Reader turns what a Conn sends into lines.
type Reader struct {
	decoder hpack.Decoder
	rest    []byte
}

// NewReader returns a Reader at the front of a connection.
func NewReader() *Reader {
	r := &Reader{}
	r.decoder.Init(nil, hpack.Limits{ListBytesMax: 1 << 20, ListFieldsMax: 1000, StringBytesMax: 1 << 20})
	return r
}

// Read is the whole frames in b and what was left before, one line each.
func (r *Reader) Read(b []byte) (lines []string) {
	r.rest = append(r.rest, b...)
	for len(r.rest) >= frame.HeadBytes {
		h := frame.ParseHead(r.rest)
		if len(r.rest) < frame.HeadBytes+h.Length {
			break
		}
		payload := r.rest[frame.HeadBytes : frame.HeadBytes+h.Length]
		lines = append(lines, strings.TrimRight(r.line(h, payload), " "))
		r.rest = r.rest[frame.HeadBytes+h.Length:]
	}
	return lines
}

func (r *Reader) line(h frame.Head, payload []byte) string {
	text := "send " + h.Kind.String()
	if h.Stream != 0 {
		text += " stream=" + strconv.Itoa(int(h.Stream))
	}
	if h.Kind == frame.KindData || h.Kind == frame.KindHeaders {
		if h.Flags.Has(frame.FlagEndStream) {
			text += " end_stream"
		}
	} else if h.Flags.Has(frame.FlagAck) {
		text += " ack"
	}
	return text + " " + r.payload(h, payload)
}

func (r *Reader) payload(h frame.Head, payload []byte) string {
	switch h.Kind {
	case frame.KindData:
		return "bytes=" + strconv.Itoa(len(payload))
	case frame.KindHeaders:
		return r.fields(payload)
	case frame.KindSettings:
		return settingsText(h, payload)
	case frame.KindPing:
		return "data=" + strconv.Quote(strings.TrimRight(string(payload), "\x00"))
	case frame.KindReset:
		code, _ := frame.ParseReset(payload)
		return "code=" + code.String()
	case frame.KindGoAway:
		g, _ := frame.ParseGoAway(payload)
		return fmt.Sprintf("last=%d code=%v reason=%q", g.Last, g.Code, g.Debug)
	case frame.KindWindowUpdate:
		n, _ := frame.ParseWindowUpdate(payload)
		return "by=" + strconv.Itoa(int(n))
	}
	return ""
}

func (r *Reader) fields(block []byte) string {
	var parts []string
	r.decoder.Begin(block)
	for r.decoder.Next() {
		f := r.decoder.Field()
		parts = append(parts, word(string(f.Name), string(f.Value)))
	}
	if err := r.decoder.Err(); err != nil {
		parts = append(parts, err.Error())
	}
	return strings.Join(parts, " ")
}

func settingsText(h frame.Head, payload []byte) string {
	list, err := frame.ParseSettings(h, payload)
	if err != nil {
		return err.Error()
	}
	var parts []string
	for i := range list.Len() {
		parts = append(parts, fmt.Sprintf("%s=%d", settingName(list.At(i).ID), list.At(i).Value))
	}
	return strings.Join(parts, " ")
}

// word is key=value, quoted when a space or nothing is in it.
func word(key, value string) string {
	if value == "" || strings.ContainsAny(value, " \"\\") || strconv.Quote(value) != `"`+value+`"` {
		value = strconv.Quote(value)
	}
	return key + "=" + value
}
