package server_test

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/config"
)

// TestHandshakeTimeoutInTotal: TLS, preface and first SETTINGS have handshakeTimeoutMillis together.
// TLS takes most of it here, and of what comes behind no step gets the whole time again.
func TestHandshakeTimeoutInTotal(t *testing.T) {
	if testing.Short() {
		t.Skip("three seconds")
	}
	const limit, late = 3 * time.Second, 2 * time.Second
	w := start(t, func(c *config.Config) { c.Limits.HandshakeTimeout = limit })
	for name, preface := range map[string]string{
		"nothing behind TLS": "",
		"half a preface":     preface[:20],
		"no SETTINGS":        preface,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			tcp := w.dial()
			defer tcp.Close()
			_ = tcp.SetDeadline(begun.Add(patience))
			<-time.After(late)
			conn := tls.Client(tcp, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if _, err := io.WriteString(conn, preface); err != nil {
				t.Fatal(err)
			}
			if err := conn.Handshake(); err != nil {
				t.Fatal(err)
			}
			said, _ := io.ReadAll(conn)
			took := time.Since(begun)
			if took < limit || took >= late+limit {
				t.Errorf("ended after %v", took)
			}
			if told := strings.Contains(string(said), "PrefaceTimeout: no preface"); told != (preface != "") {
				t.Errorf("told %q", said)
			}
		})
	}
}

// TestMetricsPage: what clients do is on the page.
func TestMetricsPage(t *testing.T) {
	w := start(t, openAdmin)
	w.client("honest").queryRoute(apiv2.Code_OK, "orders")
	_, _ = io.WriteString(w.dial(), "?")
	for _, want := range []string{
		"\nrmqproxy_connections_accepted_total 2\n",
		"\nrmqproxy_connections_refused_total{reason=\"other_protocol\"} 1\n",
		"\nrmqproxy_h2_streams_opened_total 1\n",
		"\nrmqproxy_h2_violation_total{kind=\"rapid_reset\"} 0\n",
		"\nrmqproxy_remoting_inflight 0\n",
	} {
		eventually(t, "the page has "+strings.TrimSpace(want), func() bool { return strings.Contains("\n"+string(w.adminPage("/metrics")), want) })
	}
}
