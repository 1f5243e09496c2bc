package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	codePollTimeout = 210
	codePullNone    = 19
	codePollFull    = 209
	pollMin         = 5 * time.Second
	pollMax         = 20 * time.Second
	invisibleAuto   = time.Minute
)

func (s *service) ReceiveMessage(r *v2.ReceiveMessageRequest, stream v2.MessagingService_ReceiveMessageServer) error {
	send := func(st *v2.Status) error {
		return stream.Send(&v2.ReceiveMessageResponse{Content: &v2.ReceiveMessageResponse_Status{Status: st}})
	}
	if bad := s.checkReceive(stream.Context(), r); bad != nil {
		return send(bad)
	}
	messages, st := s.pop(stream.Context(), r)
	if err := send(st); err != nil {
		return err
	}
	for _, m := range messages {
		content := &v2.ReceiveMessageResponse_Message{Message: m}
		if err := stream.Send(&v2.ReceiveMessageResponse{Content: content}); err != nil {
			return err
		}
	}
	return stream.Send(&v2.ReceiveMessageResponse{
		Content: &v2.ReceiveMessageResponse_DeliveryTimestamp{DeliveryTimestamp: timestamppb.Now()},
	})
}

func (s *service) checkReceive(ctx context.Context, r *v2.ReceiveMessageRequest) *v2.Status {
	id, bad := clientID(ctx)
	if bad != nil {
		return bad
	}
	if s.settingsOf(id) == nil {
		return status(v2.Code_UNRECOGNIZED_CLIENT_TYPE, "no settings for this client")
	}
	if bad := checkTopic(r.GetMessageQueue().GetTopic().GetName()); bad != nil {
		return bad
	}
	return checkGroup(r.GetGroup().GetName())
}

func (s *service) pop(ctx context.Context, r *v2.ReceiveMessageRequest) ([]*v2.Message, *v2.Status) {
	topic := r.GetMessageQueue().GetTopic().GetName()
	broker, addr, err := s.readBroker(ctx, topic, r.GetMessageQueue().GetBroker().GetName())
	if err != nil {
		return nil, statusOf(err)
	}
	poll := min(max(r.GetLongPollingTimeout().AsDuration(), pollMin), pollMax)
	if deadline, ok := ctx.Deadline(); ok {
		poll = min(poll, time.Until(deadline))
	}
	answer, err := s.cluster.client.call(ctx, addr, newCommand(codePop, popExt(r, topic, poll), nil), poll+callTimeout)
	if err != nil {
		return nil, statusOf(err)
	}
	switch answer.Code {
	case 0:
	case codePollTimeout, codePullNone:
		return nil, status(v2.Code_MESSAGE_NOT_FOUND, "no new message")
	case codePollFull:
		return nil, status(v2.Code_TOO_MANY_REQUESTS, "polling full")
	default:
		return nil, statusOf(&brokerError{answer.Code, answer.Remark})
	}
	messages, err := decodeMessages(answer, topic, broker, r.GetFilterExpression())
	if err != nil {
		return nil, statusOf(err)
	}
	if len(messages) == 0 {
		return nil, status(v2.Code_MESSAGE_NOT_FOUND, "no match message")
	}
	return messages, ok()
}

func (s *service) readBroker(ctx context.Context, topic, wanted string) (name, addr string, err error) {
	info, err := s.cluster.topic(ctx, topic)
	if err != nil {
		return "", "", err
	}
	for _, q := range info.route.QueueDatas {
		if q.Perm&permRead != 0 && (name == "" || q.BrokerName == wanted) {
			name, addr = q.BrokerName, info.route.master(q.BrokerName)
		}
	}
	if addr == "" {
		return "", "", fmt.Errorf("no readable queue of %s", topic)
	}
	return name, addr, nil
}

func popExt(r *v2.ReceiveMessageRequest, topic string, poll time.Duration) map[string]string {
	invisible := r.GetInvisibleDuration().AsDuration()
	if r.GetAutoRenew() {
		invisible = invisibleAuto
	}
	kind := "TAG"
	if r.GetFilterExpression().GetType() == v2.FilterType_SQL {
		kind = "SQL92"
	}
	expression := r.GetFilterExpression().GetExpression()
	if expression == "" {
		expression = "*"
	}
	return map[string]string{
		"consumerGroup": r.GetGroup().GetName(), "topic": topic, "queueId": "-1",
		"maxMsgNums":    strconv.Itoa(int(min(r.GetBatchSize(), 32))),
		"invisibleTime": strconv.FormatInt(invisible.Milliseconds(), 10),
		"pollTime":      strconv.FormatInt(poll.Milliseconds(), 10),
		"bornTime":      "0", "initMode": "1", "expType": kind, "exp": expression, "order": "false",
	}
}

func (s *service) AckMessage(ctx context.Context, r *v2.AckMessageRequest) (*v2.AckMessageResponse, error) {
	bad := checkTopic(r.GetTopic().GetName())
	if bad == nil {
		bad = checkGroup(r.GetGroup().GetName())
	}
	if _, noID := clientID(ctx); noID != nil {
		bad = noID
	}
	if bad != nil {
		return &v2.AckMessageResponse{Status: bad}, nil
	}
	answer := &v2.AckMessageResponse{Status: ok()}
	for _, entry := range r.GetEntries() {
		result := &v2.AckMessageResultEntry{MessageId: entry.GetMessageId(), ReceiptHandle: entry.GetReceiptHandle(), Status: ok()}
		if err := s.ack(ctx, r, entry.GetReceiptHandle()); err != nil {
			result.Status = statusOf(err)
			answer.Status = result.Status
		}
		answer.Entries = append(answer.Entries, result)
	}
	return answer, nil
}

var errHandle = errors.New("receipt handle is invalid")

func (s *service) ack(ctx context.Context, r *v2.AckMessageRequest, receipt string) error {
	h := strings.Split(receipt, " ")
	if len(h) < 8 {
		return errHandle
	}
	popped, err1 := strconv.ParseInt(h[1], 10, 64)
	invisible, err2 := strconv.ParseInt(h[2], 10, 64)
	if err1 != nil || err2 != nil || popped+invisible <= time.Now().UnixMilli() {
		return errHandle
	}
	topic, group := r.GetTopic().GetName(), r.GetGroup().GetName()
	switch h[4] {
	case "1":
		topic = "%RETRY%" + group + "_" + topic
	case "2":
		topic = "%RETRY%" + group + "+" + topic
	}
	addr, err := s.cluster.brokerAddr(ctx, h[5])
	if err != nil {
		return err
	}
	ext := map[string]string{"consumerGroup": group, "topic": topic, "queueId": h[6], "extraInfo": receipt, "offset": h[7]}
	answer, err := s.cluster.client.call(ctx, addr, newCommand(codeAck, ext, nil), callTimeout)
	if err == nil && answer.Code != 0 {
		err = errors.New("ack failed: status is abnormal")
	}
	return err
}
