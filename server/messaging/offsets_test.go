package messaging

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

func updateRequest(offset int64) *apiv2.UpdateOffsetRequest {
	return &apiv2.UpdateOffsetRequest{Group: resource("readers"), MessageQueue: queueNamed("broker-a", 3), Offset: offset}
}

func getRequest() *apiv2.GetOffsetRequest {
	return &apiv2.GetOffsetRequest{Group: resource("readers"), MessageQueue: queueNamed("broker-a", 3)}
}

func queryRequest(policy apiv2.QueryOffsetPolicy, at *timestamppb.Timestamp) *apiv2.QueryOffsetRequest {
	return &apiv2.QueryOffsetRequest{MessageQueue: queueNamed("broker-a", 3), QueryOffsetPolicy: policy, Timestamp: at}
}

func TestUpdateOffset(t *testing.T) {
	p := newWorld(t).connect()
	c := p.call("UpdateOffset", updateRequest(42))
	p.hears("offset 42 of readers in orders/broker-a/3")
	p.works()
	c.says(&apiv2.UpdateOffsetResponse{}, apiv2.Code_OK, "OK")
	p.call("UpdateOffset", updateRequest(0))
	p.hears("offset 0 of readers in orders/broker-a/3")
	p.works()
}

func TestGetOffset(t *testing.T) {
	p := newWorld(t).connect()
	c := p.call("GetOffset", getRequest())
	p.hears("offset of readers in orders/broker-a/3")
	op := asked[*backend.GetOffset](p, 0)
	op.Offset = 42
	p.reply(&op.Exchange, backend.Fault{})
	var answer apiv2.GetOffsetResponse
	if c.says(&answer, apiv2.Code_OK, "OK"); answer.GetOffset() != 42 {
		t.Error(answer.GetOffset())
	}
}

func TestQueryOffset(t *testing.T) {
	p := newWorld(t).connect()
	at := time.UnixMilli(1_800_000_000_123)
	for _, test := range []struct {
		request *apiv2.QueryOffsetRequest
		heard   string
	}{
		{queryRequest(apiv2.QueryOffsetPolicy_BEGINNING, nil), "offset 0 at 0 in orders/broker-a/3"},
		{queryRequest(apiv2.QueryOffsetPolicy_END, timestamppb.New(at)), "offset 1 at 0 in orders/broker-a/3"},
		{queryRequest(apiv2.QueryOffsetPolicy_TIMESTAMP, timestamppb.New(at)), "offset 2 at 1800000000123 in orders/broker-a/3"},
		{queryRequest(apiv2.QueryOffsetPolicy_TIMESTAMP, timestamppb.New(time.UnixMilli(-1))), "offset 2 at -1 in orders/broker-a/3"},
	} {
		c := p.call("QueryOffset", test.request)
		p.hears(test.heard)
		op := asked[*backend.QueryOffset](p, 0)
		op.Offset = 7
		p.reply(&op.Exchange, backend.Fault{})
		var answer apiv2.QueryOffsetResponse
		if c.says(&answer, apiv2.Code_OK, "OK"); answer.GetOffset() != 7 {
			t.Error(answer.GetOffset())
		}
	}
}

func TestOffsetsFail(t *testing.T) {
	eachFault(t, func(t *testing.T, f backend.Fault, code string) {
		want := apiv2.Code(apiv2.Code_value[code])
		p := newWorld(t).connect()
		c := p.call("UpdateOffset", updateRequest(42))
		p.reply(&asked[*backend.UpdateOffset](p, 0).Exchange, f)
		c.says(&apiv2.UpdateOffsetResponse{}, want, "it broke")
		c = p.call("GetOffset", getRequest())
		p.reply(&asked[*backend.GetOffset](p, 0).Exchange, f)
		c.says(&apiv2.GetOffsetResponse{}, want, "it broke")
		c = p.call("QueryOffset", queryRequest(apiv2.QueryOffsetPolicy_END, nil))
		p.reply(&asked[*backend.QueryOffset](p, 0).Exchange, f)
		c.says(&apiv2.QueryOffsetResponse{}, want, "it broke")

		unheard := getRequest()
		unheard.MessageQueue.Topic = resource("unheard")
		c = p.call("GetOffset", unheard)
		p.reply(&asked[*backend.FetchTopic](p, 0).Exchange, f)
		c.says(&apiv2.GetOffsetResponse{}, want, "it broke")
	})
}

