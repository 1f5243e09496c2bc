package server

import (
	"math"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/cluster"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/link"
	"rocketmq-proxy/server/messaging"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/tlsconf"
)

// The functions here cut each part's share out of the configuration.

func tlsConfig(c *config.Config) tlsconf.Config {
	return tlsconf.Config{
		TestMode: c.TLS.TestMode, CertPath: c.TLS.CertPath, KeyPath: c.TLS.KeyPath,
		KeyPassword: string(c.TLS.KeyPassword), Hosts: []string{c.Proxy.LocalAddr},
	}
}

func h2Limits(c *config.Config) h2.Limits {
	return h2.Limits{
		StreamsMax:         uint32(c.GRPC.StreamsMax),
		HeaderListBytesMax: c.Limits.HeaderListBytesMax,
		MessageBytesMax:    c.GRPC.MessageBytesMax,
		RequestBytesMax:    c.Limits.RequestBytesMax,
		OutboxBytesMax:     c.Limits.OutboxBytesMax,
		ConnWindowBytes:    c.Limits.WindowBytes,
		PrefaceTimeout:     c.Limits.HandshakeTimeout,
		IdleTimeout:        c.GRPC.IdleTime,
	}
}

func clusterConfig(c *config.Config, counters *remoting.Counters, report func(string, string, error), changed func(error)) cluster.Config {
	share := cluster.Defaults()
	share.NameServers = remoting.ParseNameServers(c.NameServer.Addr)
	share.ClusterName = c.Proxy.ClusterName
	share.CallTimeout = c.Broker.CallTimeout
	share.MetadataTimeout = c.Broker.RouteTimeout
	share.RefreshAfter = c.Cache.RouteRefresh
	share.ExpireAfter = c.Cache.RouteExpiry
	share.EntriesMax = c.Cache.RoutesMax
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
	share.Dial = dial(limits)
	share.Report, share.NameServersChanged = report, changed
	return share
}

// laneInboxBytesMax is for answers of brokers, which are trusted with more than clients: poll
// answers of many MiB must not hold up the poller, nor the clients on it.
const laneInboxBytesMax = 8 << 20

func messagingConfig(c *config.Config, port int) messaging.Config {
	return messaging.Config{
		BodyBytesMax: c.Message.BodyBytesMax, BodyEmptyCheck: c.Message.BodyEmptyCheck,
		PropertiesBytesMax: c.Message.PropertiesBytesMax, PropertiesMax: c.Message.PropertiesMax,
		GroupBytesMax: c.Message.GroupBytesMax, LiteTopicBytesMax: c.Message.LiteTopicBytesMax,
		LiteUnackedMax: c.Lite.UnackedMax, LiteSyncRate: c.Lite.SyncRate,
		DelayMax: c.Message.DelayMax, RecoveryMax: c.Message.RecoveryMax, TypeCheck: c.Message.TypeCheck,
		PollMin: c.Client.PollTimeoutMin, PollMax: c.Client.PollTimeoutMax,
		InvisibleDefault: c.Receive.InvisibleDefault, InvisibleMin: c.Receive.InvisibleMin,
		InvisibleMax: c.Receive.InvisibleMax, InvisibleWhenClear: c.Receive.InvisibleWhenClear,
		AutoRenew: c.Renew.Enabled, Renew: renewPolicy(c), CallTimeout: c.Broker.CallTimeout,
		InflightBytesMax: c.Limits.InflightBytesMax / 2, LongPollsMax: c.Limits.LongPollsMax,
		ServerPort: port, EndpointPortFromRequest: c.Proxy.EndpointPortFromRequest,
		Policy: policy(c),
	}
}

func renewPolicy(c *config.Config) session.RenewPolicy {
	return session.RenewPolicy{
		AttemptsMax: c.Renew.AttemptsMax, Ahead: c.Renew.Ahead, TimeMax: c.Renew.TimeMax, Period: c.Renew.Period,
		WhenClear: c.Receive.InvisibleWhenClear, CallTimeout: c.Broker.CallTimeout, Expiry: c.Session.Expiry,
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

// collector is where clients push their metrics to.
func collector(addr string) *apiv2.Endpoints {
	host, port := config.SplitHostPort(addr)
	return &apiv2.Endpoints{
		Scheme:    apiv2.AddressScheme_IPv4,
		Addresses: []*apiv2.Address{{Host: host, Port: int32(port)}},
	}
}
