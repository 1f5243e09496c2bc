package differential

import (
	"slices"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func newRun(now time.Time) *run {
	return &run{
		side: &Side{Broker: "broker-a"}, row: &Row{}, now: now, times: map[int64]string{}, step: 1,
		vars: map[string]string{"broker": "broker-a", "own": "DTOPICTOPIC", "missing": "DTOPICTOPIC1", "handle": "1 2 3 4"},
	}
}

func TestWhatARequestSaysComesBackUnderItsName(t *testing.T) {
	r := newRun(time.UnixMilli(1_700_000_000_000))
	filled, err := r.fill(&v2.SendMessageRequest{Messages: []*v2.Message{message("{own}", body("{x*3}{y*2}"), property("k{a*2}", "{now-1000} {handle/2}"), delayed(time.Hour))}})
	if err != nil {
		t.Fatal(err)
	}
	m := filled.(*v2.SendMessageRequest).Messages[0]
	if m.Topic.Name != "DTOPICTOPIC" || string(m.Body) != "xxxyy" || m.UserProperties["kaa"] != "1699999999000 1 2" {
		t.Errorf("filled %v", m)
	}
	if got := m.SystemProperties.DeliveryTimestamp.AsTime().UnixMilli(); got != 1_700_003_600_000 {
		t.Errorf("an hour after the beginning is %d", got)
	}

	r.heard("M", m)
	for _, want := range []string{
		`1 M.topic.name: "{own}"`, `1 M.user_properties: "kaa" = "now-1s 1 2"`, `1 M.body: "xxxyy"`,
		`1 M.system_properties.delivery_timestamp: now+1h0m0s`, `1 M.system_properties.born_timestamp: now-1s`,
	} {
		if !slices.Contains(r.transcript, want) {
			t.Errorf("no line %s in %q", want, r.transcript)
		}
	}
}

func TestPlaceholderThatMeansNothingIsAnError(t *testing.T) {
	r := newRun(time.Now())
	for _, text := range []string{"{nobody}", "{handle/9}"} {
		if filled, err := r.fillText(text); err == nil {
			t.Errorf("%s became %q", text, filled)
		}
	}
}

func TestWhatDiffersBetweenSidesIsLeftOut(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	r := newRun(now)
	for text, want := range map[string]string{
		"0 1700000000123 30000 4 1 broker-a 0 7 991":                                            "handle invisible=30s retry=1 broker {broker} words=9",
		"djEgRFRPUElDVE9QSUMgYnJva2VyLWEgMTcwMDAwMDAwMDAwMSB4":                                  "recall v1 {own} {broker} <now> x",
		"no topic DTOPICTOPIC1 at 127.0.0.1:4711":                                               "no topic {missing} at 127.0.0.1:<port>",
		"org.apache.rocketmq.proxy.common.ProxyException: cannot find broker x":                 "cannot find broker x",
		"CODE: 17  DESC: none\nFor more information, please visit the url, https://example.com": "CODE: 17  DESC: none",
		"null. NullPointerException. org.apache.rocketmq.proxy.A.b(A.java:1)":                   "null" + thrown,
		"proto:\u00a0bad":           "proto: bad",
		"a sentence. Another one":   "a sentence. Another one",
		"1500000000000":             "2017-07-14T02:40:00Z",
		"17000000000001":            "17000000000001", // no 13 digits
		"receipt handle is damaged": "receipt handle is damaged",
	} {
		if got := r.normal(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := r.time(now.Add(time.Second + time.Microsecond)); got != "<now>" {
		t.Errorf("a second later is %s", got)
	}
}

func TestUnknownFieldsAreHeard(t *testing.T) {
	r := newRun(time.Now())
	s := &v2.Status{}
	s.ProtoReflect().SetUnknown([]byte{0xd2, 0x05, 0x01, 'x'})
	r.heard("S", s)
	r.heard("T", &timestamppb.Timestamp{})
	r.heard("U", &v2.Resource{})
	if want := []string{"1 S.unknown: d2050178", "1 T: 1970-01-01T00:00:00Z", "1 U: {}"}; !slices.Equal(r.transcript, want) {
		t.Errorf("heard %q, want %q", r.transcript, want)
	}
}
