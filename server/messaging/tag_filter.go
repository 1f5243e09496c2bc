package messaging

import (
	"bytes"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
)

// tagFilter is a tag expression: "a || b", or "*" for everything. Brokers filter by the hash
// of tags; the proxy filters again by the tags themselves.
type tagFilter struct {
	any  bool
	tags [][]byte // borrowed from the expression
}

var (
	everything = []byte("*")
	separator  = []byte("||")
)

// all lets everything pass.
func (f *tagFilter) all() { f.any, f.tags = true, f.tags[:0] }

// parse is false for an expression of nothing but separators. One with white space between them is
// no error, and has no tag: the broker finds nothing for it.
func (f *tagFilter) parse(expression []byte) bool {
	f.all()
	if len(expression) == 0 || bytes.Equal(expression, everything) {
		return true
	}
	valid := false
	for more := true; more; {
		var tag []byte
		tag, expression, more = bytes.Cut(expression, separator)
		valid = valid || len(tag) > 0
		if tag = bytes.TrimSpace(tag); len(tag) > 0 {
			f.tags = append(f.tags, tag)
		}
	}
	f.any = len(f.tags) == 0
	return valid
}

// read reads the filter of a request and returns what the broker is asked for. An expression in
// SQL is the broker's alone.
func (f *tagFilter) read(view *apiv2.FilterView) (expression []byte, o apiv2.Outcome, valid bool) {
	switch sql := view.FilterType == apiv2.FilterType_SQL; {
	case sql && len(view.FilterExpression) == 0:
		return nil, failure(apiv2.Code_ILLEGAL_FILTER_EXPRESSION, "Expression can't be null! SQL92"), false
	case sql:
		f.all()
		return view.FilterExpression, apiv2.Outcome{}, true
	case !f.parse(view.FilterExpression):
		return nil, failure(apiv2.Code_ILLEGAL_FILTER_EXPRESSION, "subString split error"), false
	case len(view.FilterExpression) == 0:
		return everything, apiv2.Outcome{}, true
	}
	return view.FilterExpression, apiv2.Outcome{}, true
}

// matches tells whether a message with these properties passes.
func (f *tagFilter) matches(properties []byte) bool {
	if f.any {
		return true
	}
	tag := message.Property(properties, message.NameTags)
	for _, wanted := range f.tags {
		if bytes.Equal(tag, wanted) {
			return true
		}
	}
	return false
}
