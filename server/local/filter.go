package local

import (
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/sql92"
)

// sqlFilter is a SQL92 filter over encoded properties.
type sqlFilter struct{ *sql92.Filter }

func compileSQL(expression string) (broker.Matcher, error) {
	f, err := sql92.Compile(expression)
	if err != nil {
		return nil, err
	}
	return sqlFilter{f}, nil
}

// Match implements broker.Matcher.
func (f sqlFilter) Match(properties []byte) bool {
	return f.Filter.Match(func(name []byte) ([]byte, bool) {
		value := message.Property(properties, string(name))
		return value, value != nil
	})
}
