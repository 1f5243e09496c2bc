package server_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server"
	"rocketmq-proxy/server/config"
)

const fleetTopic = "fleet"

// inFleet lets a proxy of a test speak with others, often.
func inFleet(c *config.Config) { c.Fleet.Topic = fleetTopic }

// through is a client of another proxy of the world.
func (w *world) through(proxy *server.Server, id string) *client {
	w.Helper()
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(proxy.Port())), patience)
	if err != nil {
		w.Fatal(err)
	}
	return greet(w, conn, id, false, 1<<30)
}

// beats tells how a heartbeat is answered.
func (c *client) beats() apiv2.Code {
	answer := &apiv2.HeartbeatResponse{}
	c.begin("Heartbeat", &apiv2.HeartbeatRequest{Group: resource(group)}, patience).answer(answer)
	return answer.GetStatus().GetCode()
}

// TestProxiesKnowEachOthersConsumers: a client whose telemetry is at one proxy calls another, until
// it says that it goes.
func TestProxiesKnowEachOthersConsumers(t *testing.T) {
	w := start(t, inFleet)
	other, _ := startProxy(t, w.fake.NameServer.Addr, inFleet)
	w.client("producer-1").sends(apiv2.Code_OK, "orders", "apples")

	here := w.client("consumer-1")
	there := w.through(other, "consumer-1")
	if code := there.beats(); code != apiv2.Code_UNRECOGNIZED_CLIENT_TYPE {
		t.Fatalf("a stranger's heartbeat: %v", code)
	}
	stream, _ := here.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
	eventually(t, "the other proxy hears of the consumer", func() bool {
		// What is said before both have found the topic is lost; a client's settings come again.
		stream.send(&apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders")}}, false)
		time.Sleep(20 * time.Millisecond)
		return there.beats() == apiv2.Code_OK
	})
	got := there.receives("orders")
	if len(got) != 1 || string(got[0].GetBody()) != "apples" {
		t.Fatalf("received %v", got)
	}
	ask(here, "AckMessage", ackRequest("orders", got...), &apiv2.AckMessageResponse{}, apiv2.Code_OK)

	ask(here, "NotifyClientTermination", &apiv2.NotifyClientTerminationRequest{Group: resource(group)}, &apiv2.NotifyClientTerminationResponse{}, apiv2.Code_OK)
	eventually(t, "the other proxy hears that it has gone", func() bool { return there.beats() == apiv2.Code_UNRECOGNIZED_CLIENT_TYPE })
}

// TestConsumersAreAnnouncedAgain: a proxy that starts later hears of them too.
func TestConsumersAreAnnouncedAgain(t *testing.T) {
	w := start(t, inFleet, func(c *config.Config) { c.Session.Expiry = 2 * time.Second })
	w.client("consumer-1").introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
	other, _ := startProxy(t, w.fake.NameServer.Addr, inFleet)
	there := w.through(other, "consumer-1")
	eventually(t, "the other proxy hears of the consumer", func() bool { return there.beats() == apiv2.Code_OK })
}

// TestFleetWithoutItsTopic: a proxy serves alone when brokers refuse it, and says so once.
func TestFleetWithoutItsTopic(t *testing.T) {
	w := start(t, inFleet, func(c *config.Config) { c.Fleet.Cluster = "NoSuchCluster" })
	eventually(t, "the operator is told", func() bool {
		return strings.Contains(w.log.String(), "serves alone") && strings.Contains(w.log.String(), "NoSuchCluster")
	})
	w.consumer("consumer-1").sends(apiv2.Code_OK, "orders", "apples")
	if n := strings.Count(w.log.String(), "serves alone"); n != 1 {
		t.Errorf("it says so %d times:\n%s", n, w.log.String())
	}
}
