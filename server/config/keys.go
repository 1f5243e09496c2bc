package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Secret is a value that is never printed.
type Secret string

// redacted is what a Secret prints as.
const redacted = "***"

// String hides the secret; an empty one shows that it is empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// key is a field of Config, as its tags describe it.
type key struct {
	name     string        // in rmq-proxy.json
	field    []int         // where it is in Config
	unit     time.Duration // of a duration in rmq-proxy.json, 0 for other types
	min, max int64         // of a number, or of a duration in nanoseconds
	bounds   string        // min and max as the tag has them
	words    []string      // that a string may be; nil for any
}

var (
	typeDuration = reflect.TypeFor[time.Duration]()
	typeSecret   = reflect.TypeFor[Secret]()

	typeAllowance = reflect.TypeFor[Allowance]()
)

// keys are all fields of Config in the order of its declaration; keysByName has them by the
// lower-case name.
var keys, keysByName = readKeys()

func readKeys() (all []key, byName map[string]*key) {
	for group := range reflect.TypeFor[Config]().Fields() {
		if !group.IsExported() {
			continue
		}
		for field := range group.Type.Fields() {
			all = append(all, readKey(group, field))
		}
	}
	byName = make(map[string]*key, len(all))
	for i := range all {
		byName[strings.ToLower(all[i].name)] = &all[i]
	}
	return all, byName
}

// readKey panics on a tag that makes no sense: that is a mistake of ours, and any test shows it.
func readKey(group, field reflect.StructField) key {
	name, unit, _ := strings.Cut(field.Tag.Get("key"), ",")
	k := key{name: name, field: slices.Concat(group.Index, field.Index), bounds: field.Tag.Get("in")}
	if words := field.Tag.Get("of"); words != "" {
		k.words = strings.Fields(words)
	}
	k.unit = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "h": time.Hour}[unit]
	if isDuration := field.Type == typeDuration; name == "" || isDuration != (k.unit != 0) {
		panic("config: tag of " + group.Name + "." + field.Name)
	}
	if low, high, ok := strings.Cut(k.bounds, ".."); ok {
		k.min, k.max = k.mustBound(low), k.mustBound(high)
	} else if field.Type.Kind() == reflect.Int || field.Type.Kind() == reflect.Int64 {
		panic("config: no range for " + group.Name + "." + field.Name)
	}
	return k
}

func (k *key) mustBound(s string) int64 {
	if k.unit != 0 {
		d, err := time.ParseDuration(s)
		if err != nil {
			panic("config: range of " + k.name + ": " + err.Error())
		}
		return int64(d)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("config: range of " + k.name + ": " + err.Error())
	}
	return n
}

func (k *key) in(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(k.field) }

// expected is the sentence that says what the key takes.
func (k *key) expected() string {
	switch {
	case k.unit != 0:
		return fmt.Sprintf("a number of %s from %d to %d", k.unitName(), k.min/int64(k.unit), k.max/int64(k.unit))
	case k.bounds != "":
		return fmt.Sprintf("a number from %d to %d", k.min, k.max)
	case k.in(new(Config)).Type() == typeAllowance:
		return allowanceExpected
	case k.words != nil:
		return "one of " + strings.Join(k.words, ", ")
	case k.in(new(Config)).Kind() == reflect.Bool:
		return "true or false"
	default:
		return "a text in quotes"
	}
}

func (k *key) unitName() string {
	switch k.unit {
	case time.Hour:
		return "hours"
	case time.Second:
		return "seconds"
	}
	return "milliseconds"
}

// fault holds the value of the key in c against its range or its words.
func (k *key) fault(c *Config) *Fault {
	v := k.in(c)
	switch {
	case v.Type() == typeAllowance:
		if _, _, err := Allowance(v.String()).Parse(); err != nil {
			return &Fault{Key: k.name, Origin: c.origins[k.name], Problem: err.Error()}
		}
		return nil
	case k.bounds != "":
		if n := v.Int(); n >= k.min && n <= k.max {
			return nil
		}
	case k.words == nil || slices.Contains(k.words, v.String()):
		return nil
	}
	return &Fault{Key: k.name, Origin: c.origins[k.name], Problem: fmt.Sprintf("is %s, expected %s", k.printed(c), k.expected())}
}

// printed is the value of the key in c as rmq-proxy.json would have it; a secret is hidden.
func (k *key) printed(c *Config) string {
	v := k.in(c)
	switch {
	case k.unit != 0:
		return strconv.FormatInt(v.Int()/int64(k.unit), 10)
	case v.Type() == typeSecret:
		return quote(Secret(v.String()).String())
	case v.Kind() == reflect.String:
		return quote(v.String())
	default:
		return fmt.Sprint(v.Interface())
	}
}
