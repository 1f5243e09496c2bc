package fakebroker

import (
	"strings"

	"rocketmq-proxy/codec/command"
)

// CHECK_CLIENT_CONFIG, specification 2.18. A SQL92 expression is refused when it ends with an
// operator, and understood otherwise.

func (b *Broker) checkClientConfig(r *Request) Response {
	config, err := command.ParseClientConfigBody(r.Body)
	if err != nil {
		return fail(1, err.Error())
	}
	subscription := config.Subscription
	if subscription.ExpressionType == "SQL92" && strings.HasSuffix(strings.TrimRight(subscription.Expression, " "), ">") {
		return fail(23, "org.apache.rocketmq.filter.parser.ParseException: Encountered \"<EOF>\"")
	}
	return Response{}
}
