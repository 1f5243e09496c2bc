package main_test

import (
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/floods"
)

// rssBackMax is how long it may take until all that attackers took is given back.
const rssBackMax = 30 * time.Second

// siegeTime is how long each attacker of TestFloods comes again and again.
const siegeTime = 300 * time.Millisecond

// TestFloods: whoever attacks is thrown out with the right code after the attack's figure, however
// often it comes again, while a neighbour is served, and leaves nothing behind.
func TestFloods(t *testing.T) {
	victim := startVictim(t)
	for _, transport := range []string{"cleartext", "TLS"} {
		secure := transport == "TLS"
		neighbour := floods.NewNeighbour(victim.addr, secure, victimCall(t))
		defer neighbour.Close()
		if _, err := neighbour.CallFor(siegeTime); err != nil {
			t.Fatal(err)
		}
		for i := range floods.All {
			a := floods.All[i]
			if a.Slow() {
				continue
			}
			a.Max = a.Within // so many must do
			t.Run(transport+"/"+a.Name, func(t *testing.T) {
				victim.forgetPeak()
				before := victim.memory("VmRSS")
				once := func() (*floods.Outcome, error) { return a.Run(dialer(victim.addr, secure), victimCall(t)) }
				outcome, plays, took, err := a.Siege(siegeTime, neighbour, once)
				if err != nil {
					t.Fatal(err)
				}
				growth := victim.memory("VmHWM") - before
				t.Logf("%v after %d pieces and %v; %d attackers, RSS %+.1f MB at its peak, a neighbour's p99 %v of %d calls",
					outcome, outcome.Pieces, outcome.After.Round(time.Microsecond), plays, mb(growth), floods.Quantile(took, 0.99), len(took))
				checkThrownOut(t, &a, outcome)
				checkGrowth(t, growth)
			})
		}
	}
	if !within(patience, func() bool { return victim.sockets() <= victim.socketsCalm+2 }) { // the neighbours'
		t.Errorf("%d sockets, %d before", victim.sockets(), victim.socketsCalm)
	}
	if !within(rssBackMax, func() bool { return victim.memory("VmRSS") <= victim.rssCalm+victim.rssCalm/10 }) {
		t.Errorf("RSS %.1f MB %v after the last attack, %.1f MB before the first", mb(victim.memory("VmRSS")), rssBackMax, mb(victim.rssCalm))
	}
	if code := victim.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestFloodsSlow: who only waits, or dribbles, is thrown out when the time is over.
func TestFloodsSlow(t *testing.T) {
	if testing.Short() {
		t.Skip("eleven seconds")
	}
	victim := startVictim(t)
	call := victimCall(t)
	var all sync.WaitGroup
	for i := range floods.All {
		a := &floods.All[i]
		if !a.Slow() {
			continue
		}
		for _, transport := range []string{"cleartext", "TLS"} {
			all.Go(func() {
				outcome, err := a.Run(dialer(victim.addr, transport == "TLS"), call)
				if err != nil {
					t.Errorf("%s, %s: %v", a.Name, transport, err)
					return
				}
				t.Logf("%s, %s: %v after %v", a.Name, transport, outcome, outcome.After.Round(time.Millisecond))
				checkThrownOut(t, a, outcome)
			})
		}
	}
	all.Wait()
	if code := victim.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func checkThrownOut(t *testing.T, a *floods.Attack, o *floods.Outcome) {
	t.Helper()
	if !a.ThrownOut(o) {
		t.Errorf("%s: %v, want a GOAWAY of %v", a.Name, o, a.Codes)
	}
	if a.By > 0 && o.After > a.By {
		t.Errorf("%s: after %v, want %v", a.Name, o.After, a.By)
	}
}

// victim is a proxy in front of a fake broker.
type victim struct {
	*process
	socketsCalm int
	rssCalm     int64
}

func startVictim(t *testing.T) *victim {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("RSS is read from /proc")
	}
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "flood"})
	p := startInFront(t, fake, map[string]any{"heartbeatSyncerTopicName": ""}) // sockets are counted
	// What any traffic costs once is not the floods': some connections, and calls, of either sort.
	for _, secure := range []bool{false, true} {
		settle(idleCrowd(t, p.addr, secure, 200))
		honest := dialHonest(p.addr, secure)
		for range 1000 {
			honest.queryRoute(t)
			honest.sendMessage(t)
		}
		honest.close()
	}
	return &victim{process: p, socketsCalm: p.sockets(), rssCalm: p.memory("VmRSS")}
}

func victimCall(tb testing.TB) floods.Call {
	tb.Helper()
	request, err := proto.Marshal(&apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "flood"}})
	if err != nil {
		tb.Fatal(err)
	}
	return floods.Call{Path: servicePath + "QueryRoute", Request: request}
}

func dialer(addr string, secure bool) func() (net.Conn, error) {
	return func() (net.Conn, error) { return dial(addr, secure) }
}
