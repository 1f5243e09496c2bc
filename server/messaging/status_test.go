package messaging

import (
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

// TestCodes holds the table against gRPC specification 8, written down once more: every kind
// is listed, and no other.
func TestCodes(t *testing.T) {
	want := map[backend.Kind]int32{
		backend.None: 20000, backend.Internal: 50001, backend.Timeout: 50400, backend.Busy: 42900,
		backend.TopicNotFound: 40402, backend.GroupNotFound: 40403, backend.NoWritableQueue: 40300,
		backend.NoReadableQueue: 40300, backend.BadBroker: 40000, backend.BadHandle: 40013,
		backend.NotSupported: 50100, backend.LiteTopicQuota: 42901, backend.SubscriptionQuota: 42902,
		backend.TransactionNotFound: 50001, backend.BadFilter: 40010, backend.DiskFull: 50001,
		backend.BadQueue: 40000, backend.BadOffset: 40019, backend.OffsetNotFound: 40404, // of no call of the reference
	}
	if len(want) != backend.Kinds || len(codes) != backend.Kinds {
		t.Errorf("%d kinds, %d in the table, %d here", backend.Kinds, len(codes), len(want))
	}
	for kind, code := range codes {
		if int32(code) != want[backend.Kind(kind)] || code == 0 {
			t.Errorf("kind %d is %v (%d), want %d", kind, code, code, want[backend.Kind(kind)])
		}
	}
}

func TestFaultsWithoutText(t *testing.T) {
	if o := faultOutcome(backend.Fault{Kind: backend.Busy}); o.Message != "TOO_MANY_REQUESTS" {
		t.Errorf("%+v", o)
	}
}

func TestOverall(t *testing.T) {
	for _, test := range []struct {
		codes []apiv2.Code
		want  apiv2.Code
		text  string
	}{
		{nil, apiv2.Code_INTERNAL_SERVER_ERROR, "nothing"},
		{[]apiv2.Code{apiv2.Code_OK}, apiv2.Code_OK, "OK"},
		{[]apiv2.Code{apiv2.Code_OK, apiv2.Code_OK}, apiv2.Code_OK, "OK"},
		{[]apiv2.Code{apiv2.Code_PROXY_TIMEOUT, apiv2.Code_PROXY_TIMEOUT}, apiv2.Code_PROXY_TIMEOUT, "PROXY_TIMEOUT"},
		{[]apiv2.Code{apiv2.Code_OK, apiv2.Code_PROXY_TIMEOUT}, apiv2.Code_MULTIPLE_RESULTS, "MULTIPLE_RESULTS"},
		{[]apiv2.Code{apiv2.Code_PROXY_TIMEOUT, apiv2.Code_OK, apiv2.Code_OK}, apiv2.Code_MULTIPLE_RESULTS, "MULTIPLE_RESULTS"},
	} {
		var all overall
		for _, code := range test.codes {
			all.add(code)
		}
		if o := all.outcome("nothing"); o.Code != test.want || o.Message != test.text {
			t.Errorf("%v: %+v, want %v %q", test.codes, o, test.want, test.text)
		}
	}
}

func TestUnknownMethods(t *testing.T) {
	p := newWorld(t).connect()
	for path, want := range map[string]string{
		"/apache.rocketmq.v2.MessagingService/PeekMessage": "12 Method not found: apache.rocketmq.v2.MessagingService/PeekMessage",
		"/apache.rocketmq.v2.Admin/ChangeLogLevel":         "12 Method not found: apache.rocketmq.v2.Admin/ChangeLogLevel",
		"/grpc.health.v1.Health/Check":                     "12 Method not found: grpc.health.v1.Health/Check",
	} {
		if c := p.openPath(path, identity); c.status() != want {
			t.Errorf("%s: %q, want %q", path, c.status(), want)
		}
	}
}
