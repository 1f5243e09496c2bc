package metrics

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/link"
)

// family is what a page has of one name.
type family struct {
	kind    string
	samples map[string]int64 // by what is between the braces
}

// The lines of the text format, as strictly as its description allows.
var (
	helpLine   = regexp.MustCompile(`^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S[^\\]*\S)$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$`)
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([a-zA-Z_][a-zA-Z0-9_]*="[a-z0-9_]+")\})? (-?[0-9]+)$`)
)

// parse reads a page: HELP, TYPE and the samples of a family come in this order, together and once.
func parse(text string) (map[string]*family, error) {
	all := make(map[string]*family)
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("the last line does not end")
	}
	name, stage := "", "samples"
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		fault := func(what string) error { return fmt.Errorf("line %d: %s: %q", i+1, what, line) }
		if m := helpLine.FindStringSubmatch(line); m != nil {
			if stage != "samples" || name != "" && len(all[name].samples) == 0 {
				return nil, fault("HELP before the samples of " + name)
			}
			if name = m[1]; all[name] != nil {
				return nil, fault("a second family of this name")
			}
			all[name] = &family{samples: make(map[string]int64)}
			stage = "type"
			continue
		}
		if m := typeLine.FindStringSubmatch(line); m != nil {
			if stage != "type" || m[1] != name {
				return nil, fault("TYPE without its HELP before it")
			}
			if all[name].kind = m[2]; (m[2] == "counter") != strings.HasSuffix(name, "_total") {
				return nil, fault("counters, and they alone, end in _total")
			}
			stage = "samples"
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fault("neither HELP nor TYPE nor a sample")
		}
		if stage != "samples" || m[1] != name {
			return nil, fault("a sample outside its family")
		}
		if _, twice := all[name].samples[m[2]]; twice {
			return nil, fault("the same sample again")
		}
		n, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil {
			return nil, fault(err.Error())
		}
		all[name].samples[m[2]] = n
	}
	return all, nil
}

// stamp gives every atomic in v a value of its own, from next on, and tells their names.
func stamp(v reflect.Value, name string, next *int64, names map[int64]string) {
	if store := v.Addr().MethodByName("Store"); store.IsValid() {
		*next++
		store.Call([]reflect.Value{reflect.ValueOf(*next).Convert(store.Type().In(0))})
		names[*next] = name
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			stamp(v.Field(i), name+"."+v.Type().Field(i).Name, next, names)
		}
	case reflect.Array:
		for i := range v.Len() {
			stamp(v.Index(i), fmt.Sprintf("%s[%d]", name, i), next, names)
		}
	}
}

// Every counter is on the page, in one sample and under its own name.
func TestEveryCounterIsThere(t *testing.T) {
	s := Sources{
		Link: new(link.Counters), H2: new(h2.Counters), Remoting: new(remoting.Counters),
		Requests: pool.NewBudget(10_001), Sends: pool.NewBudget(10_002), Polls: pool.NewBudget(10_003),
		Memory: new(pool.Pressure),
	}
	next, names := int64(1000), make(map[int64]string)
	stamp(reflect.ValueOf(s.Link).Elem(), "Link", &next, names)
	stamp(reflect.ValueOf(s.H2).Elem(), "H2", &next, names)
	stamp(reflect.ValueOf(s.Remoting).Elem(), "Remoting", &next, names)
	for b, n := range map[*pool.Budget]int{s.Requests: 10_001, s.Sends: 10_002, s.Polls: 10_003} {
		b.Take(n)
		names[int64(n)] = fmt.Sprintf("budget of %d", n)
	}
	s.Memory.Set(pool.NoCalls, 10_004, 10_005)
	names[10_004], names[10_005] = "memory used", "limit of memory"
	s.Memory.Refuses(pool.NoCalls)
	s.Sends.Take(1)
	for range 2 {
		s.Polls.Take(1)
	}

	var text bytes.Buffer
	if err := s.Write(&text); err != nil {
		t.Fatal(err)
	}
	all, err := parse(text.String())
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	for name, f := range all {
		for label, n := range f.samples {
			if _, ours := names[n]; !ours && n > 2 {
				t.Errorf("%s{%s} is %d, which nobody counted", name, label, n)
			}
			delete(names, n)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		t.Errorf("%s is not on the page", names[n])
	}
	for sample, want := range map[[2]string]int64{
		{"rmqproxy_h2_violation_total", `kind="rapid_reset"`}:                  int64(s.H2.Violations[h2.RapidReset].Load()),
		{"rmqproxy_h2_violation_total", `kind="request_budget"`}:               int64(s.H2.Violations[h2.RequestBudget].Load()),
		{"rmqproxy_connections_refused_total", `reason="too_many"`}:            int64(s.Link.Refused[link.TooMany].Load()),
		{"rmqproxy_connections_refused_total", `reason="failed"`}:              int64(s.Link.Refused[link.Failed].Load()),
		{"rmqproxy_h2_streams_canceled_total", ``}:                             int64(s.H2.StreamsCanceled.Load()),
		{"rmqproxy_sends_refused_total", ``}:                                   1,
		{"rmqproxy_long_polls_refused_total", ``}:                              2,
		{"rmqproxy_memory_level", ``}:                                          int64(pool.NoCalls),
		{"rmqproxy_memory_calls_refused_total", ``}:                            1,
		{"rmqproxy_memory_long_polls_refused_total", ``}:                       0,
		{"rmqproxy_memory_used_bytes", ``}:                                     10_004,
		{"rmqproxy_memory_limit_bytes", ``}:                                    10_005,
		{"rmqproxy_remoting_inflight", ``}:                                     s.Remoting.Inflight.Load(),
		{"rmqproxy_connections_refused_total", `reason="bad_introduction"`}:    int64(s.Link.Refused[link.BadIntroduction].Load()),
		{"rmqproxy_connections_refused_total", `reason="too_many_handshakes"`}: int64(s.Link.Refused[link.TooManyHandshakes].Load()),
	} {
		f := all[sample[0]]
		if f == nil || f.samples[sample[1]] != want {
			t.Errorf("%s{%s} is not %d", sample[0], sample[1], want)
		}
	}
	if all["rmqproxy_connections_open"].kind != "gauge" || all["rmqproxy_remoting_inflight"].kind != "gauge" {
		t.Error("what goes down is no counter")
	}
}

// Without budgets there is nothing that they refuse.
func TestNoBudgets(t *testing.T) {
	s := Sources{Link: new(link.Counters), H2: new(h2.Counters), Remoting: new(remoting.Counters)}
	var text bytes.Buffer
	if err := s.Write(&text); err != nil {
		t.Fatal(err)
	}
	if _, err := parse(text.String()); err != nil {
		t.Error(err)
	}
}
