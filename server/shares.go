package server

import (
	"crypto/tls"
	"math"
	"net"
	"strconv"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/cluster"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/fleet"
	"rocketmq-proxy/server/link"
	"rocketmq-proxy/server/messaging"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/tlsconf"
)

// The functions here cut each part's share out of the configuration.

func tlsConfig(c *config.Config) tlsconf.Config {
	return tlsconf.Config{
		TestMode: c.TLS.TestMode, CertPath: c.TLS.CertPath, KeyPath: c.TLS.KeyPath,
		KeyPassword: string(c.TLS.KeyPassword), Hosts: ownHosts(c),
		Clients: clientAuth[c.TLS.ClientAuth], TrustPath: c.TLS.TrustPath,
	}
}

// brokerTLS is nil when brokers and name servers are called in cleartext.
func brokerTLS(c *config.Config) (*tls.Config, error) {
	if !c.TLS.ToBrokers {
		return nil, nil //nolint:nilnil // nothing is no error
	}
	return tlsconf.Client(tlsconf.ClientConfig{
		AuthServer: c.TLS.AuthServer, TrustPath: c.TLS.ClientTrustPath,
		CertPath: c.TLS.ClientCertPath, KeyPath: c.TLS.ClientKeyPath, KeyPassword: string(c.TLS.ClientKeyPassword),
	})
}

var clientAuth = map[config.ClientAuth]tls.ClientAuthType{
	config.ClientAuthNone:     tls.NoClientCert,
	config.ClientAuthOptional: tls.VerifyClientCertIfGiven,
	config.ClientAuthRequire:  tls.RequireAndVerifyClientCert,
}

