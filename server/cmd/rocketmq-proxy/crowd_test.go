package main_test

import (
	"cmp"
	"flag"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
)

// crowdFor makes TestCrowd look at the idle proxy for longer, with the settings of production, also
// over TLS and in Local mode.
var crowdFor = flag.Duration("crowd", 0, "how long TestCrowd looks at each idle proxy; 0: 10 s at one, whose renewals are due after 5 s instead of 50 s")

// What a thousand consumers may cost whose polls wait.
const (
	crowdTopic     = "flood" // where honest clients send
	fleetTopic     = "DefaultHeartBeatSyncerTopic"
	crowdGroups    = 100
	crowdMembers   = 10   // of each group
	crowdCPUMax    = 0.03 // of a core, on a machine that does nothing else
	crowdBytesMax  = 150 << 20
	crowdUnevenMax = 2 // renewals of the busiest second, in averages
)

// TestCrowd: a thousand push consumers in a hundred groups, each on a connection of its own, each
// with a message that it works on, a poll that waits and a heartbeat every ten seconds.
func TestCrowd(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("RSS and processor time are read from /proc")
	}
	if testing.Short() {
		t.Skip("a quarter of a minute")
	}
	t.Run("cleartext", func(t *testing.T) { crowdInFrontOfCluster(t, false) })
	if *crowdFor == 0 {
		return
	}
	t.Run("TLS", func(t *testing.T) { crowdInFrontOfCluster(t, true) })
	t.Run("Local mode", func(t *testing.T) {
		keys := map[string]any{"proxyMode": "local", "grpcServerPort": 0, "localServeAddr": "127.0.0.1"}
		proxy := startProxy(t, keys, "-store", filepath.Join(t.TempDir(), "store"))
		gather(t, proxy, false)
	})
}

func crowdInFrontOfCluster(t *testing.T, secure bool) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	keys := map[string]any{}
	if *crowdFor == 0 {
		keys["defaultInvisibleTimeMills"] = 15_000
	}
	renewals, beats := &timeline{}, &timeline{}
	broker := fake.Brokers[0]
	broker.Control(200053, func(*fakebroker.Request) (fakebroker.Response, bool) {
		renewals.mark()
		return fakebroker.Response{}, false
	})
	broker.Control(310, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		if r.Ext["b"] == fleetTopic {
			beats.mark()
		}
		return fakebroker.Response{}, false
	})
	proxy := startInFront(t, fake, keys)
	leave := gather(t, proxy, secure)
	beats.forget() // what was said when they came

	const members = crowdGroups * crowdMembers
	renewals.spread(t, "renewals", members)
	beats.spread(t, "announcements", members/4)
	leave()
	if code := proxy.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// gather brings the crowd together and looks at what it costs. It goes away at the end of the test
// or before.
func gather(t *testing.T, proxy *process, secure bool) (leave func()) {
	producer := dialHonest(proxy.addr, secure)
	for range crowdMembers { // every group receives all of them
		producer.sendMessage(t)
	}
	producer.close()
	c := joinCrowd(t, proxy.addr, secure)
	leave = sync.OnceFunc(c.leave)
	t.Cleanup(leave)

	begun, before := time.Now(), proxy.processorTime()
	time.Sleep(cmp.Or(*crowdFor, 10*time.Second)) // what is measured is the time in which nothing happens
	load := (proxy.processorTime() - before).Seconds() / time.Since(begun).Seconds()
	resident := proxy.memory("VmRSS")
	t.Logf("%d consumers in %d groups: %.2f %% of a core, RSS %.1f MB, at its peak %.1f MB",
		crowdGroups*crowdMembers, crowdGroups, 100*load, mb(resident), mb(proxy.memory("VmHWM")))
	loadMax := crowdCPUMax
	if *crowdFor == 0 {
		loadMax *= 3 // the renewals are in it, and other tests run beside it
	}
	if load > loadMax {
		t.Errorf("%.2f %% of a core, more than %.0f %%", 100*load, 100*loadMax)
	}
	if resident > crowdBytesMax {
		t.Errorf("RSS %.1f MB, more than %d MB", mb(resident), crowdBytesMax>>20)
	}
	return leave
}

// timeline is when something happened.
type timeline struct {
	mu    sync.Mutex
	times []time.Time
}

func (l *timeline) mark() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, time.Now())
}

func (l *timeline) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = nil
}

func (l *timeline) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.times)
}

// spread waits for n events, and checks that they are spread evenly from the first to the last.
func (l *timeline) spread(t *testing.T, what string, n int) {
	t.Helper()
	if !within(patience, func() bool { return l.len() >= n }) {
		t.Fatalf("%d %s, want %d", l.len(), what, n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.times[0]
	var counts []int
	for _, at := range l.times[:n] {
		second := int(at.Sub(first) / time.Second)
		for len(counts) <= second {
			counts = append(counts, 0)
		}
		counts[second]++
	}
	most, average := slices.Max(counts), float64(n)/max(1, l.times[n-1].Sub(first).Seconds())
	t.Logf("%s in each second: %v, %.1f times the average at most", what, counts, float64(most)/average)
	if float64(most) > crowdUnevenMax*average {
		t.Errorf("%d %s in one second, %.1f on the average", most, what, average)
	}
}
