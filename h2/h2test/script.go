package h2test

import (
	"fmt"
	"strconv"
	"strings"
)

// Block is one exchange of a conversation.
type Block struct {
	Line   int // where it begins, from 1
	Steps  []Step
	Expect []string
}

// Step is one line of what happens: a verb and its arguments.
type Step struct {
	Line int
	Verb string
	Args []Arg
}

// Arg is a word, or key=value.
type Arg struct{ Key, Value string }

// Get is the value of key.
func (s Step) Get(key string) (string, bool) {
	for _, a := range s.Args {
		if a.Key == key {
			return a.Value, true
		}
	}
	return "", false
}

// Int is the value of key as a number, or 0.
func (s Step) Int(key string) int {
	v, _ := s.Get(key)
	n, _ := strconv.ParseInt(v, 0, 64)
	return int(n)
}

// Has tells whether the word was given.
func (s Step) Has(key string) bool {
	_, ok := s.Get(key)
	return ok
}

// Parse reads a conversation. Lines that begin with # are comments.
func Parse(text string) ([]Block, error) {
	var blocks []Block
	var b Block
	expecting := false
	end := func() {
		if len(b.Steps) > 0 {
			blocks = append(blocks, b)
		}
		b, expecting = Block{}, false
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			end()
		case line == "----":
			expecting = true
		case expecting:
			b.Expect = append(b.Expect, line)
		default:
			words, err := split(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			if b.Line == 0 {
				b.Line = i + 1
			}
			b.Steps = append(b.Steps, Step{Line: i + 1, Verb: words[0].Key, Args: words[1:]})
		}
	}
	end()
	return blocks, nil
}

// split cuts a line at spaces. A value in double quotes may hold spaces and Go escapes.
func split(line string) (args []Arg, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		var a Arg
		n := strings.IndexAny(line, "= \"")
		if n == 0 && line[0] == '=' {
			return nil, fmt.Errorf("value without a key: %s", line)
		}
		if n < 0 {
			return append(args, Arg{Key: line}), nil
		}
		a.Key = line[:n]
		if line[n] == ' ' {
			args, line = append(args, a), line[n:]
			continue
		}
		if line[n] == '=' {
			line = line[n+1:]
		} else {
			line = line[n:]
		}
		if a.Value, line, err = value(line); err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return args, nil
}

func value(line string) (v, rest string, err error) {
	if !strings.HasPrefix(line, `"`) {
		v, rest, _ = strings.Cut(line, " ")
		return v, rest, nil
	}
	quoted, err := strconv.QuotedPrefix(line)
	if err != nil {
		return "", "", fmt.Errorf("bad quotes: %s", line)
	}
	v, err = strconv.Unquote(quoted)
	return v, line[len(quoted):], err
}
