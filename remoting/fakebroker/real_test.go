package fakebroker

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// question is asked of the fake and of the real thing.
type question struct {
	name string
	code int32
	ext  map[string]string
	body string
}

// TestLikeTheRealOne asks the fake and a real broker the same questions, in the same order, and
// compares code, remark, the names of the ext fields and whether there is a body. It runs when
// ROCKETMQ_NAMESRV and ROCKETMQ_BROKER say where the real ones are (host:port).
func TestLikeTheRealOne(t *testing.T) {
	names, broker := os.Getenv("ROCKETMQ_NAMESRV"), os.Getenv("ROCKETMQ_BROKER")
	if names == "" || broker == "" {
		t.Skip("ROCKETMQ_NAMESRV and ROCKETMQ_BROKER are not set")
	}
	fake := Start(t)
	compareAnswers(t, newLine(t, fake.NameServer.Addr), newLine(t, names), []question{
		{"no such topic", 105, map[string]string{"topic": "fakebroker_nowhere"}, ""},
		{"default topic", 105, map[string]string{"topic": "TBW102"}, ""},
		{"unknown code", 12345, nil, ""},
	})
	compareAnswers(t, newLine(t, fake.Brokers[0].Addr), newLine(t, broker), brokerQuestions())
}

func brokerQuestions() []question {
	const topic, group = "fakebroker_real", "fakebroker_real_group"
	receipt := func(topic, extra string, more ...string) map[string]string {
		ext := map[string]string{"consumerGroup": group, "topic": topic, "queueId": "0", "offset": "0", "extraInfo": extra}
		for _, pair := range more {
			key, value, _ := strings.Cut(pair, "=")
			ext[key] = value
		}
		return ext
	}
	handle := "0 1795400000000 10000 5 0 fake-0 0 0"
	outOfRange := sendExt(topic)
	outOfRange["e"] = "77"
	return []question{
		{"create topic", 17, map[string]string{
			"topic": topic, "defaultTopic": "TBW102", "readQueueNums": "1", "writeQueueNums": "1", "perm": "6",
			"topicFilterType": "SINGLE_TAG", "attributes": "+message.type=NORMAL",
		}, ""},
		{"topic config", 351, map[string]string{"topic": topic}, ""},
		{"no topic config", 351, map[string]string{"topic": "fakebroker_nowhere"}, ""},
		{"group config", 352, map[string]string{"group": group}, ""},
		{"send", 310, sendExt(topic), "hello"},
		{"send to no queue", 310, outOfRange, "hello"},
		{"send to no name", 310, sendExt("bad topic!"), "hello"},
		{"pop", 200050, popExt(group, topic), ""},
		{"pop again", 200050, popExt(group, topic), ""},
		{"pop with a poll", 200050, popExt(group, topic, "pollTime=200"), ""},
		{"pop too much", 200050, popExt(group, topic, "maxMsgNums=33"), ""},
		{"pop no queue", 200050, popExt(group, topic, "queueId=5"), ""},
		{"pop no topic", 200050, popExt(group, "fakebroker_nowhere"), ""},
		{"pop too late", 200050, popExt(group, topic, "bornTime=1000", "pollTime=1000"), ""},
		{"ack", 200051, receipt(topic, handle), ""},
		{"ack no offset", 200051, receipt(topic, handle, "offset=99999"), ""},
		{"ack no topic", 200051, receipt("fakebroker_nowhere", handle), ""},
		{"ack no queue", 200051, receipt(topic, handle, "queueId=9"), ""},
		{"change", 200053, receipt(topic, handle, "invisibleTime=20000"), ""},
		{"change no offset", 200053, receipt(topic, handle, "invisibleTime=20000", "offset=99999"), ""},
		{"send back nothing", 36, map[string]string{"offset": "99999999999", "group": group, "delayLevel": "-1"}, ""},
		{"heartbeat", 34, nil, `{"clientID":"c","producerDataSet":[{"groupName":"PG"}],"heartbeatFingerprint":0}`},
		{"unregister", 35, map[string]string{"clientID": "c", "producerGroup": "PG"}, ""},
		{"no consumers", 38, map[string]string{"consumerGroup": "fakebroker_nobody"}, ""},
		{"max offset", 30, map[string]string{"topic": topic, "queueId": "0"}, ""},
		{"max offset of nothing", 30, map[string]string{"topic": "fakebroker_nowhere", "queueId": "0"}, ""},
		{"min offset", 31, map[string]string{"topic": topic, "queueId": "0"}, ""},
		{"no consumer offset", 14, map[string]string{"consumerGroup": group + "_new", "topic": topic, "queueId": "0", "setZeroIfNotFound": "false"}, ""},
		{"offset of no group", 15, map[string]string{"consumerGroup": group + "_new", "topic": topic, "queueId": "0", "commitOffset": "0"}, ""},
		{"offset of no topic", 15, map[string]string{"consumerGroup": group, "topic": "fakebroker_nowhere", "queueId": "0", "commitOffset": "0"}, ""},
		{"pull", 11, pullExt(group, topic), ""},
		{"pull what is not there", 11, pullExt(group, topic, "subscription=nothing"), ""},
		{"pull below", 11, pullExt(group, topic, "queueOffset=-1"), ""},
		{"pull beyond", 11, pullExt(group, topic, "queueOffset=999999"), ""},
		{"pull no queue", 11, pullExt(group, topic, "queueId=9"), ""},
		{"pull no topic", 11, pullExt(group, "fakebroker_nowhere"), ""},
		{"update consumer offset", 15, map[string]string{"consumerGroup": group, "topic": topic, "queueId": "0", "commitOffset": "1"}, ""},
		{"consumer offset", 14, map[string]string{"consumerGroup": group, "topic": topic, "queueId": "0"}, ""},
		{"offset at a time", 29, map[string]string{"topic": topic, "queueId": "0", "timestamp": "0", "boundaryType": "lower"}, ""},
		{"offset at a time of nothing", 29, map[string]string{"topic": "fakebroker_nowhere", "queueId": "0", "timestamp": "0"}, ""},
		{"check client config", 46, nil, clientConfig("n > 3")},
		{"recall nothing", 370, map[string]string{"topic": topic, "recallHandle": "bad"}, ""},
		{"unknown code", 12345, nil, ""},
	}
}

