package config

import (
	"cmp"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// Environment is what the configuration takes from the machine and its variables.
type Environment struct {
	NameServers string // $NAMESRV_ADDR
	Home        string // $RMQ_PROXY_HOME, else $ROCKETMQ_HOME, else ".", as the Java proxy looks
	Data        string // where Local mode keeps messages; empty: store in Home
	Host        string // the host's name
	Addr        string // the address of this machine as others know it
}

// FromOS is the environment of this process.
func FromOS() Environment {
	env := Environment{NameServers: os.Getenv("NAMESRV_ADDR"), Home: ".", Data: dataDir(), Addr: localAddr(interfaceAddrs())}
	for _, name := range []string{"RMQ_PROXY_HOME", "ROCKETMQ_HOME"} {
		if home := os.Getenv(name); home != "" {
			env.Home = home
			break
		}
	}
	if host, err := os.Hostname(); err == nil {
		env.Host = host
	}
	return env
}

// DefaultPath is where rmq-proxy.json is looked for when no flag names another.
func (e Environment) DefaultPath() string { return filepath.Join(e.Home, "conf", "rmq-proxy.json") }

// interfaceAddrs are the addresses of the interfaces that are up, in the order of the system.
func interfaceAddrs() (all []net.Addr) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		if addrs, err := i.Addrs(); err == nil {
			all = append(all, addrs...)
		}
	}
	return all
}

// localAddr is the first IPv4 address that another machine could dial, else the first such IPv6
// address, else loopback.
func localAddr(addrs []net.Addr) string {
	first := ""
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		// Private addresses count: a proxy is mostly dialled from its own network.
		switch ip := prefix.Addr().Unmap(); {
		case !ip.IsGlobalUnicast():
		case ip.Is4():
			return ip.String()
		case first == "":
			first = ip.String()
		}
	}
	return cmp.Or(first, "127.0.0.1")
}

// Default is the configuration of an empty file. The values are the Java proxy's 5.5.0 unless
// the field's comment says otherwise.
func Default(env Environment) Config {
	c := Config{
		Proxy: Proxy{
			ClusterName: "DefaultCluster", Name: env.Host, Mode: ModeCluster, LocalAddr: env.Addr,
			BrokerConfigPath: filepath.Join(env.Home, "conf", "broker.conf"),
		},
		GRPC: GRPC{
			ServerPort: 8081, ShutdownTime: seconds(30), StreamsMax: 1000, MessageBytesMax: 130 << 20, IdleTime: seconds(120),
			KeepAliveInterval: seconds(12), KeepAliveTimeout: seconds(3), ConnectionAgeGrace: seconds(30),
		},
		TLS: TLS{
			Mode: TLSPermissive, TestMode: true, ClientAuth: ClientAuthNone, WatchEvery: milliseconds(500),
			KeyPath:  filepath.Join(env.Home, "conf", "tls", "rocketmq.key"),
			CertPath: filepath.Join(env.Home, "conf", "tls", "rocketmq.crt"),
		},
		Broker: Broker{
			ConnectTimeout: seconds(3), CallTimeout: seconds(2), RouteTimeout: seconds(3),
			DetectTimeout: milliseconds(200), DetectEvery: seconds(2),
		},
		Message: Message{
			BodyBytesMax: 4 << 20, BodyEmptyCheck: true, PropertiesBytesMax: 16 << 10, PropertiesMax: 128, GroupBytesMax: 64, LiteTopicBytesMax: 64,
			DelayMax: 24 * time.Hour, DelayLevels: delayLevelsDefault, RecoveryMax: time.Hour, TypeCheck: true,
		},
		Client: Client{
			AttemptsMax: 3, BackoffInitial: milliseconds(10), BackoffMax: seconds(1), BackoffMultiplier: 2,
			PollTimeoutMin: seconds(5), PollTimeoutMax: seconds(20), PollBatchMax: 32, RelayTimeout: seconds(5), MetricMode: "off",
		},
		Receive:     Receive{InvisibleDefault: seconds(60), InvisibleMin: seconds(10), InvisibleMax: 12 * time.Hour, InvisibleWhenClear: seconds(1)},
		Renew:       Renew{Enabled: true, AttemptsMax: 3, Ahead: seconds(10), TimeMax: 3 * time.Hour, Period: seconds(5)},
		Lite:        Lite{UnackedMax: 100, SyncRate: 5000},
		Transaction: Transaction{BeatPeriod: seconds(20), BeatBatch: 100, Expiry: seconds(30), PerIDMax: 15},
		Cache: Cache{
			RouteExpiry: seconds(300), RouteRefresh: seconds(20), RoutesMax: 20000,
			TopicExpiry: seconds(300), TopicRefresh: seconds(20), TopicsMax: 20000,
			GroupExpiry: seconds(300), GroupRefresh: seconds(20), GroupsMax: 20000,
		},
		Session:  Session{Expiry: seconds(120)},
		Fleet:    Fleet{Topic: "DefaultHeartBeatSyncerTopic"},
		Operator: Operator{LogLevel: "info"},
		Local:    defaultLocal(env),
		Limits: Limits{
			ConnectionsMax: 20000, HandshakesMax: 1024, HandshakeTimeout: seconds(10), WriteTimeout: seconds(20),
			HeaderListBytesMax: 16 << 10, HeaderFieldsMax: 64, ContinuationsMax: 8, HeaderBlockTimeout: seconds(5),
			RequestTimeout: seconds(30), RequestBytesMax: 32 << 20, InflightBytesMax: 256 << 20, LongPollsMax: 10000,
			InboxBytesMax: 256 << 10, ReceiveBytes: 256 << 10, WindowBytes: 1 << 20, StreamWindowBytes: 1 << 20,
			OutboxBytesMax: 1 << 20, WaitingBytesMax: 64 << 20, StallTimeout: seconds(30),
			ControlFramesMax: 1024, SettingsEntriesMax: 32, WindowUpdatesMax: 10000, WindowUpdatesPerData: 10, DribbleBytesMax: 256,
			RapidReset: "200 50/s", ProvokedReset: "100 10/s", RefusedStreams: "200 20/s", HeaderLists: "20 1/s", GzipBombs: "10 1/s",
			PingFlood: "30 3/s", SettingsFlood: "20 2/s", PriorityFlood: "1000 10/s",
			EmptyData: "100 10/s", DataDribble: "1000 100/s", UnknownFlood: "1000 100/s",
		},
	}
	if c.Proxy.Name == "" {
		c.Proxy.Name = "DEFAULT_PROXY" // the Java proxy's word for a host without a name
	}
	if env.NameServers != "" {
		c.setText("namesrvAddr", env.NameServers, "$NAMESRV_ADDR")
	}
	return c
}
