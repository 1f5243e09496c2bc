package server_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/command"
)

// HTTP/1.1 on the gRPC port gets an answer that a person can read.
func TestHTTP1(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		for _, request := range []string{
			"GET / HTTP/1.1\r\nHost: proxy\r\n\r\n",
			"POST " + servicePath + "SendMessage HTTP/1.1\r\nHost: proxy\r\nContent-Length: 5\r\n\r\nhello",
			"PRINT / HTTP/1.1\r\nHost: proxy\r\n\r\n",
		} {
			conn := w.dial()
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, _ = io.WriteString(conn, request)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%.10q: %v", request, err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusHTTPVersionNotSupported || !strings.Contains(string(body), "gRPC") {
				t.Errorf("%.10q: %s %q, %v", request, response.Status, body, err)
			}
			_ = response.Body.Close()
			_ = conn.Close()
		}
		w.client("honest").queryRoute(apiv2.Code_OK, "orders")
	})
}

// A 4.x client is told in its own protocol, as the answer to its own request.
func TestRemotingFrame(t *testing.T) {
	w := start(t)
	for _, kind := range []command.SerializeType{command.JSON, command.RocketMQ} {
		conn, err := net.Dial("tcp", w.addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		const opaque = 4711
		if _, err := conn.Write(command.AppendRequest(nil, kind, 105, opaque, 0, nil, 0)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || len(answer) < command.PrefixBytes || int(binary.BigEndian.Uint32(answer)) != len(answer)-4 {
			t.Fatalf("answered %q, %v", answer, err)
		}
		headLen, _, answered, err := command.SplitFrame(answer)
		if err != nil {
			t.Fatal(err)
		}
		var head command.Head
		if err := command.ParseHead(&head, answered, answer[command.PrefixBytes:][:headLen]); err != nil {
			t.Fatal(err)
		}
		if head.Opaque != opaque || head.Code == 0 || !strings.Contains(string(head.Remark), "gRPC") {
			t.Errorf("answered %d to %d: %q", head.Code, head.Opaque, head.Remark)
		}
	}
}
