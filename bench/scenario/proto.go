package scenario

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"rocketmq-proxy/bench/load"
)

// Small writers for apache.rocketmq.v2 messages; field numbers are the API's.

func appendBytes(b []byte, num protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

func appendString(b []byte, num protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), v)
}

func appendVarint(b []byte, num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func resource(name string) []byte { return appendString(nil, 2, name) }

func seconds(d time.Duration) []byte { return appendVarint(nil, 1, uint64(d.Seconds())) }

func (p *Params) endpoints() []byte {
	address := appendVarint(appendString(nil, 1, p.Host), 2, uint64(p.Port))
	return appendBytes(appendVarint(nil, 1, 1), 2, address) // IPv4
}

const (
	clientProducer       = 1
	clientSimpleConsumer = 3
	languageGo           = 4
	fieldPublishing      = 5
	fieldSubscription    = 6
)

// settings is the TelemetryCommand every client begins with.
func (p *Params) settings(client uint64, pubSubField protowire.Number, pubSub []byte) []byte {
	s := appendVarint(nil, 1, client)
	s = appendBytes(s, 2, p.endpoints())
	s = appendBytes(s, 4, seconds(requestTimeout))
	s = appendBytes(s, pubSubField, pubSub)
	ua := appendVarint(nil, 1, languageGo)
	ua = appendString(ua, 2, "5.1.4")
	ua = appendString(ua, 3, "linux")
	ua = appendString(ua, 4, "bench")
	s = appendBytes(s, 7, ua)
	return appendBytes(nil, 2, s)
}

// telemetry fills the request that opens a client's telemetry stream, which
// has no timeout and stays open.
func telemetry(r *load.Request, command []byte) bool {
	r.Path, r.Timeout, r.Open = service+"Telemetry", 0, true
	r.Body = append(r.Body, command...)
	return true
}