func pullExt(group, topic string, more ...string) map[string]string {
	ext := map[string]string{
		"consumerGroup": group, "topic": topic, "queueId": "0", "queueOffset": "0", "maxMsgNums": "32", "sysFlag": "4",
		"commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0", "expressionType": "TAG",
	}
	for _, pair := range more {
		key, value, _ := strings.Cut(pair, "=")
		ext[key] = value
	}
	return ext
}

func clientConfig(sql string) string {
	return `{"clientId":"c","group":"g","namespace":"","subscriptionData":{"topic":"T","subString":"` + sql + `","expressionType":"SQL92","subVersion":0,"classFilterMode":false}}`
}

// varying is what differs from broker to broker: numbers, attributes, what follows a Java
// exception's text.
var varying = regexp.MustCompile(`[0-9]+|attributes=\{[^}]*\}|, org\.apache\..*$`)

func compareAnswers(t *testing.T, fake, real *line, questions []question) {
	t.Helper()
	for _, q := range questions {
		var answers [2]Response
		for i, l := range []*line{fake, real} {
			c := l.start(q.code, maps.Clone(q.ext), []byte(q.body), 5*time.Second)
			<-c.done
			if c.err != nil {
				t.Fatalf("%s: %v", q.name, c.err)
			}
			answers[i] = c.reply
		}
		got, want := answers[0], answers[1]
		if got.Code != want.Code || varying.ReplaceAllString(got.Remark, "") != varying.ReplaceAllString(want.Remark, "") {
			t.Errorf("%s: the fake answers %d %q, the real one %d %q", q.name, got.Code, got.Remark, want.Code, want.Remark)
		}
		gotKeys, wantKeys := slices.Sorted(maps.Keys(got.Ext)), slices.Sorted(maps.Keys(want.Ext))
		if !slices.Equal(gotKeys, wantKeys) || len(got.Body) > 0 != (len(want.Body) > 0) {
			t.Errorf("%s: the fake answers with %v and %d bytes, the real one with %v and %d",
				q.name, gotKeys, len(got.Body), wantKeys, len(want.Body))
		}
	}
}
