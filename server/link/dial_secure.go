package link

import (
	"crypto/tls"
	"net"
	"time"

	"rocketmq-proxy/server/turn"
)

// DialTLS is [Dial] over TLS. The timeout is for the handshake too.
func DialTLS(addr string, timeout time.Duration, t *turn.Turn, m Machine, limits Limits, config *tls.Config) (*Link, error) {
	configurePollers()
	deadline := time.Now().Add(timeout)
	conn, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	_ = tcp.SetDeadline(deadline)
	s, err := handshake(tcp, nil, func(wire net.Conn) *tls.Conn { return tls.Client(wire, named(config, addr)) })
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	l := newLink(t, m, &limits, Ends{LocalAddr: tcp.LocalAddr().String(), RemoteAddr: addr})
	l.secure = s
	err = carry(l, tcp, func() {
		s.detach(nil)
		t.Post(l) // crypto/tls may hold what the server said behind the handshake
	})
	_ = tcp.Close()
	if err != nil {
		return nil, err
	}
	return l, nil
}

// named is config for one server: crypto/tls resumes sessions by its name.
func named(config *tls.Config, addr string) *tls.Config {
	own := config.Clone()
	own.ServerName, _, _ = net.SplitHostPort(addr)
	return own
}
