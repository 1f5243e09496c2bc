package conformance

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// How long the process is watched, and under how much load: CONFORMANCE_SOAK, say 10m, asks for
// the real thing. Without it a short one looks whether the watching works.
const (
	soakShort      = 20 * time.Second
	soakShortSends = 200  // a second
	soakSends      = 2000 // a second
	soakSamples    = 60
)

// What the last third of the samples may have more than the first, in the median. A leak of 64 bytes
// for each message shows in ten minutes. Tables come and go, and clients do too.
const (
	soakMemoryMore      = 48 << 20
	soakDescriptorsMore = 24
	soakGoroutinesMore  = 16
)

// soakStoreBytesMax is small, so that the oldest messages begin to go before the first third is
// over. Logs count too, and they alone are nearly 100 MB under load.
const soakStoreBytesMax = 160 << 20

// usage is what a process has at one moment.
type usage struct{ Memory, Descriptors, Goroutines int64 }

// TestLocalSoak watches the real process under a mixed load, with clients that come, go and fall.
func TestLocalSoak(t *testing.T) {
	long, sends := soakShort, soakShortSends
	if text := os.Getenv("CONFORMANCE_SOAK"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Second {
			t.Fatalf("CONFORMANCE_SOAK=%s is no duration of a second or more", text)
		}
		long, sends = d, soakSends
	} else if testing.Short() {
		t.Skip("20 s")
	}
	the.table.enter(t, "Local: soak, "+long.String(), localTarget, "raw-cleartext")
	t.Parallel()
	port, err := cluster.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	admin := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	g := ownLocal(t, map[string]any{"storeBytesMax": soakStoreBytesMax, "adminListenAddr": admin})
	m := newMixture(t, g, sends)
	stop := m.start(t)

	var samples []usage
	tick := time.NewTicker(long / soakSamples)
	defer tick.Stop()
	for begun := time.Now(); time.Since(begun) < long; {
		<-tick.C
		u, err := usageOf(g.proxy.Pid(), admin)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, u)
		if at := len(samples); at%(soakSamples/12) == 0 {
			t.Logf("%v: %d MB, %d descriptors, %d goroutines; %v", time.Since(begun).Round(time.Second), u.Memory>>20, u.Descriptors, u.Goroutines, m)
		}
	}
	stop()
	m.judge(t)
	third := len(samples) / 3
	first, last := median(samples[:third]), median(samples[len(samples)-third:])
	t.Logf("medians of the first and of the last third: %d and %d MB, %d and %d descriptors, %d and %d goroutines",
		first.Memory>>20, last.Memory>>20, first.Descriptors, last.Descriptors, first.Goroutines, last.Goroutines)
	for _, c := range []struct {
		what              string
		first, last, more int64
	}{
		{"bytes of memory", first.Memory, last.Memory, soakMemoryMore},
		{"descriptors", first.Descriptors, last.Descriptors, soakDescriptorsMore},
		{"goroutines", first.Goroutines, last.Goroutines, soakGoroutinesMore},
	} {
		if c.last > c.first+c.more {
			t.Errorf("%d %s in the first third, %d in the last: at most %d more are none lost", c.first, c.what, c.last, c.more)
		}
	}
}

func median(samples []usage) usage {
	of := func(figure func(usage) int64) int64 {
		var all []int64
		for _, u := range samples {
			all = append(all, figure(u))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return usage{
		Memory:      of(func(u usage) int64 { return u.Memory }),
		Descriptors: of(func(u usage) int64 { return u.Descriptors }),
		Goroutines:  of(func(u usage) int64 { return u.Goroutines }),
	}
}

// usageOf asks the system, and for goroutines the process's own port.
func usageOf(pid int, admin string) (u usage, err error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return u, err
	}
	u.Descriptors = int64(len(open))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return u, err
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	if u.Memory, err = strconv.ParseInt(kilobytes, 10, 64); err != nil {
		return u, fmt.Errorf("VmRSS of %s: %w", proc, err)
	}
	u.Memory <<= 10
	client := &http.Client{Timeout: callPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + admin + "/debug/counters")
	if err != nil {
		return u, err
	}
	defer answer.Body.Close()
	return u, json.NewDecoder(answer.Body).Decode(&u)
}
