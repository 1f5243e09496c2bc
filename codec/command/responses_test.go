package command

import (
	"errors"
	"testing"
)

func TestSendResponses(t *testing.T) {
	h, _ := golden(t, "send_response")
	s, err := ParseSendResponse(h)
	if err != nil || s.QueueID != 1 || len(s.MsgID) != 32 || s.RecallHandle != nil ||
		string(s.TransactionID) != "01AABBCCDDEEFF00010000000100000001" {
		t.Errorf("%+v %v", s, err)
	}
	h, _ = golden(t, "send_timer_response")
	if s, err = ParseSendResponse(h); err != nil || len(s.RecallHandle) == 0 {
		t.Errorf("%+v %v", s, err)
	}
	h, _ = golden(t, "send_batch_response")
	if s, err = ParseSendResponse(h); err != nil || len(s.MsgID) != 32+1+32 {
		t.Errorf("%+v %v", s, err)
	}
	h, _ = golden(t, "send_refused_response")
	if s, err = ParseSendResponse(h); !errors.Is(err, ErrFields) {
		t.Errorf("%+v %v", s, err)
	}
}

func TestPopResponses(t *testing.T) {
	h, body := golden(t, "pop_response")
	r, err := ParsePopResponse(h)
	if err != nil || r.InvisibleTime != 10_000 || r.PopTime == 0 || len(body) == 0 {
		t.Errorf("%+v %v", r, err)
	}
	h, _ = golden(t, "pop_nothing_response")
	if r, err = ParsePopResponse(h); err != nil || len(r.StartOffsetInfo) != 0 || ResponseCode(h.Code) != ResponsePollingTimeout {
		t.Errorf("%+v %v", r, err)
	}
	h, _ = golden(t, "pop_fifo_again_response")
	if r, err = ParsePopResponse(h); err != nil || r.ReviveQueueID != 999 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestOtherResponses(t *testing.T) {
	h, _ := golden(t, "change_invisible_response")
	if c, err := ParseChangeInvisibleResponse(h); err != nil || c.InvisibleTime != 20_000 {
		t.Errorf("%+v %v", c, err)
	}
	h, _ = golden(t, "recall_response")
	if r, err := ParseRecallResponse(h); err != nil || len(r.MsgID) == 0 {
		t.Errorf("%+v %v", r, err)
	}
	h, _ = golden(t, "max_offset_response")
	if n, err := ParseOffsetResponse(h); err != nil || n <= 0 {
		t.Error(n, err)
	}
	h, _ = golden(t, "notify_consumer_ids_changed_push")
	if n, err := ParseNotifyConsumerIDs(h); err != nil || len(n.ConsumerGroup) == 0 || h.IsResponse() || !h.IsOneway() {
		t.Errorf("%+v %v", n, err)
	}
	h, _ = golden(t, "check_transaction_state_push")
	if c, err := ParseCheckTransaction(h); err != nil || string(c.MsgID) != "01AABBCCDDEEFF00010000000100000003" ||
		c.CommitLogOffset == 0 || len(c.OffsetMsgID) != 32 || len(c.BrokerName) == 0 || !h.IsOneway() || h.IsResponse() {
		t.Errorf("%+v %v", c, err)
	}
	h, _ = golden(t, "binary_pop_response")
	if ResponseCode(h.Code) != ResponseRequestCodeNotSupported || string(h.Remark) != " request type 3442 not supported" {
		t.Error(describe(h, nil))
	}
}

func TestFieldErrors(t *testing.T) {
	for in, want := range map[string]string{
		`{"extFields":{"msgId":"x","queueId":"0"}}`:                         "command: unusable ext fields: one of msgId, queueId, queueOffset is absent",
		`{"extFields":{"msgId":"x","queueId":"zero","queueOffset":"1"}}`:    "command: unusable ext fields: queueId is not a number",
		`{"extFields":{"msgId":null,"queueId":"0","queueOffset":"1"}}`:      "command: unusable ext fields: one of msgId, queueId, queueOffset is absent",
		`{"extFields":{"msgId":"x","queueId":"0","queueOffset":"1"},"z":1}`: "",
	} {
		var h Head
		if err := ParseHead(&h, JSON, []byte(in)); err != nil {
			t.Fatal(err)
		}
		_, err := ParseSendResponse(&h)
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestCodeNames(t *testing.T) {
	if RequestPopMessage.String() != "POP_MESSAGE" || RequestCode(-5).String() != "-5" {
		t.Error("request codes")
	}
	if ResponseGoAway.String() != "GO_AWAY" || ResponseCode(4711).String() != "4711" {
		t.Error("response codes")
	}
}

// TestSpecificationDumps reads the frames that section 9 of the specification has in full.
func TestSpecificationDumps(t *testing.T) {
	for name, want := range map[string]string{
		"spec_route_request":      `105 0 1 513 "" [topic=TBW102]`,
		"spec_max_offset_request": `30 0 3 513 "" [topic=TN queueId=0]`,
		"spec_send_request": `310 0 14 513 "" [a=PG b=TN c=TBW102 d=4 e=0 f=0 g=1795385810957 h=0 ` +
			"i=UNIQ_KEY\x010B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B\x02TAGS\x01tagB\x02empty\x01\x02 j=0 k=false m=false]",
		"spec_send_response": `0 1 13 513 "" [queueId=0 transactionId=0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A ` +
			`msgId=7F000001000055970000000000000000 TRACE_ON=true MSG_REGION=DefaultRegion queueOffset=0]`,
	} {
		h, _ := golden(t, name)
		if got := describe(h, nil); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}
