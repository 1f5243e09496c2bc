package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Addrs is the list of Addr: host:port each, in their order, blanks dropped.
func (n NameServer) Addrs() []string {
	var addrs []string
	for a := range strings.SplitSeq(n.Addr, ";") {
		if a = strings.TrimSpace(a); a != "" {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// Validate reports every fault at once; nil when there is none.
func (c *Config) Validate() Faults {
	var faults Faults
	for i := range keys {
		if f := keys[i].fault(c); f != nil {
			faults = append(faults, f)
		}
	}
	blame := func(key, problem string, args ...any) {
		faults = append(faults, &Fault{Key: key, Origin: c.origins[key], Problem: fmt.Sprintf(problem, args...)})
	}
	c.validateNameServer(blame)
	c.validateAddrs(blame)
	if _, err := c.Message.Delays(); err != nil {
		blame("messageDelayLevel", "%v", err)
	}
	c.validateTLS(blame)
	c.validateLocal(blame)
	for _, o := range c.orders() {
		if o.low > o.high {
			blame(o.lowKey, "is %v, expected at most %v, the value of %s", o.low, o.high, o.highKey)
		}
	}
	return faults
}

type blame func(key, problem string, args ...any)

func (c *Config) validateNameServer(blame blame) {
	if c.Proxy.Mode != ModeCluster {
		return
	}
	addrs := c.NameServer.Addrs()
	switch {
	case len(addrs) > 0 || c.NameServer.Domain != "":
	default:
		blame("namesrvAddr", "is not set, and cluster mode needs a name server: give it with -n host:9876, "+
			"with NAMESRV_ADDR=host:9876 in the environment or as \"namesrvAddr\" in rmq-proxy.json; separate several with ';'. "+
			"Without a cluster, -pm local or \"proxyMode\": \"local\" runs a broker inside")
	}
	if d := c.NameServer.Domain; d != "" && !isHost(strings.Trim(d, "[]")) && checkHostPort(d, 1) != nil {
		blame("namesrvDomain", "is %q, expected the host, or host:port, of an HTTP server", d)
	}
	if s := c.NameServer.DomainSubgroup; url.PathEscape(s) != s {
		blame("namesrvDomainSubgroup", "is %q, expected one part of a path, as nsaddr", s)
	}
	for _, a := range addrs {
		if host, port, bare := bareIPv6(a); bare {
			a = net.JoinHostPort(host, port)
		}
		if err := checkHostPort(a, 1); err != nil {
			blame("namesrvAddr", "has %q, which %v", a, err)
		}
	}
}

// checkHostPort wants host:port, with a port of at least portMin.
func checkHostPort(addr string, portMin int) error {
	if strings.Contains(addr, ",") {
		return fmt.Errorf("has a ','; separate addresses with ';'")
	}
	if strings.Contains(addr, "://") {
		return fmt.Errorf("has a scheme; expected host:port alone")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || strings.ContainsAny(host, " \t/") {
		return fmt.Errorf("is not host:port")
	}
	if n, err := strconv.Atoi(port); err != nil || n < portMin || n > 65535 {
		return fmt.Errorf("has the port %q; expected a number from %d to 65535", port, portMin)
	}
	return nil
}

// bareIPv6 takes an IPv6 address without brackets and its port apart, as the Java proxy does.
func bareIPv6(addr string) (host, port string, bare bool) {
	at := strings.LastIndexByte(addr, ':')
	if at < 0 {
		return "", "", false
	}
	ip, err := netip.ParseAddr(addr[:at])
	return addr[:at], addr[at+1:], err == nil && ip.Is6()
}

// SplitHostPort takes apart an address that Validate let pass; a port of -1 says that it is none.
func SplitHostPort(addr string) (host string, port int) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, -1
	}
	port, err = strconv.Atoi(digits)
	if err != nil {
		return host, -1
	}
	return host, port
}

func (c *Config) validateAddrs(blame blame) {
	if strings.TrimSpace(c.Proxy.ClusterName) == "" {
		blame("rocketMQClusterName", "is blank, expected the name of the brokers' cluster")
	}
	if a := c.Proxy.LocalAddr; !isHost(a) {
		blame("localServeAddr", "is %q, expected a host name or an IP address without a port", a)
	}
	if _, err := c.Proxy.Advertised(); err != nil {
		blame("advertise", "%v", err)
	}
	_, faults := c.GRPC.TrustedRelays()
	for _, err := range faults {
		blame("proxyProtocolTrusted", "%v", err)
	}
	if a := c.Operator.AdminAddr; a != "" {
		if err := checkHostPort(a, 0); err != nil {
			blame("adminListenAddr", "is %q, which %v; an example is 127.0.0.1:8082", a, err)
		} else if !isLoopback(a) {
			blame("adminListenAddr", "is %q, expected a loopback address such as 127.0.0.1:8082: the port has no password", a)
		}
	}
	if c.Client.MetricMode == "on" {
		if err := checkHostPort(c.Client.MetricAddr, 1); err != nil {
			blame("metricCollectorAddress", "is %q, which %v; metricCollectorMode is on", c.Client.MetricAddr, err)
		}
	}
}

func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return s != "" && !strings.ContainsAny(s, ":/ \t;,")
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (c *Config) validateTLS(blame blame) {
	if (c.TLS.ClientCertPath == "") != (c.TLS.ClientKeyPath == "") {
		blame("tlsClientKeyPath", "goes with tlsClientCertPath, and one of them is blank: give the PEM files of both, or of neither")
	}
	if c.TLS.Mode == TLSDisabled {
		return
	}
	if c.TLS.ClientAuth != ClientAuthNone && c.TLS.TrustPath == "" {
		blame("tlsServerTrustCertPath", "is blank, and tlsServerNeedClientAuth is %s: give the PEM file of those who issue clients their certificates", c.TLS.ClientAuth)
	}
	if c.TLS.TestMode {
		return
	}
	if c.TLS.CertPath == "" {
		blame("tlsCertPath", "is blank, and tlsTestModeEnable is false: give the PEM file of the certificate")
	}
	if c.TLS.KeyPath == "" {
		blame("tlsKeyPath", "is blank, and tlsTestModeEnable is false: give the PEM file of the private key")
	}
}

// order is two keys of which the first must not be above the second.
type order struct {
	lowKey  string
	low     time.Duration
	highKey string
	high    time.Duration
}

func (c *Config) orders() []order {
	return []order{
		{"grpcClientProducerBackoffInitialMillis", c.Client.BackoffInitial, "grpcClientProducerBackoffMaxMillis", c.Client.BackoffMax},
		{"grpcClientConsumerMinLongPollingTimeoutMillis", c.Client.PollTimeoutMin, "grpcClientConsumerMaxLongPollingTimeoutMillis", c.Client.PollTimeoutMax},
		{"minInvisibleTimeMillsForRecv", c.Receive.InvisibleMin, "maxInvisibleTimeMills", c.Receive.InvisibleMax},
		{"defaultInvisibleTimeMills", c.Receive.InvisibleDefault, "maxInvisibleTimeMills", c.Receive.InvisibleMax},
		{"topicRouteServiceCacheRefreshSeconds", c.Cache.RouteRefresh, "topicRouteServiceCacheExpiredSeconds", c.Cache.RouteExpiry},
		{"topicConfigCacheRefreshSeconds", c.Cache.TopicRefresh, "topicConfigCacheExpiredSeconds", c.Cache.TopicExpiry},
		{"subscriptionGroupConfigCacheRefreshSeconds", c.Cache.GroupRefresh, "subscriptionGroupConfigCacheExpiredSeconds", c.Cache.GroupExpiry},
	}
}
