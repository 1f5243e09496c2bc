package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// valueBytesMax is how much of a wrong value is shown, in bytes.
const valueBytesMax = 60

// set gives the key the JSON value raw. A number or a boolean in quotes is taken, as the Java
// proxy does; loose tells so.
func (k *key) set(c *Config, raw json.RawMessage) (loose bool, err error) {
	v := k.in(c)
	if v.Kind() == reflect.String {
		return false, k.setString(v, raw)
	}
	text := string(raw)
	if quoted, ok := unquote(raw); ok {
		text, loose = strings.TrimSpace(quoted), true
	}
	if v.Kind() == reflect.Bool {
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil || len(text) < len("true") { // "1" and "t" are no booleans of JSON
			return false, k.wrong(raw)
		}
		v.SetBool(b)
		return loose, nil
	}
	n, err := wholeNumber(text)
	if err != nil {
		return false, k.wrong(raw)
	}
	if k.unit != 0 {
		if n > math.MaxInt64/int64(k.unit) || n < math.MinInt64/int64(k.unit) {
			return false, k.wrong(raw)
		}
		n *= int64(k.unit)
	}
	v.SetInt(n)
	return loose, nil
}

func (k *key) setString(v reflect.Value, raw json.RawMessage) error {
	s, ok := unquote(raw)
	if !ok {
		return k.wrong(raw)
	}
	v.SetString(k.tidy(s))
	return nil
}

// tidy is s as the key keeps it: words, which are taken in any case, in their own; texts as
// they are.
func (k *key) tidy(s string) string {
	if k.words == nil {
		return s
	}
	s = strings.TrimSpace(s)
	for _, word := range k.words {
		if strings.EqualFold(word, s) {
			return word
		}
	}
	return strings.ToLower(s)
}

func (k *key) wrong(raw json.RawMessage) error {
	if k.in(new(Config)).Type() == typeSecret {
		return errors.New("is of the wrong type, expected " + k.expected())
	}
	return fmt.Errorf("is %s, expected %s", shorten(raw), k.expected())
}

func shorten(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		b.Write(raw)
	}
	if b.Len() > valueBytesMax {
		return strings.ToValidUTF8(b.String()[:valueBytesMax], "") + "..."
	}
	return b.String()
}

// wholeNumber reads 8081, and 8081.0 and 8e3 too.
func wholeNumber(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, err
	}
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, strconv.ErrRange
	}
	return int64(f), nil
}

func unquote(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

// quote is s as JSON has it.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("config: " + err.Error()) // a string always has an encoding
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String is the configuration as an rmq-proxy.json that gives it again, secrets hidden.
func (c Config) String() string {
	var b strings.Builder
	b.WriteString("{\n")
	for i := range keys {
		fmt.Fprintf(&b, "  %s: %s", quote(keys[i].name), keys[i].printed(&c))
		if i < len(keys)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("}")
	return b.String()
}

// Origin says where the value of the key comes from: file:line, a flag, a variable, or
// "default".
func (c *Config) Origin(name string) string {
	if k, ok := keysByName[strings.ToLower(name)]; ok {
		if origin, ok := c.origins[k.name]; ok {
			return origin
		}
	}
	return originDefault
}

// originDefault is the origin of a value that nobody has given.
const originDefault = "default"

// setText gives a text key a value from outside the file.
func (c *Config) setText(name, value, origin string) {
	k := keysByName[strings.ToLower(name)]
	k.in(c).SetString(k.tidy(value))
	c.origins = c.origins.with(k.name, origin)
}

// milliseconds and seconds keep Default short.
func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
