package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
)

func TestSend(t *testing.T) {
	f := startFake(t, false)
	got := run(t, nil, "send", "-addr", f.addr, "hello", "hi")
	if want := "ID  sent to hello, offset 7, recall handle back\n"; got != (said{ExitOK, want, ""}) {
		t.Errorf("%+v", got)
	}
	if calls := f.callsMade(); calls != "QueryRoute Telemetry SendMessage NotifyClientTermination" {
		t.Errorf("calls: %s", calls)
	}
	settings := last[*apiv2.TelemetryCommand](f, "Telemetry").GetSettings()
	if settings.GetClientType() != apiv2.ClientType_PRODUCER || settings.GetPublishing().GetTopics()[0].GetName() != "hello" || settings.GetUserAgent().GetLanguage() != apiv2.Language_GOLANG {
		t.Errorf("settings: %v", settings)
	}
	ids := map[string]bool{}
	for method, head := range f.heads {
		ids[head.Get("X-Mq-Client-Id")] = true
		if head.Get("Content-Type") != "application/grpc" || head.Get("X-Mq-Language") != "GO" || (head.Get("Grpc-Timeout") == "") != (method == "Telemetry") {
			t.Errorf("head of %s: %v", method, head)
		}
	}
	if len(ids) != 1 || ids[""] {
		t.Errorf("client ids: %v", ids)
	}
	m := last[*apiv2.SendMessageRequest](f, "SendMessage").GetMessages()[0]
	p := m.GetSystemProperties()
	if m.GetTopic().GetName() != "hello" || string(m.GetBody()) != "hi" || p.GetMessageType() != apiv2.MessageType_NORMAL ||
		p.GetBodyDigest().GetChecksum() != "D8932AAC" || time.Since(p.GetBornTimestamp().AsTime()) > patience {
		t.Errorf("message: %v", m)
	}
}

func TestSendOptions(t *testing.T) {
	f := startFake(t, false)
	for args, check := range map[string]func(m *apiv2.Message, p *apiv2.SystemProperties) bool{
		"-tag vip -key a -key b": func(_ *apiv2.Message, p *apiv2.SystemProperties) bool {
			return p.GetTag() == "vip" && strings.Join(p.GetKeys(), " ") == "a b"
		},
		"-property a=b=c -property d=": func(m *apiv2.Message, _ *apiv2.SystemProperties) bool {
			return m.GetUserProperties()["a"] == "b=c" && len(m.GetUserProperties()) == 2
		},
		"-delay 1h": func(_ *apiv2.Message, p *apiv2.SystemProperties) bool {
			left := time.Until(p.GetDeliveryTimestamp().AsTime())
			return p.GetMessageType() == apiv2.MessageType_DELAY && left > time.Hour-patience && left <= time.Hour
		},
		"-message-group g": func(_ *apiv2.Message, p *apiv2.SystemProperties) bool {
			return p.GetMessageType() == apiv2.MessageType_FIFO && p.GetMessageGroup() == "g"
		},
		"-priority 0": func(_ *apiv2.Message, p *apiv2.SystemProperties) bool {
			return p.GetMessageType() == apiv2.MessageType_PRIORITY && p.Priority != nil && p.GetPriority() == 0
		},
		"-lite-topic l": func(_ *apiv2.Message, p *apiv2.SystemProperties) bool {
			return p.GetMessageType() == apiv2.MessageType_LITE && p.GetLiteTopic() == "l"
		},
	} {
		if got := run(t, nil, append([]string{"send", "hello", "hi", "-addr", f.addr}, strings.Fields(args)...)...); got.code != ExitOK {
			t.Errorf("%s: %+v", args, got)
		}
		if m := last[*apiv2.SendMessageRequest](f, "SendMessage").GetMessages()[0]; !check(m, m.GetSystemProperties()) {
			t.Errorf("%s: %v", args, m)
		}
	}

	got := run(t, &World{Stdin: strings.NewReader("from\nelsewhere")}, "send", "-addr", f.addr, "hello", "-", "-count", "3")
	if m := last[*apiv2.SendMessageRequest](f, "SendMessage").GetMessages()[0]; string(m.GetBody()) != "from\nelsewhere" || strings.Count(got.out, "\n") != 3 {
		t.Errorf("%+v, %v", got, m)
	}
}

