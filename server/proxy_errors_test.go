package server_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

// TestErrorMapping walks testdata/error_codes.txt: each row is brought about and the code looked at.
func TestErrorMapping(t *testing.T) {
	file, err := os.Open("testdata/error_codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := start(t)
	w.fake.SetTopic(fakebroker.Topic{Name: "later", Type: "DELAY"})
	c := w.client("both")
	named, caused := map[int32]bool{}, map[string]bool{}
	named[int32(command.ResponseGoAway)] = true // has a row as a cause: it is answered by a new connection
	rows := bufio.NewScanner(file)
	defer func() {
		if t.Failed() {
			t.Log("the last row is", rows.Text())
		}
	}()
	for rows.Scan() {
		words := strings.Fields(rows.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		last, err := strconv.Atoi(words[len(words)-1])
		if err != nil {
			t.Fatalf("%q: %v", rows.Text(), err)
		}
		want := apiv2.Code(last)
		if words[0] == "cause" {
			caused[words[1]] = true
			t.Run(words[1], func(t *testing.T) { causes[words[1]](t, want) })
			continue
		}
		code, err := strconv.ParseInt(words[1], 10, 32)
		if err != nil {
			t.Fatalf("%q: %v", rows.Text(), err)
		}
		named[int32(code)] = true
		if name := command.ResponseCode(code).String(); name != words[2] && name != words[1] {
			t.Errorf("%d is %s, not %s", code, name, words[2])
		}
		c.brokerAnswers(w, words[0] == "send", int32(code), want)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for code := int32(1); code < 20_000; code++ {
		if name := command.ResponseCode(code).String(); name != strconv.Itoa(int(code)) && !named[code] {
			t.Errorf("no row for %s", name)
		}
	}
	if len(caused) != len(causes) {
		t.Errorf("%d causes have a row, %d can be brought about", len(caused), len(causes))
	}
}

// brokerAnswers makes the broker answer requests of all kinds with a code, and the name server too.
func (c *client) brokerAnswers(w *world, ofSend bool, code int32, want apiv2.Code) {
	c.Helper()
	answer := fakebroker.Response{Code: code, Remark: "no"}
	stored := map[string]string{"msgId": "0A00000100002A9F00000000000000FF", "queueId": "0", "queueOffset": "7"}
	if ofSend {
		w.broker.Fail(310, 1, fakebroker.Response{Code: code, Ext: stored})
		sent := c.sends(want, "orders", "x")
		if got := sent.GetEntries()[0].GetStatus().GetCode(); got != want {
			c.Errorf("the entry of a send: %v, want %v", got, want)
		}
		return
	}
	if code < int32(command.ResponseFlushDiskTimeout) || code > int32(command.ResponseFlushSlaveTimeout) {
		w.broker.Fail(310, 1, answer)
		c.sends(want, "orders", "x")
	}
	w.broker.Fail(370, 1, answer)
	ask(c, "RecallMessage", recallOf("fake-0"), &apiv2.RecallMessageResponse{}, want)
	w.broker.Fail(36, 1, answer)
	ask(c, "ForwardMessageToDeadLetterQueue", &apiv2.ForwardMessageToDeadLetterQueueRequest{
		Topic: resource("orders"), Group: resource(group), MessageId: "ID1", ReceiptHandle: handleOf("fake-0"),
	}, &apiv2.ForwardMessageToDeadLetterQueueResponse{}, want)

	fresh := fmt.Sprint("asked-for-", code)
	w.fake.NameServer.Control(105, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		return answer, r.Ext["topic"] == fresh
	})
	c.queryRoute(want, fresh)
}

func recallOf(broker string) *apiv2.RecallMessageRequest {
	plain := fmt.Sprintf("v1 later %s %d ID1", broker, time.Now().Add(time.Hour).UnixMilli())
	return &apiv2.RecallMessageRequest{Topic: resource("later"), RecallHandle: base64.URLEncoding.EncodeToString([]byte(plain))}
}

func handleOf(broker string) string {
	return fmt.Sprintf("0 %d 60000 0 0 %s 0 5 7", time.Now().UnixMilli(), broker)
}

// causes bring about what the rows of that name say, each in a world of its own.
var causes = map[string]func(t *testing.T, want apiv2.Code){
	"broker-silent": func(t *testing.T, want apiv2.Code) {
		w := start(t, func(c *config.Config) { c.Broker.CallTimeout = 200 * time.Millisecond })
		w.broker.Fail(310, -1, fakebroker.Response{Silent: true})
		w.client("both").sends(want, "orders", "x")
	},
	"broker-hangs-up": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		w.broker.Fail(310, 1, fakebroker.Response{Silent: true, Hangup: true})
		w.client("both").sends(want, "orders", "x")
	},
	"broker-goes-away": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		w.broker.Fail(310, -1, fakebroker.Response{Code: 1500})
		w.client("both").sends(want, "orders", "x")
	},
	"broker-down": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		c := w.client("both")
		c.queryRoute(apiv2.Code_OK, "orders")
		w.broker.Stop()
		c.sends(want, "orders", "x")
	},
	"broker-unknown": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		w.fake.SetTopic(fakebroker.Topic{Name: "later", Type: "DELAY"})
		ask(w.client("both"), "RecallMessage", recallOf("nowhere"), &apiv2.RecallMessageResponse{}, want)
	},
	"name-server-silent": func(t *testing.T, want apiv2.Code) {
		w := start(t, func(c *config.Config) { c.Broker.RouteTimeout = 200 * time.Millisecond })
		w.fake.NameServer.Fail(105, -1, fakebroker.Response{Silent: true})
		w.client("both").queryRoute(want, "orders")
	},
	"name-server-down": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		w.fake.NameServer.Stop()
		w.client("both").queryRoute(want, "orders")
	},
	"topic-unknown": func(t *testing.T, want apiv2.Code) { start(t).client("both").queryRoute(want, "nothing") },
	"topic-unknown-to-a-send": func(t *testing.T, want apiv2.Code) {
		start(t).client("both").sends(want, "nothing", "x")
	},
	"topic-of-another-type": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		w.fake.SetTopic(fakebroker.Topic{Name: "orders", Type: "FIFO"})
		w.client("both").sends(want, "orders", "x")
	},
	"topic-not-writable": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		w.fake.SetTopic(fakebroker.Topic{Name: "orders", Perm: command.PermRead})
		w.client("both").sends(want, "orders", "x")
	},
	"topic-not-readable": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		w.fake.SetTopic(fakebroker.Topic{Name: "orders", Perm: command.PermWrite})
		ask(w.client("both"), "QueryAssignment", &apiv2.QueryAssignmentRequest{Topic: resource("orders"), Group: resource(group)},
			&apiv2.QueryAssignmentResponse{}, want)
	},
	"group-unknown": func(t *testing.T, want apiv2.Code) {
		w := start(t)
		c := w.client("both")
		c.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
		w.broker.Fail(200050, 1, fakebroker.Response{Code: 26, Remark: "no such group"})
		if got, _ := c.polls("orders", time.Second).received(); got != want {
			t.Errorf("a receive: %v, want %v", got, want)
		}
	},
	"handle-unreadable": func(t *testing.T, want apiv2.Code) { usesHandle(t, "garbage", want) },
	"handle-expired": func(t *testing.T, want apiv2.Code) {
		usesHandle(t, fmt.Sprintf("0 %d 60000 0 0 fake-0 0 5 7", time.Now().Add(-2*time.Minute).UnixMilli()), want)
	},
	"handle-of-no-broker": func(t *testing.T, want apiv2.Code) {
		usesHandle(t, handleOf("nowhere"), want)
		ask(start(t).client("both"), "ForwardMessageToDeadLetterQueue", &apiv2.ForwardMessageToDeadLetterQueueRequest{
			Topic: resource("orders"), Group: resource(group), MessageId: "ID1", ReceiptHandle: handleOf("nowhere"),
		}, &apiv2.ForwardMessageToDeadLetterQueueResponse{}, want)
	},
	"transaction-unknown": func(t *testing.T, want apiv2.Code) {
		ask(start(t).client("both"), "EndTransaction", &apiv2.EndTransactionRequest{
			Topic: resource("orders"), MessageId: "ID1", TransactionId: "ID1", Resolution: apiv2.TransactionResolution_COMMIT,
		}, &apiv2.EndTransactionResponse{}, want)
	},
}

// usesHandle acknowledges a message by a receipt handle, and moves its time.
func usesHandle(t *testing.T, handle string, want apiv2.Code) {
	c := start(t).client("both")
	ask(c, "AckMessage", &apiv2.AckMessageRequest{
		Topic: resource("orders"), Group: resource(group), Entries: []*apiv2.AckMessageEntry{{MessageId: "ID1", ReceiptHandle: handle}},
	}, &apiv2.AckMessageResponse{}, want)
	ask(c, "ChangeInvisibleDuration", &apiv2.ChangeInvisibleDurationRequest{
		Topic: resource("orders"), Group: resource(group), ReceiptHandle: handle, InvisibleDuration: durationpb.New(time.Minute), MessageId: "ID1",
	}, &apiv2.ChangeInvisibleDurationResponse{}, want)
}
