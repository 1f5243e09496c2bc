// Package config reads what a proxy is to be: the Java proxy's own rmq-proxy.json, its flags,
// its environment variables and, in Local mode, a broker's broker.conf become one [Config].
//
// [Resolve] is the whole way, from the arguments of the program to a checked Config. Flags win
// over rmq-proxy.json, that wins over broker.conf and the environment, and these win over the
// defaults.
// Keys are matched without regard to case; unknown keys are noticed and ignored, as a file
// written for another version must still start; wrong values are all reported at once, each
// with its key, its line and what is expected.
//
// The package knows no part that it configures: package server hands each its share. It reads
// files and, in [FromOS], the machine; it writes nothing and logs nothing.
package config

import "time"

// Config is what a proxy is to be. The structs group keys by what they configure; each field
// names its key, and the range or the words it takes. The comments give default and unit;
// "Java:" says where the Java proxy 5.5.0 differs.
//
// Tag key is the key in rmq-proxy.json, followed by the unit of a duration there (ms, s or h).
// Tag in is the range of a number or a duration, ends included. Tag of is the list of words.
type Config struct {
	Proxy       Proxy
	NameServer  NameServer
	GRPC        GRPC
	TLS         TLS
	Broker      Broker
	Message     Message
	Client      Client
	Receive     Receive
	Renew       Renew
	Lite        Lite
	Transaction Transaction
	Cache       Cache
	Session     Session
	Fleet       Fleet
	Operator    Operator
	Limits      Limits
	Local       Local

	origins origins
}

// Mode says where messages live. The Java proxy's values CLUSTER and LOCAL are read too.
type Mode string

// The modes.
const (
	ModeCluster Mode = "cluster" // with brokers of an existing cluster
	ModeLocal   Mode = "local"   // in a broker embedded in this process
)

// Proxy is who this process is.
type Proxy struct {
	// ClusterName is the cluster of the brokers behind us. Default DefaultCluster.
	ClusterName string `key:"rocketMQClusterName"`
	// Name tells this proxy from its peers, in its log. Default: the host's name.
	Name string `key:"proxyName"`
	// Mode is where messages live. Default cluster; local when neither a file nor a flag nor a
	// variable says anything of a cluster.
	Mode Mode `key:"proxyMode" of:"cluster local"`
	// LocalAddr is the address of this machine as others know it: host name or IP without a port.
	// Default, also when blank: the first IPv4 address that is not loopback, else the first such
	// IPv6 address, else 127.0.0.1.
	LocalAddr string `key:"localServeAddr"`
	// EndpointPortFromRequest answers a route query with the port that the client dialled, which
	// is right behind a port mapping. Default false: with ServerPort.
	EndpointPortFromRequest bool `key:"useEndpointPortFromRequest"`
	// Advertise is what clients are told to dial, by their network, for proxies behind NAT, in
	// containers or behind load balancers: see [Proxy.Advertised]. Default none: what the client
	// dialled, with the port of EndpointPortFromRequest. Our own key.
	Advertise string `key:"advertise"`
	// BrokerConfigPath is the embedded broker's file in local mode. Default conf/broker.conf of
	// the home directory.
	BrokerConfigPath string `key:"brokerConfigPath"`
}

// NameServer is where routes come from.
type NameServer struct {
	// Addr is a list of host:port separated by semicolons. Default: $NAMESRV_ADDR. Where there is a
	// Domain, it is used until that has answered.
	Addr string `key:"namesrvAddr"`
	// Domain is the host, or host:port, of an HTTP server that is asked for the list again and
	// again: http://Domain:8080/rocketmq/DomainSubgroup. Default none.
	Domain string `key:"namesrvDomain"`
	// DomainSubgroup is the last part of the path asked of Domain. Default none.
	DomainSubgroup string `key:"namesrvDomainSubgroup"`
}

// GRPC is the port that clients dial.
type GRPC struct {
	// ServerPort is the TCP port for TLS and cleartext alike. Default 8081; 0 takes any free port.
	ServerPort int `key:"grpcServerPort" in:"0..65535"`
	// ShutdownTime is how long after SIGTERM the proxy is gone at the latest, and so a little more
	// than what calls in flight have to end. Default 30 s.
	ShutdownTime time.Duration `key:"grpcShutdownTimeSeconds,s" in:"0s..1h"`
	// StreamsMax is SETTINGS_MAX_CONCURRENT_STREAMS: calls at once on one connection. Default
	// 1000. Java: 2147483647, so that one connection can grow the process without bound.
	StreamsMax int `key:"grpcMaxConcurrentCallsPerConnection" in:"1..2147483647"`
	// MessageBytesMax is the largest gRPC message from a client, in bytes. Default 136314880.
	MessageBytesMax int `key:"grpcMaxInboundMessageSize" in:"1024..2147483647"`
	// IdleTime is how long a connection without calls is kept. Default 120 s.
	IdleTime time.Duration `key:"grpcClientIdleTimeMills,ms" in:"1s..8760h"`
	// KeepAliveInterval is how long a connection with calls may be silent before it is sent a PING;
	// 0: it never is. Default 12 s, as official clients say something every 10 s. Our own key; Java: 2 h, which gRPC has built in.
	KeepAliveInterval time.Duration `key:"grpcKeepAliveIntervalMillis,ms" in:"0s..8760h"`
	// KeepAliveTimeout is how long after the PING a connection is ended on which nothing came.
	// Default 3 s. Our own key; Java: 20 s, which gRPC has built in.
	KeepAliveTimeout time.Duration `key:"grpcKeepAliveTimeoutMillis,ms" in:"100ms..1h"`
	// ConnectionAgeMax is how old a connection may be before its client is asked to connect anew,
	// give or take a tenth; 0: any age. Default 0. Our own key.
	ConnectionAgeMax time.Duration `key:"grpcMaxConnectionAgeSeconds,s" in:"0s..8760h"`
	// ConnectionAgeGrace is how long calls in flight may then go on. Default 30 s. Our own key.
	ConnectionAgeGrace time.Duration `key:"grpcMaxConnectionAgeGraceSeconds,s" in:"1s..8760h"`
	// ProxyProtocolTrusted is the networks of load balancers, separated by commas, whose connections
	// may begin with a PROXY header that says who the client is: see [GRPC.TrustedRelays]. Default
	// none. Java: there is no such key, and every client may say so. Our own key.
	ProxyProtocolTrusted string `key:"proxyProtocolTrusted"`
}