func TestSendOverTLS(t *testing.T) {
	f := startFake(t, true)
	if got := run(t, nil, "send", "-addr", f.addr, "-insecure", "hello", "hi"); got.code != ExitOK {
		t.Errorf("%+v", got)
	}
	if got := run(t, nil, "send", "-addr", f.addr, "-tls", "hello", "hi"); got.code != ExitFailed || !strings.Contains(got.err, "-insecure takes it") {
		t.Errorf("%+v", got)
	}
	if got := run(t, nil, "send", "-addr", f.addr, "-ca", "/nowhere.pem", "hello", "hi"); got.code != ExitFailed || !strings.Contains(got.err, "-ca: open /nowhere.pem") {
		t.Errorf("%+v", got)
	}
}

func TestSendFails(t *testing.T) {
	no := func(code apiv2.Code) *apiv2.Status { return &apiv2.Status{Code: code, Message: "because"} }
	for _, test := range []struct {
		name   string
		method string
		answer proto.Message // nil for none
		end    grpc.Status
		want   string
	}{
		{"no topic", "QueryRoute", &apiv2.QueryRouteResponse{Status: no(apiv2.Code_TOPIC_NOT_FOUND)}, grpc.Status{}, "the proxy says TOPIC_NOT_FOUND (40402): because\nMake the topic first"},
		{"read only", "QueryRoute", route(apiv2.Permission_READ, "a"), grpc.Status{}, "topic hello has no queue that may be sent to"},
		{"settings refused", "Telemetry", &apiv2.TelemetryCommand{Status: no(apiv2.Code_ILLEGAL_TOPIC)}, grpc.Status{}, "ILLEGAL_TOPIC (40002): because"},
		{"settings abort the stream", "Telemetry", nil, grpc.Status{Code: grpc.InvalidArgument, Message: "no\nway"}, "Telemetry: INVALID_ARGUMENT: no\nway"},
		{"no answer to the settings", "Telemetry", nil, grpc.Status{Code: grpc.Unavailable}, "Telemetry: UNAVAILABLE"},
		{"wrong type", "SendMessage", &apiv2.SendMessageResponse{Status: no(apiv2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE)}, grpc.Status{}, "another type of message: -message-group sends FIFO"},
		{"of one entry", "SendMessage", &apiv2.SendMessageResponse{Status: fine, Entries: []*apiv2.SendResultEntry{{Status: no(apiv2.Code_TOO_MANY_REQUESTS)}}}, grpc.Status{}, "TOO_MANY_REQUESTS (42900): because"},
		{"no message in the answer", "SendMessage", nil, grpc.Status{}, "SendMessage: the answer is empty"},
		{"gRPC fails", "SendMessage", nil, grpc.Status{Code: grpc.Internal, Message: "oh"}, "SendMessage: INTERNAL: oh"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := startFake(t, false)
			f.answers[test.method] = [][]proto.Message{{}}
			if test.answer != nil {
				f.answers[test.method] = [][]proto.Message{{test.answer}}
			}
			f.ends[test.method] = test.end
			got := run(t, nil, "send", "-addr", f.addr, "hello", "hi")
			if got.code != ExitFailed || got.out != "" || !strings.Contains(got.err, test.want) {
				t.Errorf("%+v, want %q", got, test.want)
			}
		})
	}
	if got := run(t, nil, "send", "-addr", closedPort(t), "hello", "hi"); got.code != ExitFailed || !strings.Contains(got.err, "is the proxy running?") {
		t.Errorf("%+v", got)
	}
}

func TestIDs(t *testing.T) {
	i := newIDs(time.Date(2021, 1, 1, 0, 0, 16, 0, time.UTC))
	first, second := i.next(), i.next()
	form := regexp.MustCompile(`^01[0-9A-F]{12}[0-9A-F]{4}00000010[0-9A-F]{8}$`)
	if !form.MatchString(first) || !form.MatchString(second) || first[:26] != second[:26] || first[26:] != "00000000" || second[26:] != "00000001" {
		t.Errorf("%s, %s", first, second)
	}
}
