// Package floods_test holds this proxy beside others under the same floods.
package floods_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
	"rocketmq-proxy/server/conformance/proxy"
	"rocketmq-proxy/server/floods"
)

// compare runs TestCompare, which takes some minutes and prints a table; the proxy's own tests have
// the floods without the others.
var compare = flag.Bool("compare", false, "flood this proxy, grpc-go, x/net and, with Java 17 and Maven, the Java proxy, and print a table")

// siege is how long attackers come again and again: first to a sink, so that the neighbour's calm
// shares the processors with them too, and then to the victim.
const siege = time.Second

// call is QueryRoute of a topic that need not exist: its answer says so with grpc-status 0.
var call = floods.Call{Path: "/apache.rocketmq.v2.MessagingService/QueryRoute", Request: []byte("\x0a\x07\x12\x05flood")}

// victim is a server that runs.
type victim struct {
	name, addr string
	pid        int
}

// cell is what came of one attack on one victim.
type cell struct {
	attack  *floods.Attack
	outcome *floods.Outcome
	grown   int64   // bytes of RSS at its peak
	slower  float64 // a neighbour's p99 in its calm ones; 0: not looked at
}

func (c cell) String() string {
	o := c.outcome
	text := o.String()
	if o.Closed {
		if c.attack.Slow() {
			text += fmt.Sprintf(" after %.0f s", o.After.Seconds())
		} else {
			text += fmt.Sprintf(" after %d", o.Pieces)
		}
	}
	if c.slower > 0 {
		text += fmt.Sprintf("; %+.1f MB; %.1f x", float64(c.grown)/(1<<20), c.slower)
	}
	return text
}

func TestCompare(t *testing.T) {
	if !*compare {
		t.Skip("make floods runs it")
	}
	victims := start(t)
	cells := make([][]cell, len(floods.All))
	for _, v := range victims {
		t.Logf("%s ...", v.name)
		for i, c := range v.suffer(t) {
			cells[i] = append(cells[i], c)
		}
	}
	fmt.Print(table(victims, cells))
}

func table(victims []victim, cells [][]cell) string {
	var b strings.Builder
	b.WriteString("| attack |")
	for _, v := range victims {
		fmt.Fprintf(&b, " %s |", v.name)
	}
	b.WriteString("\n|---" + strings.Repeat("|---", len(victims)) + "|\n")
	for i, row := range cells {
		a := &floods.All[i]
		b.WriteString("| " + a.Name)
		if a.CVE != "" {
			b.WriteString(" (" + a.CVE + ")")
		}
		b.WriteString(" |")
		for _, c := range row {
			fmt.Fprintf(&b, " %v |", c)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (v *victim) dial() (net.Conn, error) { return net.Dial("tcp", v.addr) }

// suffer plays every attack on v: the quick ones one after the other, the slow ones together.
func (v *victim) suffer(t *testing.T) []cell {
	cells := make([]cell, len(floods.All))
	var slow sync.WaitGroup
	for i := range floods.All {
		a := &floods.All[i]
		if a.Slow() {
			slow.Go(func() {
				outcome, err := a.Run(v.dial, call)
				if err != nil {
					t.Errorf("%s: %v", v.name, err)
					outcome = new(floods.Outcome)
				}
				cells[i] = cell{attack: a, outcome: outcome}
			})
		}
	}
	slow.Wait()
	neighbour := floods.NewNeighbour(v.addr, false, call)
	defer neighbour.Close()
	if _, err := neighbour.CallFor(2 * siege); err != nil { // warm
		t.Fatalf("%s: %v", v.name, err)
	}
	for i := range floods.All {
		if a := &floods.All[i]; !a.Slow() {
			cells[i] = v.siege(t, a, neighbour)
		}
	}
	return cells
}

func (v *victim) siege(t *testing.T, a *floods.Attack, neighbour *floods.Neighbour) cell {
	_, _, before, err := a.Siege(siege, neighbour, func() (*floods.Outcome, error) { return a.Run(sink, call) })
	if err != nil {
		t.Fatalf("%s before %s: %v", v.name, a.Name, err)
	}
	rss := v.memory(t, "VmRSS")
	if err := floods.ForgetPeak(v.pid); err != nil {
		t.Fatal(err)
	}
	outcome, plays, during, err := a.Siege(siege, neighbour, func() (*floods.Outcome, error) { return a.Run(v.dial, call) })
	if err != nil {
		t.Fatalf("%s, %s: %v", v.name, a.Name, err)
	}
	p99, calmP99 := floods.Quantile(during, 0.99), floods.Quantile(before, 0.99)
	c := cell{attack: a, outcome: outcome, grown: v.memory(t, "VmHWM") - rss, slower: float64(p99) / float64(calmP99)}
	t.Logf("%s: %s: %v (%d attackers, p99 %v where it was %v)", v.name, a.Name, c, plays, p99, calmP99)
	return c
}

// sinkTime is how long a sink listens to an attacker.
const sinkTime = 20 * time.Millisecond

// sink connects to nobody, who reads for a moment and hangs up.
func sink() (net.Conn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return nil, err
	}
	far, err := listener.Accept()
	if err != nil {
		return nil, err
	}
	go func() {
		defer far.Close()
		_ = far.SetReadDeadline(time.Now().Add(sinkTime))
		_, _ = io.Copy(io.Discard, far)
	}()
	return near, nil
}

func (v *victim) memory(t *testing.T, name string) int64 {
	t.Helper()
	n, err := floods.Memory(v.pid, name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// start starts every server that can run here.
func start(t *testing.T) []victim {
	dir := t.TempDir()
	program, err := proxy.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := proxy.Make(program, dir, "ours", map[string]any{"proxyMode": "local", "storePathRootDir": filepath.Join(dir, "store")})
	if err != nil {
		t.Fatal(err)
	}
	if err := ours.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ours.Stop)
	victims := []victim{
		{"rocketmq-proxy", ours.Endpoint, ours.Pid()},
		startOther(t, dir, "grpc-go"), startOther(t, dir, "x/net"),
	}
	if missing := cluster.Missing(); missing != "" {
		t.Logf("without the Java proxy: %s is missing", missing)
		return victims
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	java, err := cluster.StartLocal(ctx, t.TempDir(), "ASYNC_FLUSH")
	t.Cleanup(java.Stop)
	if err != nil {
		t.Fatalf("%v\n%s", err, java.LogTail(50))
	}
	return append(victims, victim{"Java proxy 5.5.0", java.Endpoint, java.Process().Pid()})
}

func startOther(t *testing.T, dir, name string) victim {
	t.Helper()
	program := filepath.Join(dir, "victims")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./victims").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "-server", name)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return victim{name, strings.TrimSpace(addr), cmd.Process.Pid}
}
