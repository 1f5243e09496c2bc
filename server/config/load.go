package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
)

// origins says where the values of keys come from, by the key's name; a default has no entry.
type origins map[string]string

func (o origins) with(key, origin string) origins {
	o = maps.Clone(o)
	if o == nil {
		o = make(origins)
	}
	o[key] = origin
	return o
}

// Notice is something in the configuration that a person should know and that stops nothing.
type Notice struct {
	Key    string
	Origin string // file:line, or what else it comes from
	Text   string
	Minor  bool // of no consequence: for the debug level
}

// String is the notice in one line.
func (n Notice) String() string { return sentence(n.Key, n.Origin, n.Text) }

// Fault is a wrong value.
type Fault struct {
	Key     string // "" when the fault is no key's
	Origin  string // file:line, the flag or the variable; "" for a default
	Problem string // what it is and what is expected
}

// Error is the fault in one line.
func (f *Fault) Error() string { return sentence(f.Key, f.Origin, f.Problem) }

// Faults are all wrong values of a configuration.
type Faults []*Fault

// Error is all faults, a line each.
func (fs Faults) Error() string {
	var b strings.Builder
	for i, f := range fs {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(f.Error())
	}
	return b.String()
}

// err is nil when there are none; a Faults in an error would not be.
func (fs Faults) err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

func sentence(key, origin, text string) string {
	s := text
	if key != "" {
		s = key + " " + s
	}
	if origin != "" {
		s = origin + ": " + s
	}
	return s
}

// fileBytesMax is more than any rmq-proxy.json has, in bytes: a larger file is another file.
const fileBytesMax = 1 << 20

// Load reads the file at path over base. Faults in types and syntax are reported together as
// [Faults]; ranges are for [Config.Validate], which sees what flags change too. The Config is
// usable in either case: a key with a fault keeps its value of base.
func Load(path string, base Config) (Config, []Notice, error) {
	file, err := os.Open(path)
	if err != nil {
		return base, nil, Faults{{Problem: fmt.Sprintf("configuration file %s: %v; give the path of an existing rmq-proxy.json with -pc", path, cause(err))}}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	switch {
	case err != nil:
		return base, nil, Faults{{Origin: path, Problem: fmt.Sprintf("cannot be read: %v", cause(err))}}
	case len(text) > fileBytesMax:
		return base, nil, Faults{{Origin: path, Problem: fmt.Sprintf("is longer than %d bytes; is it an rmq-proxy.json?", fileBytesMax)}}
	}
	return Parse(path, text, base)
}

// cause is err without the path, which the message has already.
func cause(err error) error {
	if pathError, ok := errors.AsType[*os.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// Parse is [Load] for text that was read from the file called name.
func Parse(name string, text []byte, base Config) (Config, []Notice, error) {
	r := reader{name: name, text: bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), config: base, seen: make(map[string]string)}
	r.read()
	return r.config, r.notices, r.faults.err()
}

// reader walks the one object of a file.
type reader struct {
	name    string
	text    []byte
	config  Config
	seen    map[string]string // origin of each key met, by lower-case name
	notices []Notice
	faults  Faults
}

func (r *reader) read() {
	dec := json.NewDecoder(bytes.NewReader(r.text))
	dec.UseNumber()
	switch start, err := dec.Token(); {
	case errors.Is(err, io.EOF):
		r.fail("", r.name, `is empty; the least that it can be is {}`)
		return
	case err != nil:
		r.failSyntax(dec, err)
		return
	case start != json.Delim('{'):
		r.fail("", r.name, `must be one JSON object, as {"namesrvAddr": "127.0.0.1:9876"}`)
		return
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			r.failSyntax(dec, err)
			return
		}
		origin := r.origin(dec.InputOffset())
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			r.failSyntax(dec, err)
			return
		}
		r.set(name.(string), origin, raw)
	}
	if _, err := dec.Token(); err != nil {
		r.failSyntax(dec, err)
		return
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		r.fail("", r.origin(dec.InputOffset()), "there is something after the closing }")
	}
}

// origin is the place of a byte as file:line.
func (r *reader) origin(offset int64) string {
	offset = min(offset, int64(len(r.text)))
	return r.name + ":" + strconv.Itoa(1+bytes.Count(r.text[:offset], []byte("\n")))
}

func (r *reader) fail(key, origin, problem string) {
	r.faults = append(r.faults, &Fault{Key: key, Origin: origin, Problem: problem})
}

func (r *reader) failSyntax(dec *json.Decoder, err error) {
	offset := dec.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = max(offset, syntax.Offset)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.fail("", r.origin(int64(len(r.text))), "is not JSON: the file ends too early; is a } missing?")
		return
	}
	r.fail("", r.origin(offset), "is not JSON: "+err.Error())
}

func (r *reader) notice(key, origin, text string, minor bool) {
	r.notices = append(r.notices, Notice{Key: key, Origin: origin, Text: text, Minor: minor})
}

// set takes one key and its value.
func (r *reader) set(name, origin string, raw json.RawMessage) {
	folded := strings.ToLower(name)
	if before, ok := r.seen[folded]; ok {
		r.notice(name, origin, "is there twice; this one counts, not the one at "+before, false)
	}
	r.seen[folded] = origin
	if k, ok := keysByName[folded]; ok {
		r.setKey(k, origin, raw)
		return
	}
	if k, ok := javaKeys[folded]; ok {
		r.setJava(k, origin, raw)
		return
	}
	text := "is unknown: ignored"
	if known := meant(name); known != "" {
		text += "; did you mean " + known + "?"
	}
	r.notice(name, origin, text, false)
}

func (r *reader) setKey(k *key, origin string, raw json.RawMessage) {
	// A second one counts alone: what the first had wrong no longer matters.
	r.faults = deleteKey(r.faults, k.name)
	if string(raw) == "null" {
		r.notice(k.name, origin, "is null: the default is used", false)
		return
	}
	loose, err := k.set(&r.config, raw)
	if err != nil {
		r.fail(k.name, origin, err.Error())
		return
	}
	if loose {
		r.notice(k.name, origin, "has quotes around "+k.printed(&r.config)+"; it is taken without them", true)
	}
	r.config.origins = r.config.origins.with(k.name, origin)
}

func deleteKey(faults Faults, key string) Faults {
	var kept Faults
	for _, f := range faults {
		if f.Key != key {
			kept = append(kept, f)
		}
	}
	return kept
}

// setJava takes a key that has no effect here. A value that is the Java proxy's default changes
// nothing there either and is not worth a word.
func (r *reader) setJava(k javaKey, origin string, raw json.RawMessage) {
	value := strings.Trim(string(raw), `"`)
	r.faults = deleteKey(r.faults, k.name)
	if refuse, ok := refused[k.name]; ok && strings.EqualFold(value, refuse.value) {
		r.fail(k.name, origin, refuse.problem)
		return
	}
	if value == strings.Trim(k.value, `"`) || value == "null" {
		return
	}
	text, own := reasons[k.name]
	if !own {
		text = because[k.class]
	}
	r.notice(k.name, origin, text, k.class != ClassSame && !own)
}
