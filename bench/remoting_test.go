package bench

import (
	"context"
	"maps"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/scenario"
	codes "rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server"
	"rocketmq-proxy/server/config"
)

// What the load says to a broker itself is what the proxy says when the load speaks to it, but for what differs
// from message to message.
func TestRemotingIsWhatTheProxySays(t *testing.T) {
	params := scenario.Default()
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: params.Topic})
	c := config.Default(config.Environment{NameServers: fake.NameServer.Addr, Host: "test", Addr: "127.0.0.1"})
	c.GRPC.ServerPort, c.Fleet.Topic, c.Limits.ConnectionsMax = 0, "", 100
	proxy, err := server.New(c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Shutdown(context.Background())

	heard := func(config load.Config) *fakebroker.Request {
		got := make(chan *fakebroker.Request, 1)
		defer fake.Brokers[0].Control(int32(codes.RequestSendMessageV2), func(r *fakebroker.Request) (fakebroker.Response, bool) {
			select {
			case got <- r:
			default:
			}
			return fakebroker.Response{}, false
		})()
		config.Conns, config.Streams, config.Rate = 1, 1, 100
		config.New = func(conn int) load.Scenario { return scenario.Named("send", params, conn, 1) }
		run, err := load.Start(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := run.Stop(); err != nil {
				t.Error(err)
			}
		}()
		select {
		case r := <-got:
			return r
		case <-time.After(10 * time.Second):
			t.Fatal("the broker heard nothing")
			return nil
		}
	}
	proxied := heard(load.Config{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(proxy.Port()))})
	params.Remoting = true
	direct := heard(load.Config{Addr: fake.Brokers[0].Addr, Remoting: true})
	if proxied.Kind != direct.Kind || proxied.Flag != direct.Flag || proxied.Version != direct.Version || string(proxied.Body) != string(direct.Body) {
		t.Errorf("through the proxy\n%+v, directly\n%+v", proxied, direct)
	}
	if a, b := alike(proxied.Ext), alike(direct.Ext); !maps.Equal(a, b) {
		t.Errorf("through the proxy\n%q, directly\n%q", a, b)
	}
}

var (
	identity  = regexp.MustCompile(`01[0-9A-F]{32}`)
	bornMilli = regexp.MustCompile(`\b\d{13}\b`)
)

// alike are ext fields without queue, message id and time of birth.
func alike(ext map[string]string) map[string]string {
	same := map[string]string{}
	for key, value := range ext {
		if key != "queueId" {
			same[key] = bornMilli.ReplaceAllString(identity.ReplaceAllString(value, "ID"), "BORN")
		}
	}
	return same
}
