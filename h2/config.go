package h2

import (
	"sync"
	"time"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// Config is what connections of one kind share. It must not change once a Conn was made of
// it.
type Config struct {
	Limits   Limits
	Metadata []string  // lower-case header names the service reads; others are dropped
	Counters *Counters // nil: nobody counts
	// Requests bounds the bytes of incomplete requests of all connections together. The call
	// whose bytes exceed it ends with RESOURCE_EXHAUSTED. nil: there is no bound.
	Requests *pool.Budget
	// Memory refuses calls while it is at [pool.NoCalls] or above, with REFUSED_STREAM: nothing has been done
	// of them, and clients may try again by themselves (RFC 9113 section 8.7). It spends no allowance, since no
	// client alone is at fault. nil: there is always enough.
	Memory *pool.Pressure
	// Random draws from [0, 1), for whatever must not happen on all connections at once. It may
	// be called from any turn. nil: always the middle.
	Random func() float64

	once   sync.Once
	begun  time.Time                 // the time of buckets counts from here
	limits Limits                    // with defaults
	names  *hpack.Names              // the headers we know, then Metadata
	values [hpack.NamesMax + 1]int16 // by tag: index in Metadata, or -1
	// anyRequest serves requests that are not gRPC, for h2spec's sake; tests only.
	anyRequest bool
}

// Service hears of the calls of one connection.
type Service interface {
	// Open is called when the request headers of a call are complete. It returns who handles
	// the call, or nil and the status to answer, such as UNIMPLEMENTED for a path it does not
	// serve.
	Open(s *Stream) (Handler, grpc.Status)
	// Offload has w run by somebody else, and then end on the connection's turn; neither before
	// Offload returns.
	Offload(w Work)
}

// Handler hears of one call. Its methods run on the connection's turn, and may answer on the
// stream at once. After Canceled, or once everything was handed to the output, nothing more
// is called and s is not the handler's any more.
type Handler interface {
	// ClientStreams tells whether the method takes any number of messages. Otherwise exactly
	// one is delivered, and only when the client has sent all of its request.
	ClientStreams() bool
	// Message delivers a complete message without its prefix. The handler may move the views
	// out of msg; what it leaves is released after the call.
	Message(s *Stream, msg *pool.Chain)
	// HalfClosed tells that the client sends nothing more.
	HalfClosed(s *Stream)
	// Canceled tells that the stream ended before its last byte, trailers included, was
	// handed to the output: the client reset it, its deadline passed, the client broke the
	// rules, or the connection ended. It is called also when Finish was called before but
	// messages still waited for a window. s may be read, but nothing can be sent on it.
	Canceled(s *Stream, cause error)
}

// prepare computes what all connections share, when the first of them begins.
func (cfg *Config) prepare(now time.Time) {
	cfg.once.Do(func() {
		cfg.begun = now
		cfg.limits = cfg.Limits.withDefaults()
		if cfg.Counters == nil {
			cfg.Counters = new(Counters)
		}
		cfg.names = hpack.NewNames(append(knownNames[1:len(knownNames):len(knownNames)], cfg.Metadata...)...)
		for i := range cfg.values {
			cfg.values[i] = -1
		}
		for i, name := range cfg.Metadata {
			if tag := cfg.names.Tag([]byte(name)); cfg.values[tag] < 0 {
				cfg.values[tag] = int16(i)
			}
		}
	})
}

func (cfg *Config) count(v Violation) { cfg.Counters.Violations[v].Add(1) }

// jittered is d, give or take a tenth.
func (cfg *Config) jittered(d time.Duration) time.Duration {
	if cfg.Random == nil {
		return d
	}
	return d + time.Duration((2*cfg.Random()-1)*float64(d)/10)
}
