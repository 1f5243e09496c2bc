package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// sharedKey is one that rmq-proxy.json and broker.conf both have: what they say must agree.
const sharedKey = "messageDelayLevel"

// brokerKeys are the keys that broker.conf is read for, by their lower-case name: those of
// group Local, and the shared one.
var brokerKeys = readBrokerKeys()

func readBrokerKeys() map[string]*key {
	group, _ := reflect.TypeFor[Config]().FieldByName("Local")
	all := make(map[string]*key)
	for i := range keys {
		if k := &keys[i]; k.field[0] == group.Index[0] || k.name == sharedKey {
			all[strings.ToLower(k.name)] = k
		}
	}
	return all
}

// refusedOfBroker are keys of a broker that must not be ignored, as in refused.
var refusedOfBroker = []string{"authenticationEnabled", "authorizationEnabled", "aclEnable"}

// loadBroker reads the broker.conf of Local mode. The one at the default place need not exist.
func (c *Config) loadBroker() ([]Notice, Faults) {
	path := c.Proxy.BrokerConfigPath
	if strings.TrimSpace(path) == "" {
		return nil, nil
	}
	named := c.Origin("brokerConfigPath") != originDefault
	file, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && !named:
		return nil, nil
	case err != nil:
		return nil, Faults{{Key: "brokerConfigPath", Origin: c.origins["brokerConfigPath"], Problem: fmt.Sprintf("is %s: %v; give the path of an existing broker.conf with -bc, or none", path, cause(err))}}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	switch {
	case err != nil:
		return nil, Faults{{Origin: path, Problem: fmt.Sprintf("cannot be read: %v", cause(err))}}
	case len(text) > fileBytesMax:
		return nil, Faults{{Origin: path, Problem: fmt.Sprintf("is longer than %d bytes; is it a broker.conf?", fileBytesMax)}}
	}
	return c.parseBroker(path, string(text))
}

// parseBroker takes from the text of a broker.conf what nothing above it has set.
func (c *Config) parseBroker(name, text string) (notices []Notice, faults Faults) {
	seen := make(map[string]string)
	above := c.origins
	for _, p := range properties(text) {
		origin := name + ":" + strconv.Itoa(p.line)
		if p.problem != "" {
			faults = append(faults, &Fault{Origin: origin, Problem: p.problem})
			continue
		}
		folded := strings.ToLower(p.key)
		k, known := brokerKeys[folded]
		isRefused := slices.ContainsFunc(refusedOfBroker, func(r string) bool { return strings.EqualFold(r, p.key) })
		switch {
		case isRefused && strings.EqualFold(p.value, "true"):
			faults = append(faults, &Fault{Key: p.key, Origin: origin, Problem: "is true, but this version cannot check who a client is and will not serve without; set it to false, or use a version that can"})
			continue
		case !known:
			notices = append(notices, Notice{Key: p.key, Origin: origin, Text: brokerKeyUnknown(folded), Minor: true})
			continue
		case above[k.name] != "":
			continue // of what wins over this file
		}
		if before, twice := seen[folded]; twice {
			notices = append(notices, Notice{Key: p.key, Origin: origin, Text: "is there twice; this one counts, not the one at " + before})
			faults = deleteKey(faults, k.name)
		}
		seen[folded] = origin
		if _, err := k.set(c, []byte(quote(p.value))); err != nil {
			faults = append(faults, &Fault{Key: k.name, Origin: origin, Problem: err.Error()})
			continue
		}
		c.origins = c.origins.with(k.name, origin)
	}
	return notices, faults
}

// brokerKeyUnknown is what is said of a key that is not one of ours. Most are the Java
// broker's, of which there are hundreds; one that looks like ours may be a slip.
func brokerKeyUnknown(folded string) string {
	for known, k := range brokerKeys {
		if distance(folded, known, 2) <= 2 {
			return "is none that the broker inside has, so it has no effect; did you mean " + k.name + "?"
		}
	}
	return "is none that the broker inside has, so it has no effect"
}

// property is a key and a value of a .properties file, or what is wrong in its place.
type property struct {
	line       int // where it begins, from 1
	key, value string
	problem    string
}

// properties reads a file in the format of java.util.Properties: key=value, key:value or key
// value, comments after # and !, lines that go on after a backslash. White space around a value
// is dropped; Java keeps what is behind it, to the grief of many.
func properties(text string) (all []property) {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	rows := strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
	for i := 0; i < len(rows); i++ {
		row := strings.TrimLeft(rows[i], " \t\f")
		if row == "" || row[0] == '#' || row[0] == '!' {
			continue
		}
		p := property{line: i + 1}
		for continues(row) {
			row = row[:len(row)-1]
			if i++; i == len(rows) {
				break
			}
			row += strings.TrimLeft(rows[i], " \t\f")
		}
		at := separator(row)
		key, keyOK := unescape(row[:at])
		rest := strings.TrimLeft(row[at:], " \t\f")
		if rest != "" && (rest[0] == '=' || rest[0] == ':') {
			rest = strings.TrimLeft(rest[1:], " \t\f")
		}
		value, valueOK := unescape(strings.TrimRight(rest, " \t\f"))
		p.key, p.value = key, value
		switch {
		case !keyOK || !valueOK:
			p.problem = `has a \u without four hexadecimal digits`
		case !utf8.ValidString(key + value):
			p.problem = "is not UTF-8"
		case key == "":
			p.problem = "has no key before the ="
		}
		all = append(all, p)
	}
	return all
}

// continues tells whether a row ends in an odd number of backslashes.
func continues(row string) bool {
	return (len(row)-len(strings.TrimRight(row, `\`)))%2 == 1
}

// separator is the index in a row at which its key ends.
func separator(row string) int {
	for i := 0; i < len(row); i++ {
		switch row[i] {
		case '\\':
			i++
		case '=', ':', ' ', '\t', '\f':
			return i
		}
	}
	return len(row)
}

// unescape undoes backslashes; ok is false for a \u that is none.
func unescape(s string) (plain string, ok bool) {
	if !strings.Contains(s, `\`) {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			r, size := unicodeEscapes(s[i-1:])
			if size == 0 {
				return "", false
			}
			b.WriteRune(r)
			i += size - 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), true
}

// unicodeEscapes reads one \uXXXX, or two that are one character, at the begin of s; a size of
// 0 says that there is none.
func unicodeEscapes(s string) (r rune, size int) {
	const one = len(`\u0000`)
	unit := func(s string) (rune, bool) {
		if len(s) < one || s[:2] != `\u` {
			return 0, false
		}
		n, err := strconv.ParseUint(s[2:one], 16, 16)
		return rune(n), err == nil
	}
	first, ok := unit(s)
	if !ok {
		return 0, 0
	}
	if second, ok := unit(s[one:]); ok {
		if whole := utf16.DecodeRune(first, second); whole != utf8.RuneError {
			return whole, 2 * one
		}
	}
	return first, one
}
