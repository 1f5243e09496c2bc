package cluster

import (
	"errors"
	"strconv"
	"testing"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// TestEveryAnswerHasAKind: whatever code the protocol has is in the table, and only success is none.
func TestEveryAnswerHasAKind(t *testing.T) {
	known := 0
	for code := command.ResponseCode(1); code < 20_000; code++ {
		if code.String() == strconv.Itoa(int(code)) && code != accessBrokerTimeout {
			continue // the protocol has no name for it
		}
		known++
		if kind, listed := answerKinds[code]; !listed || kind == backend.None {
			t.Errorf("%v (%d) is not listed", code, code)
		}
	}
	if known != len(answerKinds) {
		t.Errorf("%d codes are listed, the protocol has %d", len(answerKinds), known)
	}
	if f := answerFault(4711, "no"); f != (backend.Fault{Kind: backend.Internal, Text: "no"}) {
		t.Errorf("an unknown code: %+v", f)
	}
}

// TestEveryEndOfACallHasAKind is the same for calls without an answer.
func TestEveryEndOfACallHasAKind(t *testing.T) {
	kind := remoting.CallErrorKind(1)
	for ; kind.String() != "CallErrorKind "+strconv.Itoa(int(kind)); kind++ {
		if got, listed := callKinds[kind]; !listed || got == backend.None || callFault(&remoting.CallError{Kind: kind}).Kind != got {
			t.Errorf("%v is not listed", kind)
		}
	}
	if int(kind)-1 != len(callKinds) {
		t.Errorf("%d kinds are listed, there are %d", len(callKinds), kind-1)
	}
	if f := callFault(errors.New("bad answer")); f.Kind != backend.Internal || f.Text != "bad answer" {
		t.Errorf("%+v", f)
	}
}
