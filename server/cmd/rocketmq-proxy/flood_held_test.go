package main_test

import (
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
)

// heldBytesMax is inflightBytesMax of these tests; heldGrowthMax is how far the process may grow
// by it: the garbage collector lets memory in use double, and connections hold some besides.
const (
	heldBytesMax  = 32 << 20
	heldGrowthMax = 3 * heldBytesMax
)

func startSmallProxy(t *testing.T) *process {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("RSS is read from /proc")
	}
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "flood"})
	return startInFront(t, fake, map[string]any{"inflightBytesMax": heldBytesMax})
}

// held warms the proxy up, lets attack have its way and checks what it held at most, and that an
// honest client is served during the attack and after it.
func held(t *testing.T, proxy *process, secure bool, growthMax int64, attack func()) {
	t.Helper()
	honest := dialHonest(proxy.addr, secure)
	for range 300 {
		honest.queryRoute(t)
		honest.sendMessage(t)
	}
	proxy.forgetPeak()
	before := proxy.memory("VmRSS")
	attack()
	peak := proxy.memory("VmHWM")
	t.Logf("RSS %.1f MB, %+.1f MB at its peak", mb(before), mb(peak-before))
	if peak-before > growthMax {
		t.Errorf("RSS grew by %.1f MB, more than %.1f MB", mb(peak-before), mb(growthMax))
	}
	honest.queryRoute(t)
	honest.close()
}

// Clients that pour in sends and come again as soon as they are closed fill what sends in flight
// may hold, and no more.
func TestReconnectingFlood(t *testing.T) {
	for _, transport := range []string{"cleartext", "TLS"} {
		t.Run(transport, func(t *testing.T) {
			proxy := startSmallProxy(t)
			held(t, proxy, transport == "TLS", heldGrowthMax, func() {
				sent, conns := int64(0), 0
				for begun := time.Now(); time.Since(begun) < floodTime(t); conns++ {
					n, _ := pour(dialFlood(t, proxy.addr, transport == "TLS"), neverRead[len(neverRead)-1], floodTime(t))
					sent += n
				}
				t.Logf("%d connections, %.1f MB", conns, mb(sent))
			})
		})
	}
}

// Bodies that are sent by half hold requestBytesMax on one connection, and half of inflightBytesMax
// on many.
func TestHalfSentBodies(t *testing.T) {
	for name, conns := range map[string]int{"one connection": 1, "many connections": 12} {
		t.Run(name, func(t *testing.T) {
			proxy := startSmallProxy(t)
			held(t, proxy, false, heldGrowthMax, func() {
				var sent int64
				for range conns {
					conn := dialFlood(t, proxy.addr, false)
					defer conn.Close()
					sent += halves(conn)
				}
				t.Logf("%.1f MB", mb(sent))
			})
		})
	}
}

// halves sends the first MiB of 300 bodies of 4 MiB, as far as the windows allow.
func halves(conn net.Conn) (sent int64) {
	credit := make(chan int, 1<<16) // of the connection
	go func() {
		defer close(credit)
		for {
			f, err := readFrame(conn)
			if err != nil {
				return
			}
			if f.kind == frameWindowUpdate && f.stream == 0 {
				credit <- int(binary.BigEndian.Uint32(f.payload))
			}
		}
	}()
	write := func(b []byte) bool {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := conn.Write(b)
		sent += int64(n)
		return err == nil
	}
	write(hello(nil))
	window := 65535
	content := make([]byte, 16<<10)
	for stream := uint32(1); stream < 600; stream += 2 {
		head := frame(frameHeaders, flagEndHeaders, stream, headerBlock("SendMessage"))
		first := append([]byte{0, 0, 0x40, 0, 0}, content[5:]...) // a message of 4 MiB
		for i := range 60 {
			body := content
			if i == 0 {
				body = first
			}
			for window < len(body) {
				select {
				case more, open := <-credit:
					if !open {
						return sent
					}
					window += more
				case <-time.After(500 * time.Millisecond):
					return sent
				}
			}
			window -= len(body)
			if !write(append(head, frame(frameData, 0, stream, body)...)) {
				return sent
			}
			head = nil
		}
	}
	return sent
}