// ownHosts are the hosts that clients know this proxy by.
func ownHosts(c *config.Config) []string {
	hosts := []string{c.Proxy.LocalAddr}
	rules, _ := c.Proxy.Advertised() // Validate let it pass
	for _, rule := range rules {
		for _, addr := range rule.Addrs {
			host, _ := config.SplitHostPort(addr)
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func linkLimits(c *config.Config) link.Limits {
	return link.Limits{
		InboxBytesMax: c.Limits.InboxBytesMax, ReceiveBytes: c.Limits.ReceiveBytes, WriteTimeout: c.Limits.WriteTimeout,
		ConnectionsMax: c.Limits.ConnectionsMax, ConnectionsPerAddressMax: c.Limits.ConnectionsPerAddressMax,
		HandshakesMax: c.Limits.HandshakesMax, HandshakeTimeout: c.Limits.HandshakeTimeout,
	}
}

func h2Limits(c *config.Config) h2.Limits {
	l := &c.Limits
	return h2.Limits{
		StreamsMax:           uint32(c.GRPC.StreamsMax),
		HeaderListBytesMax:   l.HeaderListBytesMax,
		HeaderFieldsMax:      l.HeaderFieldsMax,
		ContinuationsMax:     l.ContinuationsMax,
		MessageBytesMax:      c.GRPC.MessageBytesMax,
		RequestBytesMax:      l.RequestBytesMax,
		StreamWindowBytes:    l.StreamWindowBytes,
		ConnWindowBytes:      l.WindowBytes,
		OutboxBytesMax:       l.OutboxBytesMax,
		WaitingBytesMax:      l.WaitingBytesMax,
		ControlFramesMax:     l.ControlFramesMax,
		SettingsEntriesMax:   l.SettingsEntriesMax,
		WindowUpdatesMax:     l.WindowUpdatesMax,
		WindowUpdatesPerData: l.WindowUpdatesPerData,
		DribbleBytesMax:      l.DribbleBytesMax,
		PrefaceTimeout:       l.HandshakeTimeout,
		HeaderBlockTimeout:   l.HeaderBlockTimeout,
		RequestTimeout:       l.RequestTimeout,
		StallTimeout:         l.StallTimeout,
		IdleTimeout:          c.GRPC.IdleTime,
		KeepaliveInterval:    offIfZero(c.GRPC.KeepAliveInterval),
		KeepaliveTimeout:     c.GRPC.KeepAliveTimeout,
		AgeMax:               offIfZero(c.GRPC.ConnectionAgeMax),
		AgeGrace:             c.GRPC.ConnectionAgeGrace,
		Allowances: [h2.Violations]h2.Allowance{
			h2.RapidReset:     allowance(l.RapidReset),
			h2.ProvokedReset:  allowance(l.ProvokedReset),
			h2.RefusedStreams: allowance(l.RefusedStreams),
			h2.HeaderLists:    allowance(l.HeaderLists),
			h2.GzipBombs:      allowance(l.GzipBombs),
			h2.PingFlood:      allowance(l.PingFlood),
			h2.SettingsFlood:  allowance(l.SettingsFlood),
			h2.PriorityFlood:  allowance(l.PriorityFlood),
			h2.EmptyData:      allowance(l.EmptyData),
			h2.DataDribble:    allowance(l.DataDribble),
			h2.UnknownFlood:   allowance(l.UnknownFlood),
		},
	}
}

func allowance(a config.Allowance) h2.Allowance {
	burst, interval, _ := a.Parse() // Validate let it pass
	return h2.Allowance{Burst: burst, Interval: interval}
}

// offIfZero is a duration of which a file says by 0, and h2 by less, that there is none.
func offIfZero(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func clusterConfig(c *config.Config, secret *tls.Config, counters *remoting.Counters, report func(string, string, error), changed func(error)) cluster.Config {
	share := cluster.Defaults()
	share.NameServers = remoting.ParseNameServers(c.NameServer.Addr)
	share.ClusterName = c.Proxy.ClusterName
	share.CallTimeout = c.Broker.CallTimeout
	share.MetadataTimeout = c.Broker.RouteTimeout
	share.Routes = cluster.Memory{Refresh: c.Cache.RouteRefresh, Expiry: c.Cache.RouteExpiry, Max: c.Cache.RoutesMax}
	share.Types = cluster.Memory{Refresh: c.Cache.TopicRefresh, Expiry: c.Cache.TopicExpiry, Max: c.Cache.TopicsMax}
	share.Groups = cluster.Memory{Refresh: c.Cache.GroupRefresh, Expiry: c.Cache.GroupExpiry, Max: c.Cache.GroupsMax}
	share.Faults = cluster.Faults{
		Latency: c.Broker.SendLatency, Detect: c.Broker.Detect,
		DetectTimeout: c.Broker.DetectTimeout, DetectEvery: c.Broker.DetectEvery,
	}
	share.ProducerBeat, share.ProducerBatch = c.Transaction.BeatPeriod, c.Transaction.BeatBatch
	share.TransactionExpiry, share.TransactionsPerKeyMax = c.Transaction.Expiry, c.Transaction.PerIDMax
	share.Lanes = remoting.Limits{ConnectTimeout: c.Broker.ConnectTimeout}
	share.Counters = counters
	limits := link.DefaultLimits()
	limits.InboxBytesMax = laneInboxBytesMax
	limits.WriteTimeout = c.Limits.WriteTimeout
	share.Dial = dial(limits, secret)
	share.Report, share.NameServersChanged = report, changed
	return share
}

// laneInboxBytesMax is for answers of brokers, which are trusted with more than clients: poll
// answers of many MiB must not hold up the poller, nor the clients on it.
const laneInboxBytesMax = 8 << 20

func messagingConfig(c *config.Config, port int) messaging.Config {
	var levels []time.Duration
	if c.Message.ByLevel {
		levels, _ = c.Message.Delays() // Validate let it pass
	}
	return messaging.Config{
		BodyBytesMax: c.Message.BodyBytesMax, BodyEmptyCheck: c.Message.BodyEmptyCheck,
		PropertiesBytesMax: c.Message.PropertiesBytesMax, PropertiesMax: c.Message.PropertiesMax,
		GroupBytesMax: c.Message.GroupBytesMax, LiteTopicBytesMax: c.Message.LiteTopicBytesMax,
		LiteUnackedMax: c.Lite.UnackedMax, LiteSyncRate: c.Lite.SyncRate,
		DelayMax: c.Message.DelayMax, DelayLevels: levels, RecoveryMax: c.Message.RecoveryMax, TypeCheck: c.Message.TypeCheck,
		PollMin: c.Client.PollTimeoutMin, PollMax: c.Client.PollTimeoutMax,
		InvisibleDefault: c.Receive.InvisibleDefault, InvisibleMin: c.Receive.InvisibleMin,
		InvisibleMax: c.Receive.InvisibleMax, InvisibleWhenClear: c.Receive.InvisibleWhenClear,
		AutoRenew: c.Renew.Enabled, Renew: renewPolicy(c), CallTimeout: c.Broker.CallTimeout, RelayTimeout: c.Client.RelayTimeout,
		InflightBytesMax: c.Limits.InflightBytesMax / 2, LongPollsMax: c.Limits.LongPollsMax,
		ServerPort: port, EndpointPortFromRequest: c.Proxy.EndpointPortFromRequest, Advertised: advertised(c, port),
		Policy: policy(c),
	}
}

func renewPolicy(c *config.Config) session.RenewPolicy {
	return session.RenewPolicy{
		AttemptsMax: c.Renew.AttemptsMax, Ahead: c.Renew.Ahead, TimeMax: c.Renew.TimeMax, Period: c.Renew.Period,
		WhenClear: c.Receive.InvisibleWhenClear, CallTimeout: c.Broker.CallTimeout, Expiry: c.Session.Expiry,
		LostAfter: lostAfter,
	}
}

// lostAfter is how long a client may be silent whose telemetry stream broke. Those that live are
// heard of within it: they poll again at once, and open another stream after a second, some
// after five.
const lostAfter = 6 * time.Second

func fleetConfig(c *config.Config, port int, brokers *cluster.Cluster, report func(string, string, error)) fleet.Config {
	home := c.Fleet.Cluster
	if home == "" {
		home = c.Proxy.ClusterName
	}
	number := strconv.Itoa(port)
	return fleet.Config{
		Topic: c.Fleet.Topic, Group: "CID_" + c.Fleet.Topic,
		Self: c.Proxy.LocalAddr + "%0%" + number, // the Java proxy puts its Remoting port between
		Addr: c.Proxy.LocalAddr, Listen: net.JoinHostPort(c.Proxy.LocalAddr, number),
		Every: c.Session.Expiry / 4, LookEvery: 30 * time.Second, Poll: 15 * time.Second, PauseMax: 30 * time.Second,
		CallTimeout: c.Broker.RouteTimeout,
		Create:      func(topic string, done func(error)) { brokers.CreateTopic(topic, home, 1, done) },
		Report:      report,
	}
}

func policy(c *config.Config) session.Policy {
	p := session.Policy{
		ProducerAttemptsMax:       int32(c.Client.AttemptsMax),
		ProducerBackoffInitial:    c.Client.BackoffInitial,
		ProducerBackoffMax:        c.Client.BackoffMax,
		ProducerBackoffMultiplier: float32(c.Client.BackoffMultiplier),
		ValidateMessageType:       c.Message.TypeCheck,
		BodyBytesMax:              int32(c.Message.BodyBytesMax),
		ReceiveBatchSize:          int32(c.Client.PollBatchMax),
		PollTimeout:               c.Client.PollTimeoutMax,
		LiteTopicBytes:            int32(c.Message.LiteTopicBytesMax),
	}
	if p.LiteTopicBytes <= 0 { // no bound: clients would take it for one
		p.LiteTopicBytes = math.MaxInt32
	}
	p.MetricOn = c.Client.MetricMode != "off"
	if c.Client.MetricMode == "on" {
		p.MetricEndpoints = collector(c.Client.MetricAddr)
	}
	return p
}

// advertised is what clients are told to dial. A client that is to be told what it dialled, and does
// not say what that was, is told our own address.
func advertised(c *config.Config, port int) (all []messaging.Advertise) {
	rules, _ := c.Proxy.Advertised() // Validate let it pass
	for _, rule := range rules {
		told := messaging.Advertise{Network: rule.Network, Dialled: rule.Dialled, Endpoints: endpoints(rule.Addrs...)}
		if rule.Dialled {
			told.Endpoints = endpoints(net.JoinHostPort(c.Proxy.LocalAddr, strconv.Itoa(port)))
		}
		all = append(all, told)
	}
	return all
}

// endpoints are addresses of one kind, as the API has them.
func endpoints(addrs ...string) *apiv2.Endpoints {
	all := &apiv2.Endpoints{}
	for _, addr := range addrs {
		host, port := config.SplitHostPort(addr)
		all.Scheme = messaging.SchemeOf(host)
		all.Addresses = append(all.Addresses, &apiv2.Address{Host: host, Port: int32(port)})
	}
	return all
}

// collector is where clients push their metrics to. A name goes by as IPv4, as with the reference.
func collector(addr string) *apiv2.Endpoints {
	at := endpoints(addr)
	if at.GetScheme() == apiv2.AddressScheme_DOMAIN_NAME {
		at.Scheme = apiv2.AddressScheme_IPv4
	}
	return at
}
