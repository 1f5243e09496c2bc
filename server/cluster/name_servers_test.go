package cluster_test

import (
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

// told is what the cluster has reported so far; connections come and go.
func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.reports), func(event string) bool { return event == "connection lost" })
}

// tells waits until the cluster has reported just this.
func (w *world) tells(want ...string) {
	w.Helper()
	w.eventually("the reports are as expected", func() bool { return len(w.told()) >= len(want) })
	if got := w.told(); !slices.Equal(got, want) {
		w.Fatalf("reported %q, want %q", got, want)
	}
}

// TestNameServersAreWatched: nobody asks for anything, and yet it is told, once each time, when no
// name server answers and when one does again.
func TestNameServersAreWatched(t *testing.T) {
	fake := fakebroker.Start(t)
	probes := counted(fake, cluster.Defaults().ClusterName, nil)
	fake.NameServer.Stop()
	w := newWorld(t, fake)
	w.Watch()
	w.tells("no name server answers")
	fake.NameServer.Restart()
	w.tells("no name server answers", "a name server answers")
	asked := probes.Load()
	if w.topic("orders").Exists || probes.Load() != asked {
		t.Errorf("%d probes although a name server answers", probes.Load()-asked)
	}
	fake.NameServer.Stop()
	for range 3 { // the first failure begins the probes, the others add nothing
		w.Topic([]byte("orders"), time.Now())
		w.Watch()
	}
	w.tells("no name server answers", "a name server answers", "no name server answers")
	fake.NameServer.Restart()
	w.tells("no name server answers", "a name server answers", "no name server answers", "a name server answers")
}

// TestNameServersThatAnswerAreNotNews: at start nothing is told, nor when one of two is down.
func TestNameServersThatAnswerAreNotNews(t *testing.T) {
	fake := fakebroker.Start(t)
	w := newWorld(t, fake)
	w.Watch()
	w.topic("orders")
	w.tells()
	down := fakebroker.Start(t)
	down.NameServer.Stop()
	w = newWorld(t, fakebroker.Start(t), func(c *cluster.Config) { c.NameServers = append(c.NameServers, down.NameServer.Addr) })
	for range 10 { // until the choice has fallen on the one that is down, if it does
		w.Watch()
	}
	w.topic("orders")
	if w.reported("no name server answers") {
		t.Errorf("reported %q", w.told())
	}
}

// TestGroupsAskNothingOfTheClusterTopic: it only tells where the brokers are.
func TestGroupsAskNothingOfTheClusterTopic(t *testing.T) {
	fake := fakebroker.Start(t)
	w := newWorld(t, fake)
	w.group("readers")
	w.tells()
}

// TestNameServersChange while it runs: none at first, then one, then another; an empty list is none.
func TestNameServersChange(t *testing.T) {
	one, other := fakebroker.Start(t), fakebroker.Start(t)
	one.SetTopic(fakebroker.Topic{Name: "orders"})
	other.SetTopic(fakebroker.Topic{Name: "others"})
	w := newWorld(t, one, func(c *cluster.Config) { c.NameServers = nil })
	w.Watch()
	w.tells("no name server answers")
	w.UpdateNameServers([]string{one.NameServer.Addr})
	w.tells("no name server answers", "a name server answers")
	if !w.topic("orders").Exists {
		t.Error("the first one does not know orders")
	}
	w.UpdateNameServers([]string{other.NameServer.Addr})
	w.UpdateNameServers(nil)
	if !w.topic("others").Exists {
		t.Error("the second one does not know others")
	}
}

// TestNameServersThatRefuse to say where a topic is do answer: only that topic is without a route.
func TestNameServersThatRefuse(t *testing.T) {
	fake, down := fakebroker.Start(t), fakebroker.Start(t)
	down.NameServer.Stop()
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	fake.NameServer.Control(105, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		return fakebroker.Response{Code: 2, Remark: "not now"}, r.Ext["topic"] == "refused"
	})
	w := newWorld(t, fake, func(c *cluster.Config) { c.NameServers = append(c.NameServers, down.NameServer.Addr) })
	for range 4 { // whichever is asked first
		op := &backend.FetchTopic{Name: []byte("refused")}
		w.wait(w.start(&op.Exchange, func(now time.Time) { w.FetchTopic(op, now) }))
		if op.Fault != (backend.Fault{Kind: backend.Busy, Text: "not now"}) {
			t.Errorf("%+v", op.Fault)
		}
	}
	if !w.topic("orders").Exists || w.reported("no name server answers") || !w.reported("route failed") {
		t.Errorf("reported %q", w.told())
	}
}
