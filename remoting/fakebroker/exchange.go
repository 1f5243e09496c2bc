package fakebroker

import (
	"slices"
	"strconv"
	"time"

	"rocketmq-proxy/codec/command"
)

// Request is a request as a client sent it.
type Request struct {
	Kind    command.SerializeType
	Code    int32
	Version int32
	Opaque  int32
	Flag    int32
	Remark  string
	Ext     map[string]string
	Body    []byte
	Client  *Client
}

// Oneway tells that no answer is wanted; one that is given all the same is not sent.
func (r *Request) Oneway() bool { return r.Flag&command.FlagOneway != 0 }

// number reads an ext field as Java does: absent or not a number is 0.
func (r *Request) number(key string) int64 {
	n, err := strconv.ParseInt(r.Ext[key], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Answer sends a response; for controls that answer later, after Response{Silent: true}.
func (r *Request) Answer(response Response) { r.Client.answer(r, response) }

// Response is what a request is answered with, or how it is not.
type Response struct {
	Code   int32
	Remark string
	Ext    map[string]string
	Body   []byte

	Delay  time.Duration // before it is sent, by the real clock
	Silent bool          // nothing is sent
	Twice  bool          // it is sent two times
	Opaque *int32        // in the place of the request's
	Raw    []byte        // sent as it is, in the place of a frame
	Hangup bool          // the connection is closed, after what is sent
}

func (p *Response) frame(opaque int32) []byte {
	if p.Raw != nil {
		return p.Raw
	}
	if p.Opaque != nil {
		opaque = *p.Opaque
	}
	frame := command.AppendResponse(nil, opaque, p.Code, p.Remark, extFields(p.Ext), len(p.Body))
	return append(frame, p.Body...)
}

// extFields puts ext fields into an order, so that tests see the same bytes every time.
func extFields(ext map[string]string) []command.Field {
	fields := make([]command.Field, 0, len(ext))
	for key, value := range ext {
		fields = append(fields, command.Field{Key: []byte(key), Value: []byte(value)})
	}
	slices.SortFunc(fields, func(a, b command.Field) int { return slices.Compare(a.Key, b.Key) })
	return fields
}

// fail is an answer without anything but a code and a remark.
func fail(code int32, remark string) Response { return Response{Code: code, Remark: remark} }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
