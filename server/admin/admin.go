// Package admin is the operator's HTTP port: profiles, counters, connections, metrics and readiness of the running
// process.
// It has no password, so it is off unless an address is configured, and belongs on loopback.
package admin

import (
	"encoding/json"
	"errors"
	"expvar"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"reflect"
	"runtime"
	"time"
)

// Sources are what the pages show.
type Sources struct {
	Counters    any                   // a struct of structs of atomics
	Ready       func() error          // why clients may not come; the error is nil when they may
	Metrics     func(io.Writer) error // writes them in the text format of Prometheus
	Connections Connections
}

// Server is the port.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen opens addr (host:port) and serves
//
//	/debug/pprof/  profiles, as net/http/pprof has them
//	/debug/vars    expvar: memstats, cmdline
//	/debug/counters  counters, a struct of structs of atomics, as JSON
//	/debug/connections  connections of clients, by id, as JSON; ?start=ID&max=N is a page of
//	               them, and server/docs/connections.md says what the fields mean
//	/metrics       for Prometheus: its text format 0.0.4. All names begin with rmqproxy_;
//	               server/docs/limits.md says which limit counts where
//	/ready         whether clients may come: 200, or 503 with what Ready says
//	/live          that the process answers: 200, also when it is not ready
//
// An empty addr opens nothing.
func Listen(addr string, sources Sources) (*Server, error) {
	if addr == "" {
		return &Server{}, nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, errors.New("adminListenAddr: " + err.Error())
	}
	s := &Server{listener: listener, http: &http.Server{Handler: routes(sources), ReadHeaderTimeout: 5 * time.Second}}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

func routes(from Sources) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/vars", expvar.Handler())
	mux.HandleFunc("/debug/counters", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"counters": values(reflect.ValueOf(from.Counters)), "goroutines": runtime.NumGoroutine(),
		})
	})
	mux.HandleFunc("GET /debug/connections", connections(from.Connections))
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", metricsType)
		_ = from.Metrics(w)
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := from.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "live\n") })
	return mux
}

// metricsType is the Content-Type of Prometheus' text format.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// values reads a struct of atomics into what encoding/json can write.
func values(v reflect.Value) any {
	v = reflect.Indirect(v)
	if v.CanAddr() {
		switch a := v.Addr().Interface().(type) {
		case interface{ Load() int64 }:
			return a.Load()
		case interface{ Load() uint64 }:
			return a.Load()
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		fields := make(map[string]any, v.NumField())
		for i := range v.NumField() {
			if t := v.Type().Field(i); t.IsExported() {
				fields[t.Name] = values(v.Field(i))
			}
		}
		return fields
	case reflect.Array:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = values(v.Index(i))
		}
		return items
	}
	return nil
}

// Addr is where the port is, empty when it is off.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Close closes the port.
func (s *Server) Close() {
	if s != nil && s.http != nil {
		_ = s.http.Close()
	}
}
