package server_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

// A graceful end: calls in flight finish, nobody else gets in, connections end by themselves.
func TestShutdown(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.consumer("consumer-1")
		idle := w.client("idle")
		idle.queryRoute(apiv2.Code_OK, "orders")
		c.sends(apiv2.Code_OK, "orders", "apples")
		c.receives("orders")
		poll := c.polls("orders", 20*time.Second)
		eventually(t, "the poll waits", func() bool { return w.broker.Waiting() == 1 })
		release := make(chan struct{})
		w.broker.Control(codeSendV2, func(r *fakebroker.Request) (fakebroker.Response, bool) {
			go func() {
				<-release
				r.Answer(fakebroker.Response{Ext: map[string]string{"msgId": "x", "queueId": "0", "queueOffset": "1"}})
			}()
			return fakebroker.Response{Silent: true}, true
		})
		send := c.begin("SendMessage", sendRequest("elsewhere", "pears"), patience)
		eventually(t, "the send is with the broker", func() bool { return w.broker.Requests(codeSendV2) == 2 })

		ended := make(chan struct{})
		go func() {
			defer close(ended)
			shutdown(w.proxy, patience)
		}()
		c.awaitGoAway()
		idle.awaitEnd()
		eventually(t, "the port is closed", func() bool {
			conn, err := net.Dial("tcp", w.addr())
			if err == nil {
				_ = conn.Close()
			}
			return errors.Is(err, syscall.ECONNREFUSED)
		})
		if code, _ := poll.received(); code != apiv2.Code_MESSAGE_NOT_FOUND {
			t.Errorf("the poll ended with %v", code)
		}
		close(release)
		send.answers(&apiv2.SendMessageResponse{}, apiv2.Code_OK)
		c.awaitEnd()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("Shutdown does not return")
		}
	})
}

// A call that does not end in time is no reason to stay.
func TestShutdownOutOfPatience(t *testing.T) {
	w := start(t)
	c := w.client("producer-1")
	c.sends(apiv2.Code_OK, "orders", "apples")
	w.broker.Fail(codeSendV2, 1, fakebroker.Response{Silent: true})
	c.begin("SendMessage", sendRequest("orders", "pears"), patience)
	eventually(t, "the send is with the broker", func() bool { return w.broker.Requests(codeSendV2) == 2 })
	shutdown(w.proxy, 50*time.Millisecond)
	c.awaitEnd()
}

// A connection that was accepted before the end, and says hello only then, is asked to go like the
// others and keeps nobody waiting.
func TestShutdownDuringHello(t *testing.T) {
	w := start(t)
	conn, err := net.Dial("tcp", w.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	hello := append([]byte(preface), frame(frameSettings, 0, 0, nil)...)
	if _, err := conn.Write(hello[:10]); err != nil { // not enough to tell what it speaks
		t.Fatal(err)
	}
	c := w.consumer("consumer-1")
	w.broker.Fail(codeSendV2, 1, fakebroker.Response{Silent: true})
	c.begin("SendMessage", sendRequest("orders", "pears"), patience)
	eventually(t, "the send is with the broker", func() bool { return w.broker.Requests(codeSendV2) == 1 })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		shutdown(w.proxy, patience)
	}()
	c.awaitGoAway()
	if _, err := conn.Write(hello[10:]); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, conn) // to its end
	c.conn.Close()
	<-ended
}

// Connections that come while the proxy ends are refused, served or closed, whatever they are at.
func TestShutdownWhileClientsCome(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		stop := make(chan struct{})
		var comers sync.WaitGroup
		for range 8 {
			comers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					conn, err := net.Dial("tcp", w.addr())
					if err != nil {
						continue
					}
					_ = conn.SetDeadline(time.Now().Add(patience))
					over := w.over(conn)
					_, _ = over.Write(append([]byte(preface), frame(frameSettings, 0, 0, nil)...))
					_, _ = over.Read(make([]byte, 100))
					_ = conn.Close()
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		shutdown(w.proxy, 100*time.Millisecond)
		close(stop)
		comers.Wait()
	})
}
