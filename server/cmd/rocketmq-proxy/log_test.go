package main_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
)

// TestNobodyReadsTheLog: a proxy whose stdout is a pipe that is not read any more (proxy | less) serves all the
// same, however much it has to say. Whoever reads on is told how many lines are missing, and hears the last one;
// where nobody does, it ends all the same.
func TestNobodyReadsTheLog(t *testing.T) {
	for way, complaints := range map[string]int{
		"read again":       10_000, // more than may wait
		"never read again": 1_000,  // more than a pipe takes
	} {
		t.Run(way, func(t *testing.T) {
			fake := fakebroker.Start(t)
			fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
			answerTogether(fake.Brokers[0], 1)
			proxy, log := startUnheard(t, keysInFront(fake, map[string]any{
				"logLevel": "debug", "heartbeatSyncerTopicName": "", // it would be announced through the broker as well
			}))
			complain(t, proxy.addr, complaints)
			c := dialBurst(t, proxy.addr, true)
			c.write(hello(nil), c.sends(1))
			c.read(1)
			_ = c.conn.Close()
			if way == "never read again" {
				begun := time.Now()
				if code := proxy.stop(); code != 0 {
					t.Errorf("exit code %d", code)
				}
				t.Logf("gone after %v", time.Since(begun).Round(time.Millisecond))
				return
			}
			last, said := "", ""
			for signaled := false; ; {
				line, err := log.ReadString('\n')
				if err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				last = line
				if strings.Contains(line, `"message":"nobody read the log: lines were dropped"`) {
					said += line
				}
				if said != "" && !signaled {
					signaled = true
					proxy.signal(syscall.SIGTERM)
				}
			}
			if code := proxy.exit(); code != 0 || !strings.Contains(last, "rocketmq-proxy shut down") {
				t.Errorf("exit code %d, and at last it said %s", code, last)
			}
			if strings.Count(said, "\n") != 1 || !strings.Contains(said, `"level":"warn"`) || !strings.Contains(said, `"lines":`) {
				t.Errorf("of the dropped lines it said %q", said)
			}
		})
	}
}

// startUnheard starts the program and reads what it says up to its start line.
func startUnheard(t *testing.T, keys map[string]any) (*process, *bufio.Reader) {
	t.Helper()
	stdout, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{tb: t, cmd: exec.Command(proxyBinary, "-pc", writeConfig(t, keys)), exited: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout = environment(), in
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		_ = stdout.Close()
	})
	_ = stdout.SetReadDeadline(time.Now().Add(patience))
	log := bufio.NewReader(stdout)
	for {
		line, err := log.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, startLine) {
			p.readStartLine(line)
			return p, log
		}
	}
}

// complain has the proxy log n lines and more: one for the end of each connection that breaks the rules.
func complain(t *testing.T, addr string, n int) {
	t.Helper()
	wrong := append(hello(nil), frame(frameData, 0, 0, nil)...)
	var dialing sync.WaitGroup
	const dialers = 16
	for range dialers {
		dialing.Go(func() {
			for range n / dialers {
				conn, err := net.DialTimeout("tcp", addr, patience)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.SetDeadline(time.Now().Add(patience))
				_, _ = conn.Write(wrong)
				if _, err := io.Copy(io.Discard, conn); err != nil && os.IsTimeout(err) {
					t.Error("the proxy does not answer: ", err)
				}
				_ = conn.Close()
			}
		})
	}
	dialing.Wait()
}
