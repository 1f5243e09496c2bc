package messaging

import (
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/backend"
)

func endRequest(change ...func(*apiv2.EndTransactionRequest)) *apiv2.EndTransactionRequest {
	r := &apiv2.EndTransactionRequest{
		Topic: resource("orders"), MessageId: "ID1", TransactionId: "TX1",
		Resolution: apiv2.TransactionResolution_COMMIT, Source: apiv2.TransactionSource_SOURCE_CLIENT,
	}
	for _, c := range change {
		c(r)
	}
	return r
}

// TestEndTransaction asks the backend in the contract's words.
func TestEndTransaction(t *testing.T) {
	for _, test := range []struct {
		resolution apiv2.TransactionResolution
		source     apiv2.TransactionSource
		verdict    backend.Verdict
		fromCheck  bool
	}{
		{apiv2.TransactionResolution_COMMIT, apiv2.TransactionSource_SOURCE_CLIENT, backend.Commit, false},
		{apiv2.TransactionResolution_ROLLBACK, apiv2.TransactionSource_SOURCE_SERVER_CHECK, backend.Rollback, true},
		{apiv2.TransactionResolution_TRANSACTION_RESOLUTION_UNSPECIFIED, apiv2.TransactionSource_SOURCE_UNSPECIFIED, backend.Undecided, false},
		{77, 77, backend.Undecided, false},
	} {
		p := newWorld(t).connect()
		c := p.call("EndTransaction", endRequest(func(r *apiv2.EndTransactionRequest) {
			r.Resolution, r.Source = test.resolution, test.source
		}))
		op := asked[*backend.EndTransaction](p, 0)
		if op.Verdict != test.verdict || op.FromCheck != test.fromCheck || string(op.Topic) != "orders" ||
			string(op.MessageID) != "ID1" || string(op.TransactionID) != "TX1" || op.Deadline.Sub(p.now) != p.CallTimeout {
			t.Errorf("%v: %+v", test, op)
		}
		p.reply(&op.Exchange, backend.Fault{})
		c.says(&apiv2.EndTransactionResponse{}, apiv2.Code_OK, "OK")
	}
}

func TestEndTransactionFails(t *testing.T) {
	eachFault(t, func(t *testing.T, f backend.Fault, code string) {
		p := newWorld(t).connect()
		c := p.call("EndTransaction", endRequest())
		p.reply(&asked[*backend.EndTransaction](p, 0).Exchange, f)
		c.says(&apiv2.EndTransactionResponse{}, apiv2.Code(apiv2.Code_value[code]), "it broke")
	})
	p := newWorld(t).connect()
	c := p.call("EndTransaction", endRequest())
	p.reply(&asked[*backend.EndTransaction](p, 0).Exchange, backend.Fault{Kind: backend.TransactionNotFound, Text: "gone"})
	c.says(&apiv2.EndTransactionResponse{}, apiv2.Code_INTERNAL_SERVER_ERROR, "gone")
}

// TestEndTransactionRefuses in the reference's order; the message id is not looked at.
func TestEndTransactionRefuses(t *testing.T) {
	p := newWorld(t).connect()
	for _, test := range []struct {
		change func(*apiv2.EndTransactionRequest)
		code   apiv2.Code
		text   string
	}{
		{func(r *apiv2.EndTransactionRequest) { r.Topic, r.TransactionId = nil, "" }, 40002, "The specified topic is blank"},
		{func(r *apiv2.EndTransactionRequest) { r.Topic.Name = "rmq_sys_x" }, 40002, "cannot access system topic"},
		{func(r *apiv2.EndTransactionRequest) { r.TransactionId = "" }, 40008, "transaction id cannot be empty"},
		{func(r *apiv2.EndTransactionRequest) { r.TransactionId = " \t" }, 40008, "transaction id cannot be empty"},
	} {
		p.call("EndTransaction", endRequest(test.change)).says(&apiv2.EndTransactionResponse{}, test.code, test.text)
	}
	p.hears()
	p.call("EndTransaction", endRequest(func(r *apiv2.EndTransactionRequest) { r.MessageId = "" })).cancel()
	p.works() // and nobody is answered
	p.open("EndTransaction").raw(nil, frame.FlagEndStream)
}