func TestOffsetsRefuse(t *testing.T) {
	p := newWorld(t).connect()
	update, get, query := &apiv2.UpdateOffsetResponse{}, &apiv2.GetOffsetResponse{}, &apiv2.QueryOffsetResponse{}
	for _, test := range []struct {
		queue *apiv2.MessageQueue
		code  apiv2.Code
		text  string
	}{
		{nil, 40002, "The specified topic is blank"},
		{&apiv2.MessageQueue{Topic: resource("a b")}, 40002, "The specified topic[a b] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"},
		{queueNamed("", 0), 40000, "the broker of the message queue is blank"},
		{queueNamed("broker-a", -1), 40000, "queue id -1 is illegal"},
	} {
		p.call("UpdateOffset", &apiv2.UpdateOffsetRequest{Group: resource("readers"), MessageQueue: test.queue}).says(update, test.code, test.text)
		p.call("GetOffset", &apiv2.GetOffsetRequest{Group: resource("readers"), MessageQueue: test.queue}).says(get, test.code, test.text)
		p.call("QueryOffset", &apiv2.QueryOffsetRequest{MessageQueue: test.queue}).says(query, test.code, test.text)
	}
	queue := queueNamed("broker-a", 3)
	p.call("UpdateOffset", &apiv2.UpdateOffsetRequest{MessageQueue: queue}).says(update, 40003, "the specified group is blank")
	p.call("GetOffset", &apiv2.GetOffsetRequest{MessageQueue: queue}).says(get, 40003, "the specified group is blank")
	p.call("UpdateOffset", updateRequest(-1)).says(update, 40019, "offset -1 is illegal")
	p.call("QueryOffset", queryRequest(3, nil)).says(query, 40000, "query offset policy 3 is illegal")
	for _, at := range []*timestamppb.Timestamp{nil, {Nanos: -1}, {Seconds: 1 << 60}} {
		p.call("QueryOffset", queryRequest(apiv2.QueryOffsetPolicy_TIMESTAMP, at)).
			says(query, 40000, "the timestamp to query the offset at is absent or illegal")
	}
	p.hears()

	unheard := getRequest()
	unheard.MessageQueue.Topic = resource("unheard")
	c := p.call("GetOffset", unheard)
	op := asked[*backend.FetchTopic](p, 0)
	op.Found = &backend.Topic{Name: "unheard"}
	p.reply(&op.Exchange, backend.Fault{})
	c.says(get, 40402, "CODE: 17  DESC: No topic route info in name server for the topic: unheard")
}

// TestOffsetsLearnTheTopic first, and answer nobody who has gone.
func TestOffsetsLearnTheTopic(t *testing.T) {
	p := newWorld(t).connect()
	request := updateRequest(42)
	request.MessageQueue.Topic = resource("unheard")
	c := p.call("UpdateOffset", request)
	p.hears("topic unheard")
	topic := asked[*backend.FetchTopic](p, 0)
	topic.Found = &backend.Topic{Name: "unheard", Exists: true}
	p.reply(&topic.Exchange, backend.Fault{})
	p.hears("offset 42 of readers in unheard/broker-a/3")
	p.works()
	c.says(&apiv2.UpdateOffsetResponse{}, apiv2.Code_OK, "OK")

	p.call("GetOffset", getRequest()).cancel()
	p.call("UpdateOffset", request).cancel()
	p.works() // neither topic nor offset is of interest to anybody
	p.hears("offset of readers in orders/broker-a/3", "topic unheard")
}
