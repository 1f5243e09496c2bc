package conformance

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// TestRouteNamesTheProxyAsTheBroker: one queue after the other, each at the
// address the client asked at.
func TestRouteNamesTheProxyAsTheBroker(t *testing.T) {
	eachTransport(t, "stubs: routes and assignments", func(p peer) {
		for messageType, accepted := range map[string][]v2.MessageType{
			"NORMAL":      {v2.MessageType_NORMAL},
			"FIFO":        {v2.MessageType_FIFO},
			"DELAY":       {v2.MessageType_DELAY},
			"TRANSACTION": {v2.MessageType_TRANSACTION},
			"MIXED":       {v2.MessageType_NORMAL, v2.MessageType_FIFO, v2.MessageType_DELAY, v2.MessageType_TRANSACTION},
		} {
			if messageType == "MIXED" && p.name == "given" {
				continue // a broker allows such topics by a setting of its own only
			}
			asked := &v2.Resource{Name: p.topic(messageType), ResourceNamespace: "shop"}
			answer, err := p.QueryRoute(p.with(), &v2.QueryRouteRequest{Topic: asked, Endpoints: p.endpoints()})
			if err != nil {
				p.Fatal(err)
			}
			if answer.GetStatus().GetCode() != v2.Code_OK || len(answer.GetMessageQueues()) != 4 {
				p.Errorf("%s: %v", messageType, answer)
			}
			for i, q := range answer.GetMessageQueues() {
				want := &v2.MessageQueue{
					Topic:              asked,
					Id:                 int32(i),
					Permission:         v2.Permission_READ_WRITE,
					Broker:             &v2.Broker{Name: q.GetBroker().GetName(), Id: 0, Endpoints: p.endpoints()},
					AcceptMessageTypes: accepted,
				}
				if !proto.Equal(q, want) || q.GetBroker().GetName() == "" {
					p.Errorf("%s: queue %d is %v, want %v", messageType, i, q, want)
				}
			}
		}
	})
}

// TestAssignmentIsTheWholeBroker: pop needs no queue of its own.
func TestAssignmentIsTheWholeBroker(t *testing.T) {
	eachTransport(t, "stubs: routes and assignments", func(p peer) {
		asked := resource(p.topic("NORMAL"))
		answer, err := p.QueryAssignment(p.with(), &v2.QueryAssignmentRequest{Topic: asked, Group: resource(freshName(p.T)), Endpoints: p.endpoints()})
		if err != nil {
			p.Fatal(err)
		}
		if answer.GetStatus().GetCode() != v2.Code_OK || len(answer.GetAssignments()) != 1 {
			p.Fatalf("assignment %v", answer)
		}
		q := answer.GetAssignments()[0].GetMessageQueue()
		if !proto.Equal(q.GetTopic(), asked) || q.GetId() != -1 || q.GetPermission() != v2.Permission_READ_WRITE ||
			q.GetBroker().GetName() == "" || q.GetBroker().GetId() != 0 || !proto.Equal(q.GetBroker().GetEndpoints(), p.endpoints()) {
			p.Errorf("assigned %v", q)
		}
	})
}

// TestRouteRefuses names that are illegal and topics that are not there.
func TestRouteRefuses(t *testing.T) {
	eachTransport(t, "stubs: routes and assignments", func(p peer) {
		known := p.topic("NORMAL")
		route := func(what, topic string, want v2.Code) refusal {
			return refusal{"route of " + what, func(p peer) (*v2.Status, error) {
				answer, err := p.QueryRoute(p.with(), &v2.QueryRouteRequest{Topic: resource(topic), Endpoints: p.endpoints()})
				return answer.GetStatus(), err
			}, code(want)}
		}
		assignment := func(what, topic, group string, want v2.Code) refusal {
			return refusal{"assignment of " + what, func(p peer) (*v2.Status, error) {
				answer, err := p.QueryAssignment(p.with(), &v2.QueryAssignmentRequest{Topic: resource(topic), Group: resource(group), Endpoints: p.endpoints()})
				return answer.GetStatus(), err
			}, code(want)}
		}
		missing := v2.Code_TOPIC_NOT_FOUND
		if p.local() {
			missing = v2.Code_OK // it is made on first use
		}
		refused(p, []refusal{
			route("a blank topic", "", v2.Code_ILLEGAL_TOPIC),
			route("an illegal topic", "a/b", v2.Code_ILLEGAL_TOPIC),
			route("a long topic", strings.Repeat("t", 128), v2.Code_ILLEGAL_TOPIC),
			route("a system topic", "RMQ_SYS_TRANS_HALF_TOPIC", v2.Code_ILLEGAL_TOPIC),
			route("a system topic by its prefix", "rmq_sys_x", v2.Code_ILLEGAL_TOPIC),
			route("a topic that is not there", freshName(p.T), missing),
			assignment("a topic that is not there", freshName(p.T), "g", missing),
			assignment("an illegal topic", "a b", "g", v2.Code_ILLEGAL_TOPIC),
			assignment("a blank group", known, "", v2.Code_ILLEGAL_CONSUMER_GROUP),
			assignment("an illegal group", known, "a b", v2.Code_ILLEGAL_CONSUMER_GROUP),
			assignment("a long group", known, strings.Repeat("g", 121), v2.Code_ILLEGAL_CONSUMER_GROUP),
			assignment("a system group", known, "CID_RMQ_SYS_x", v2.Code_ILLEGAL_CONSUMER_GROUP),
		})
	})
}

// TestMethodsThatAreNotThere are told by the gRPC status, not in an answer.
func TestMethodsThatAreNotThere(t *testing.T) {
	eachTransport(t, "stubs: routes and assignments", func(p peer) {
		for _, method := range []string{
			"/apache.rocketmq.v2.MessagingService/NoSuchMethod",
			"/apache.rocketmq.v2.Admin/ChangeLogLevel",
			"/no.such.Service/Method",
		} {
			err := p.conn.Invoke(p.with(), method, &v2.HeartbeatRequest{}, &v2.HeartbeatResponse{})
			if status.Code(err) != codes.Unimplemented {
				p.Errorf("%s: %v, want %v", method, err, codes.Unimplemented)
			}
		}
	})
}

// TestDeadlineOfTheCallerEndsTheCall: a poll that outlives its caller is the
// caller's deadline, not the proxy's failure, and the proxy lives on.
func TestDeadlineOfTheCallerEndsTheCall(t *testing.T) {
	eachTransport(t, "stubs: routes and assignments", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		p.opens().settles(p.consumerSettings(v2.ClientType_SIMPLE_CONSUMER, name, group, "*"))
		ctx, cancel := context.WithCancel(p.with())
		begin := time.Now()
		time.AfterFunc(time.Second, cancel)
		_, err := p.polls(ctx, receiveRequest(name, group))
		if took := time.Since(begin); status.Code(err) != codes.Canceled || took > 2*time.Second {
			p.Errorf("canceled after 1 s: %v after %v", err, took)
		}
		p.sends(message(name)) // the connection is still good
	})
}

func millisFromNow(d time.Duration) string {
	return strconv.FormatInt(time.Now().Add(d).UnixMilli(), 10)
}
