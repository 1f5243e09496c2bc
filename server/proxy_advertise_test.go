package server_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/config"
)

// TestAdvertise from the key in the file to what a client on loopback is told.
func TestAdvertise(t *testing.T) {
	dialled := &apiv2.Endpoints{Scheme: apiv2.AddressScheme_DOMAIN_NAME, Addresses: []*apiv2.Address{{Host: "outside.example", Port: 4711}}}
	for _, test := range []struct {
		key   string
		asked *apiv2.Endpoints
		want  string // OWN is the proxy's port
	}{
		{"", dialled, "DOMAIN_NAME outside.example:OWN"},
		{"", nil, "IPv4"},
		{"dialled", dialled, "DOMAIN_NAME outside.example:4711"},
		{"dialled", nil, "IPv4 127.0.0.1:OWN"},
		{"lb.example.com:443", dialled, "DOMAIN_NAME lb.example.com:443"},
		{"127.0.0.0/8=[fd00::1]:1,[fd00::2]:2; lb.example.com:443", dialled, "IPv6 fd00::1:1 fd00::2:2"},
		{"10.0.0.0/8=10.1.2.3:1; 10.1.2.4:2, 10.1.2.5:3", nil, "IPv4 10.1.2.4:2 10.1.2.5:3"},
		{"10.0.0.0/8=10.1.2.3:1", dialled, "DOMAIN_NAME outside.example:OWN"},
	} {
		w := start(t, func(c *config.Config) { c.Proxy.Advertise = test.key })
		answer := ask(w.client("both"), "QueryRoute", &apiv2.QueryRouteRequest{Topic: resource("orders"), Endpoints: test.asked},
			&apiv2.QueryRouteResponse{}, apiv2.Code_OK)
		told := answer.GetMessageQueues()[0].GetBroker().GetEndpoints()
		got := told.GetScheme().String()
		for _, a := range told.GetAddresses() {
			got += fmt.Sprint(" ", a.GetHost(), ":", a.GetPort())
		}
		if want := strings.ReplaceAll(test.want, "OWN", fmt.Sprint(w.proxy.Port())); got != want {
			t.Errorf("%q: told %s, want %s", test.key, got, want)
		}
		w.proxy.Announce(io.Discard, "proxy")
		if said := strings.Contains(w.log.String(), `"clientsAreTold":"`+test.key+`"`); said != (test.key != "") {
			t.Errorf("%q: it is said at start: %v", test.key, said)
		}
	}
}

// TestAdvertisedHostsAreInTheCertificate that is made at start.
func TestAdvertisedHostsAreInTheCertificate(t *testing.T) {
	w := start(t, func(c *config.Config) { c.Proxy.Advertise = "10.0.0.0/8=10.1.2.3:1; lb.example.com:443" })
	conn, err := net.DialTimeout("tcp", w.addr(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"10.1.2.3", "lb.example.com", "127.0.0.1"} {
		if err := client.ConnectionState().PeerCertificates[0].VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
}
