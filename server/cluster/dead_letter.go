package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
)

// DeadLetter implements backend.Backend. The broker copies the record that the handle's
// commit-log offset points at; acknowledging the delivery is the caller's.
func (c *Cluster) DeadLetter(op *backend.DeadLetter, _ time.Time) {
	request := command.SendBack{
		Group: string(op.Group), OriginMsgID: string(op.MessageID),
		OriginTopic: string(handle.AppendRealTopic(nil, op.Handle.TopicMark, op.Group, op.Topic)),
		Offset:      op.Handle.CommitLogOffset, DelayLevel: command.DelayLevelDeadLetter,
	}
	c.withMaster(op.Handle.Broker, func(p *peer, f backend.Fault) {
		if p == nil {
			op.End(noMaster(f, backend.BadHandle, op.Handle.Broker))
			return
		}
		encode := func(dst []byte, opaque int32) []byte { return command.AppendSendBack(dst, opaque, &request, 0) }
		ask(p.lane(metadataLane), c.config.CallTimeout, encode,
			func(code command.ResponseCode, remark string, _ []byte, err error) {
				switch {
				case err != nil:
					op.End(callFault(err))
				case code != command.ResponseSuccess:
					op.End(answerFault(code, remark))
				default:
					op.End(backend.Fault{})
				}
			})
	})
}
