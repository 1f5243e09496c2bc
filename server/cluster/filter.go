package cluster

import (
	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/server/backend"
)

// understood is a SQL92 expression that a broker is known to understand.
type understood struct{}

// Expressions that are remembered, of all brokers, and the longest of them in bytes.
const (
	understoodMax      = 4096
	understoodBytesMax = 4096
)

// understand goes on with a pull once it is known that the broker understands its SQL92
// expression: with one that it does not, it would give every message.
func (c *Cluster) understand(p *pullCall, broker *peer) {
	key := broker.addr + " " + string(p.op.Expression)
	if c.filters.Get([]byte(key)) != nil {
		p.op.Home.Forward(p.lane.turn, p)
		return
	}
	body := command.AppendClientConfigBody(nil, &command.ClientConfig{
		Group: string(p.op.Group), Subscription: command.Subscription{
			Topic: p.op.Topic.Name, ExpressionType: string(expressionSQL), Expression: string(p.op.Expression),
		},
	})
	encode := func(dst []byte, opaque int32) []byte {
		return append(command.AppendCheckClientConfig(dst, opaque, len(body)), body...)
	}
	ask(broker.lane(metadataLane), c.config.CallTimeout, encode,
		func(code command.ResponseCode, remark string, _ []byte, err error) {
			switch {
			case err != nil:
				p.fail(callFault(err))
			case code == command.ResponseSubscriptionParseFailed:
				p.fail(backend.Fault{Kind: backend.BadFilter, Text: remark})
			case code != command.ResponseSuccess:
				p.fail(brokerFault(&command.Head{Code: int32(code), Remark: []byte(remark)}))
			default:
				if len(key) <= understoodBytesMax {
					c.filters.Put(key, &understood{}, understoodMax)
				}
				p.lane.turn.Post(p)
			}
		})
}

// fail ends a pull that never got as far as its lane.
func (p *pullCall) fail(f backend.Fault) {
	op := p.op
	*p = pullCall{}
	op.End(f)
}
