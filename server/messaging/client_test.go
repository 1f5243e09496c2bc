package messaging

import (
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
)

const strange = "cannot find client settings for this client"

// TestHeartbeat holds a client against what its settings say it is.
func TestHeartbeat(t *testing.T) {
	for _, test := range []struct {
		settings *apiv2.Settings
		group    string
		code     apiv2.Code
		text     string
	}{
		{nil, "readers", apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, strange},
		{producerSettings("orders"), "", apiv2.Code_OK, "OK"},
		{consumerSettings(apiv2.ClientType_PUSH_CONSUMER, "readers", "orders"), "readers", apiv2.Code_OK, "OK"},
		{consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "readers", "orders"), "readers", apiv2.Code_OK, "OK"},
		{consumerSettings(apiv2.ClientType_LITE_PUSH_CONSUMER, "readers", "orders"), "readers", apiv2.Code_OK, "OK"},
		{consumerSettings(apiv2.ClientType_PUSH_CONSUMER, "readers", "orders"), "", apiv2.Code_ILLEGAL_CONSUMER_GROUP, "the specified group is blank"},
		{consumerSettings(apiv2.ClientType_PULL_CONSUMER, "readers", "orders"), "readers", apiv2.Code_OK, "OK"},
		{consumerSettings(apiv2.ClientType_LITE_SIMPLE_CONSUMER, "readers", "orders"), "readers", apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, "LITE_SIMPLE_CONSUMER"},
		{&apiv2.Settings{}, "readers", apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, "CLIENT_TYPE_UNSPECIFIED"},
	} {
		w := newWorld(t)
		if test.settings != nil {
			w.settled("client-1", test.settings)
		}
		p := w.connect()
		c := p.call("Heartbeat", &apiv2.HeartbeatRequest{Group: resource(test.group), ClientType: apiv2.ClientType_PRODUCER})
		c.says(&apiv2.HeartbeatResponse{}, test.code, test.text)

		c = p.call("NotifyClientTermination", &apiv2.NotifyClientTerminationRequest{Group: resource(test.group)})
		c.says(&apiv2.NotifyClientTerminationResponse{}, test.code, test.text)
		c = p.call("Heartbeat", &apiv2.HeartbeatRequest{Group: resource(test.group)})
		c.says(&apiv2.HeartbeatResponse{}, apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, strange)
		onTurn(w.renewer.Turn(), func() {})
		if test.settings.GetClientType() == apiv2.ClientType_LITE_PUSH_CONSUMER {
			p.hears("lite 3 [] of readers/orders for client-1")
		} else {
			p.hears()
		}
		p.works()
	}
}

// TestHeartbeatKeepsAClient from being forgotten, whatever connection it comes on.
func TestHeartbeatKeepsAClient(t *testing.T) {
	w := newWorld(t)
	w.settled("client-1", producerSettings())
	p, q := w.connect(), w.connect()
	beat := func(p *peer, code apiv2.Code, text string) {
		t.Helper()
		p.call("Heartbeat", &apiv2.HeartbeatRequest{}).says(&apiv2.HeartbeatResponse{}, code, text)
	}
	for range 3 {
		beat(p, apiv2.Code_OK, "OK")
		w.now = w.now.Add(100 * time.Second)
		w.Sessions.Sweep(w.now)
	}
	beat(p, apiv2.Code_OK, "OK")
	w.now = w.now.Add(121 * time.Second)
	w.Sessions.Sweep(w.now)
	beat(p, apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, strange)
	beat(q, apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, strange)
	w.settled("client-1", producerSettings())
	beat(p, apiv2.Code_OK, "OK")
	beat(q, apiv2.Code_OK, "OK")
}

// TestGoneClientComesBack: a telemetry stream that outlives its session begins another one.
func TestGoneClientComesBack(t *testing.T) {
	p := newWorld(t).connect()
	stream := p.open("Telemetry")
	stream.send(telemetrySettings(producerSettings()), 0)
	p.call("NotifyClientTermination", &apiv2.NotifyClientTerminationRequest{}).says(&apiv2.NotifyClientTerminationResponse{}, apiv2.Code_OK, "OK")
	stream.send(telemetrySettings(producerSettings()), 0)
	p.call("Heartbeat", &apiv2.HeartbeatRequest{}).says(&apiv2.HeartbeatResponse{}, apiv2.Code_OK, "OK")
	if !p.Sessions.Find([]byte("client-1")).Live() {
		t.Error("the stream is not bound")
	}
}

// TestColdMethodsNeedAnID and a request of their type.
func TestColdMethodsNeedAnID(t *testing.T) {
	p := newWorld(t).connect()
	for method, answer := range map[string]statused{
		"QueryRoute": &apiv2.QueryRouteResponse{}, "QueryAssignment": &apiv2.QueryAssignmentResponse{},
		"Heartbeat": &apiv2.HeartbeatResponse{}, "NotifyClientTermination": &apiv2.NotifyClientTerminationResponse{},
		"ForwardMessageToDeadLetterQueue": &apiv2.ForwardMessageToDeadLetterQueueResponse{},
		"EndTransaction":                  &apiv2.EndTransactionResponse{}, "RecallMessage": &apiv2.RecallMessageResponse{},
		"SyncLiteSubscription": &apiv2.SyncLiteSubscriptionResponse{}, "UpdateOffset": &apiv2.UpdateOffsetResponse{},
		"GetOffset": &apiv2.GetOffsetResponse{}, "QueryOffset": &apiv2.QueryOffsetResponse{},
	} {
		p.call(method, &apiv2.QueryRouteRequest{}, "x-mq-client-id", "\t").says(answer, apiv2.Code_CLIENT_ID_REQUIRED, "client id cannot be empty")
		c := p.open(method)
		c.raw([]byte{0xFF}, frame.FlagEndStream)
		if got := c.trailer["grpc-status"]; got != "13" {
			t.Errorf("%s of garbage: %s", method, c.status())
		}
		p.open(method).cancel()
	}
}