// TLS is what the gRPC port shows, and asks for.
type TLS struct {
	// Mode is what is spoken: permissive, TLS and cleartext alike; enforcing, TLS only; disabled,
	// cleartext only. Default permissive. Java: the system property tls.server.mode.
	Mode TLSMode `key:"tlsServerMode" of:"disabled permissive enforcing"`
	// TestMode makes a fresh self-signed certificate at start. Default true.
	TestMode bool `key:"tlsTestModeEnable"`
	// KeyPath is a PEM file with the private key. Default conf/tls/rocketmq.key of the home directory.
	KeyPath string `key:"tlsKeyPath"`
	// KeyPassword decrypts the private key. Default none.
	KeyPassword Secret `key:"tlsKeyPassword"`
	// CertPath is a PEM file with the certificate and its chain. Default conf/tls/rocketmq.crt of
	// the home directory.
	CertPath string `key:"tlsCertPath"`
	// WatchEvery is how often the files are looked at for new ones. Default 500 ms. Java: 1 h.
	WatchEvery time.Duration `key:"tlsCertWatchIntervalMs,ms" in:"10ms..8760h"`
	// ClientAuth is whether clients are asked for a certificate: none; optional, those who have one
	// show it; require. Default none. Java: the system property tls.server.need.client.auth, which
	// its gRPC port does not look at.
	ClientAuth ClientAuth `key:"tlsServerNeedClientAuth" of:"none optional require"`
	// TrustPath is a PEM file with the certificates of those who issue clients theirs. Default none.
	// Java: the system property tls.server.trustCertPath.
	TrustPath string `key:"tlsServerTrustCertPath"`

	// ToBrokers has brokers and name servers called over TLS. Default false. Java: the system property
	// tls.enable; so for the next ones: tls.client.authServer and so on.
	ToBrokers bool `key:"tlsEnable"`
	// AuthServer has the certificates of brokers and name servers verified, but for their names. Default
	// false: any will do.
	AuthServer bool `key:"tlsClientAuthServer"`
	// ClientTrustPath is a PEM file with the certificates of those who issue brokers and name servers
	// theirs. Default: who the system trusts.
	ClientTrustPath string `key:"tlsClientTrustCertPath"`
	// ClientCertPath and ClientKeyPath are PEM files with what brokers and name servers are shown when
	// they ask. Default none.
	ClientCertPath string `key:"tlsClientCertPath"`
	ClientKeyPath  string `key:"tlsClientKeyPath"`
	// ClientKeyPassword decrypts that private key. Default none.
	ClientKeyPassword Secret `key:"tlsClientKeyPassword"`
}

// TLSMode is what the gRPC port speaks.
type TLSMode string

// The modes, with the words of RocketMQ.
const (
	TLSDisabled   TLSMode = "disabled"
	TLSPermissive TLSMode = "permissive"
	TLSEnforcing  TLSMode = "enforcing"
)

// ClientAuth is whether clients show certificates.
type ClientAuth string

// The kinds of client authentication, with the words of RocketMQ.
const (
	ClientAuthNone     ClientAuth = "none"
	ClientAuthOptional ClientAuth = "optional"
	ClientAuthRequire  ClientAuth = "require"
)

// Broker is how we call brokers and name servers.
type Broker struct {
	// ConnectTimeout bounds dialling. Default 3 s. Our own key.
	ConnectTimeout time.Duration `key:"brokerConnectTimeoutMillis,ms" in:"10ms..5m"`
	// CallTimeout bounds a call that is no long poll. Default 2 s, which the Java proxy has built in.
	CallTimeout time.Duration `key:"brokerCallTimeoutMillis,ms" in:"10ms..5m"`
	// RouteTimeout bounds a call to a name server. Default 3 s, which the Java proxy has built in.
	RouteTimeout time.Duration `key:"namesrvCallTimeoutMillis,ms" in:"10ms..5m"`
	// SendLatency leaves brokers out of the choice of a send's queue for a while that answer slowly,
	// and those that do not answer after one send. Default false: after three sends in a row
	// without an answer. Java: without it they are never left out.
	SendLatency bool `key:"sendLatencyEnable"`
	// Detect asks a broker that is left out for its silence whether it is back. Default false: one
	// send is tried every 10 s. Java: without it such a broker is not tried while another is there.
	Detect bool `key:"startDetectorEnable"`
	// DetectTimeout bounds that question. Default 200 ms.
	DetectTimeout time.Duration `key:"detectTimeout,ms" in:"1ms..5m"`
	// DetectEvery is the pause between such questions to one broker. Default 2 s.
	DetectEvery time.Duration `key:"detectInterval,ms" in:"1ms..1h"`
}
