package broker

import (
	"bytes"
	"errors"
	"strings"

	"rocketmq-proxy/codec/message"
)

// Matcher tells whether a consumer wants a message, by its encoded properties.
type Matcher interface{ Match(properties []byte) bool }

// filterKey is an expression and its language.
type filterKey struct {
	expression string
	sql        bool
}

// filtersMax is how many filters are remembered; when it is reached all are forgotten. Longer
// ones are not.
const (
	filtersMax     = 4096
	filterBytesMax = 4096
)

// What Filter refuses, beside what Config.Compile does.
var (
	ErrNoTag = errors.New("broker: the expression has no tag")
	ErrNoSQL = errors.New("broker: there are no SQL92 filters")
)

// Filter makes the filter of an expression: tags separated by ||, or SQL92. It is nil for
// everything. Filters are remembered.
func (b *Broker) Filter(expression []byte, sql bool) (Matcher, error) {
	if !sql && (len(expression) == 0 || string(expression) == "*") {
		return nil, nil
	}
	if known, is := b.filters[filterKey{string(expression), sql}]; is {
		return known, nil
	}
	made, err := b.compile(string(expression), sql)
	if err != nil {
		return nil, err
	}
	if len(b.filters) >= filtersMax {
		clear(b.filters)
	}
	if len(expression) <= filterBytesMax {
		b.filters[filterKey{string(expression), sql}] = made
	}
	return made, nil
}

func (b *Broker) compile(expression string, sql bool) (Matcher, error) {
	switch {
	case sql && b.config.Compile == nil:
		return nil, ErrNoSQL
	case sql:
		return b.config.Compile(expression)
	}
	var tags tagFilter
	valid := false // white space is no error, and matches nothing
	for tag := range strings.SplitSeq(expression, "||") {
		valid = valid || tag != ""
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, []byte(tag))
		}
	}
	if !valid {
		return nil, ErrNoTag
	}
	return tags, nil
}

// tagFilter matches any of its tags.
type tagFilter [][]byte

// Match implements Matcher.
func (f tagFilter) Match(properties []byte) bool {
	tag := message.Property(properties, message.NameTags)
	for _, wanted := range f {
		if bytes.Equal(tag, wanted) {
			return true
		}
	}
	return false
}
