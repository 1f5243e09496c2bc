package main

import (
	"context"
	"strconv"
	"strings"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
)

const bodyBytesMax = 4 << 20

func (s *service) SendMessage(ctx context.Context, r *v2.SendMessageRequest) (*v2.SendMessageResponse, error) {
	if _, bad := clientID(ctx); bad != nil {
		return &v2.SendMessageResponse{Status: bad}, nil
	}
	if bad := checkSend(r.GetMessages()); bad != nil {
		return &v2.SendMessageResponse{Status: bad}, nil
	}
	m := r.Messages[0]
	info, err := s.cluster.topic(ctx, m.GetTopic().GetName())
	if err != nil {
		return &v2.SendMessageResponse{Status: statusOf(err)}, nil
	}
	if info.kind != "NORMAL" && info.kind != "MIXED" {
		return &v2.SendMessageResponse{Status: status(v2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE, "topic type is "+info.kind)}, nil
	}
	if len(info.queues) == 0 {
		return &v2.SendMessageResponse{Status: status(v2.Code_FORBIDDEN, "no writable queue")}, nil
	}
	queue := info.nextQueue()
	answer, err := s.cluster.client.call(ctx, queue.addr, newCommand(codeSend, sendExt(m, queue.id), m.GetBody()), callTimeout)
	if err == nil && answer.Code != 0 {
		err = &brokerError{answer.Code, answer.Remark}
	}
	if err != nil {
		return &v2.SendMessageResponse{Status: statusOf(err)}, nil
	}
	offset, _ := strconv.ParseInt(answer.ExtFields["queueOffset"], 10, 64)
	return &v2.SendMessageResponse{Status: ok(), Entries: []*v2.SendResultEntry{{
		Status: ok(), MessageId: m.GetSystemProperties().GetMessageId(),
		TransactionId: answer.ExtFields["transactionId"], Offset: offset,
	}}}, nil
}

func checkSend(messages []*v2.Message) *v2.Status {
	switch {
	case len(messages) == 0:
		return status(v2.Code_MESSAGE_CORRUPTED, "no message to send")
	case len(messages) > 1:
		return status(v2.Code_NOT_IMPLEMENTED, "one message at a time")
	}
	m := messages[0]
	if bad := checkTopic(m.GetTopic().GetName()); bad != nil {
		return bad
	}
	switch {
	case len(m.GetBody()) == 0:
		return status(v2.Code_MESSAGE_BODY_EMPTY, "message body cannot be empty")
	case len(m.GetBody()) > bodyBytesMax:
		return status(v2.Code_MESSAGE_BODY_TOO_LARGE, "message body cannot exceed the max")
	case m.GetSystemProperties().GetMessageId() == "":
		return status(v2.Code_ILLEGAL_MESSAGE_ID, "message id cannot be empty")
	}
	return nil
}

func sendExt(m *v2.Message, queue int) map[string]string {
	p := m.GetSystemProperties()
	topic := m.GetTopic().GetName()
	born := strconv.FormatInt(p.GetBornTimestamp().AsTime().UnixMilli(), 10)
	sysFlag := "0"
	if p.GetBodyEncoding() == v2.Encoding_GZIP {
		sysFlag = "1"
	}
	return map[string]string{
		"a": topic, "b": topic, "c": "TBW102", "d": "4", "e": strconv.Itoa(queue), "f": sysFlag,
		"g": born, "h": "0", "i": properties(m, born), "j": "0",
	}
}

// properties prints the message's properties as brokers store them.
func properties(m *v2.Message, born string) string {
	p := m.GetSystemProperties()
	var b strings.Builder
	add := func(key, value string) {
		b.WriteString(key)
		b.WriteByte(1)
		b.WriteString(value)
		b.WriteByte(2)
	}
	for key, value := range m.GetUserProperties() {
		add(key, value)
	}
	add("TAGS", p.GetTag())
	if len(p.GetKeys()) > 0 {
		add("KEYS", strings.Join(p.GetKeys(), " "))
	}
	add("UNIQ_KEY", p.GetMessageId())
	add("RECONSUME_TIME", strconv.Itoa(int(p.GetDeliveryAttempt())))
	add("PGROUP", m.GetTopic().GetName())
	if p.GetBornHost() != "" {
		add("__BORNHOST", p.GetBornHost())
	}
	add("BORN_TIMESTAMP", born)
	if p.GetTraceContext() != "" {
		add("TRACE_CONTEXT", p.GetTraceContext())
	}
	return b.String()
}
