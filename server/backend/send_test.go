package backend

import (
	"reflect"
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

func TestResetForgetsAllButMemory(t *testing.T) {
	op := Send{
		Exchange: Exchange{Deadline: time.Unix(1, 0)}, Topic: new(Topic), Shard: []byte("group"),
		Messages: []Message{{Properties: []byte("a")}}, Stored: StoreFlushDiskTimeout, Offset: 7,
		TransactionID: []byte("id"), RecallHandle: []byte("handle"), Carrier: "kept",
	}
	op.Payload.Append(pool.Static([]byte("body")))
	fields := reflect.ValueOf(op)
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			t.Fatal("the test does not set", fields.Type().Field(i).Name)
		}
	}
	op.Reset()
	if len(op.Messages)+len(op.TransactionID)+len(op.RecallHandle)+op.Payload.Len() != 0 || op.Messages[:1][0].Properties != nil {
		t.Error("something is left in what is kept")
	}
	if op.Carrier != "kept" || cap(op.Messages) == 0 || cap(op.TransactionID) == 0 || cap(op.RecallHandle) == 0 {
		t.Error("memory was not kept")
	}
	op.Messages, op.TransactionID, op.RecallHandle, op.Carrier, op.Payload = nil, nil, nil, nil, pool.Chain{}
	if !reflect.ValueOf(op).IsZero() {
		t.Errorf("%+v", op)
	}
}
