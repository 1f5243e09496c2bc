package link

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watched is an epoll that watches one end of a pipe, as netpoll's watches sockets.
func watched(t *testing.T) (readEnd, writeEnd int) {
	if runtime.GOOS != "linux" {
		t.Skip("netpoll's epoll is found in /proc")
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, fd := range []int{epoll, pipe[0], pipe[1]} {
			_ = unix.Close(fd)
		}
	})
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, pipe[0], &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil {
		t.Fatal(err)
	}
	return pipe[0], pipe[1]
}

func strike(t *testing.T, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, []byte{1}); err != nil {
		t.Error(err)
	}
}

// TestRestEndsWhenThereIsSomethingToRead, whether that comes before or while the poller rests.
func TestRestEndsWhenThereIsSomethingToRead(t *testing.T) {
	in, out := watched(t)
	r, err := newRest(in)
	if err != nil {
		t.Fatal(err)
	}
	if !r.take() || !r.quiet {
		t.Fatal("the first time it only looks")
	}
	go strike(t, out)
	for !readable(uintptr(r.epoll)) {
		if !r.take() { // a rest that finds nothing ends after restMax
			t.Fatal("it goes on resting")
		}
	}
	begun := time.Now()
	for r.take() {
	}
	if r.file != nil {
		t.Error("the runtime still watches the epoll of a busy poller")
	}
	if time.Since(begun) > restMax {
		t.Error("it rested although there was something to read")
	}
}

// TestRestIsBounded: what netpoll has put off, the end of a connection, waits for no event.
func TestRestIsBounded(t *testing.T) {
	in, _ := watched(t)
	r, err := newRest(in)
	if err != nil {
		t.Fatal(err)
	}
	r.take()
	begun := time.Now()
	if !r.take() {
		t.Error("a long rest is worth it")
	}
	if took := time.Since(begun); took < restMax || took > restMax+patience {
		t.Errorf("it took %v", took)
	}
	_ = r.file.Close()
}

func TestRestFindsItsEpoll(t *testing.T) {
	info := []byte("pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1\ntfd:        7 events:       19 data:  1  pos:0 ino:1 sdev:8\ntfd:       17 events: 19\n")
	for fd, want := range map[int]bool{7: true, 17: true, 1: false, 19: false} {
		if watches(info, fd) != want {
			t.Errorf("watches %d: %v", fd, !want)
		}
	}
	if _, err := newRest(1 << 20); err == nil {
		t.Error("found an epoll for a descriptor that is none")
	}
}
