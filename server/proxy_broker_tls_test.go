package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

// secretWorld is a proxy in front of a name server and a broker that speak TLS and ask for certificates.
func secretWorld(t *testing.T, server *tls.Config, change ...func(*config.Config)) *world {
	t.Helper()
	t.Cleanup(func() { eventually(t, "all buffers released", func() bool { return pool.Live() == 0 }) })
	fake := fakebroker.Start(t, fakebroker.WithTLS(server))
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := &world{TB: t, fake: fake, broker: fake.Brokers[0], over: func(c net.Conn) net.Conn { return c }}
	change = append([]func(*config.Config){impatient, func(c *config.Config) { c.TLS.ToBrokers = true }}, change...)
	w.proxy, w.log = startProxy(t, fake.NameServer.Addr, change...)
	return w
}

// TestBrokersOverTLS: calls, long polls and what brokers ask go over TLS, and a broker that goes away
// is found again.
func TestBrokersOverTLS(t *testing.T) {
	broker, proxy := newIdentity(t, "broker"), newIdentity(t, "proxy")
	theirs, ours := newCertificateFiles(t, broker), newCertificateFiles(t, proxy)
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(proxy.cert)
	w := secretWorld(t, &tls.Config{Certificates: []tls.Certificate{broker.pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known},
		func(c *config.Config) {
			c.TLS.AuthServer, c.TLS.ClientTrustPath = true, theirs.cert
			c.TLS.ClientCertPath, c.TLS.ClientKeyPath = ours.cert, ours.key
		})
	c := w.consumer("consumer-1")
	c.sends(apiv2.Code_OK, "orders", "apples")
	if code, got := c.polls("orders", patience).received(); code != apiv2.Code_OK || len(got) != 1 || string(got[0].GetBody()) != "apples" {
		t.Errorf("received %v %v", code, got)
	}
	for range 3 {
		w.broker.CloseConnections()
		c.sendsInTheEnd("orders", "pears")
	}
}

// TestBrokersThatAreNotTrusted: who cannot show a certificate of an authority that is trusted gets no
// call; without tlsClientAuthServer anybody does.
func TestBrokersThatAreNotTrusted(t *testing.T) {
	stranger := newIdentity(t, "stranger")
	files := newCertificateFiles(t, newIdentity(t, "broker"))
	server := &tls.Config{Certificates: []tls.Certificate{stranger.pair}}

	w := secretWorld(t, server, func(c *config.Config) { c.TLS.AuthServer, c.TLS.ClientTrustPath = true, files.cert })
	w.client("producer-1").sends(apiv2.Code_INTERNAL_SERVER_ERROR, "orders", "apples")
	eventually(t, "it is said why", func() bool { return strings.Contains(w.log.String(), "certificate signed by unknown authority") })
	if n := w.fake.NameServer.Requests(codeRoute); n > 0 {
		t.Errorf("%d calls", n)
	}
	secretWorld(t, server).client("producer-1").sends(apiv2.Code_OK, "orders", "apples")
}
