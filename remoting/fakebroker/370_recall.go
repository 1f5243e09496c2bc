package fakebroker

import (
	"encoding/base64"
	"slices"
	"strings"
)

// RECALL_MESSAGE, specification 2.23. Covered: a timer message is taken back; a second recall
// succeeds too. Left out: recallMessageEnable=false, which is the default of real brokers (16).

func (b *Broker) recall(r *Request) Response {
	plain, err := base64.URLEncoding.DecodeString(r.Ext["recallHandle"])
	fields := strings.Split(string(plain), " ")
	region := map[string]string{"MSG_REGION": "DefaultRegion"}
	if err != nil || len(fields) != 5 || fields[0] != "v1" || fields[1] != r.Ext["topic"] || fields[2] != b.Name {
		return Response{Code: 604, Remark: "recall handle is invalid", Ext: region}
	}
	if atoi(fields[3]) <= b.now() {
		return Response{Code: 604, Remark: "recall failed, timestamp invalid", Ext: region}
	}
	b.timers = slices.DeleteFunc(b.timers, func(t timer) bool { return t.message.property("UNIQ_KEY") == fields[4] })
	return Response{Remark: notSet, Ext: map[string]string{"msgId": fields[4], "MSG_REGION": "DefaultRegion"}}
}

// notSet is the remark of many successes; it is no error (specification 1.7).
const notSet = "not set any response code"
