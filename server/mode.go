package server

import (
	"errors"
	"net/netip"

	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/local"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/catalog"
	"rocketmq-proxy/server/local/door"
	"rocketmq-proxy/server/local/store"
	"rocketmq-proxy/server/nsdomain"
)

// messages is the backend of the configured mode, and how it ends.
type messages struct {
	backend.Backend
	cluster *cluster.Cluster // nil in Local mode
	close   func() error
}

// openMessages opens the backend that the configuration names.
func (s *Server) openMessages(counters *remoting.Counters) (messages, error) {
	if s.config.Proxy.Mode == config.ModeLocal {
		l, err := local.New(localConfig(&s.config, s.tell))
		if err != nil {
			return messages{}, err
		}
		d, err := door.Open(s.config.Local.StorePath, l.Catalog())
		if err != nil {
			return messages{}, errors.Join(err, l.Close())
		}
		return messages{Backend: l, close: func() error { d.Close(); return l.Close() }}, nil
	}
	secret, err := brokerTLS(&s.config)
	if err != nil {
		return messages{}, err
	}
	c := cluster.New(clusterConfig(&s.config, secret, counters, s.report, s.nameServersChanged))
	domain := s.watchDomain(c)
	c.Watch()
	return messages{Backend: c, cluster: c, close: func() error { domain(); c.Close(); return nil }}, nil
}

// watchDomain keeps the list of name servers as an HTTP server has it, if there is one, until the
// function that it returns is called.
func (s *Server) watchDomain(c *cluster.Cluster) (end func()) {
	n := s.config.NameServer
	if n.Domain == "" {
		return func() {}
	}
	return nsdomain.Start(nsdomain.Config{
		Domain: n.Domain, Subgroup: n.DomainSubgroup,
		Found: func(list string) {
			s.log.Info().Str("nameServers", list).Str("domain", n.Domain).Msg("name servers found")
			c.UpdateNameServers(remoting.ParseNameServers(list))
		},
		Failed: s.domainChanged,
	}).Close
}

// opened is the catalog of a proxy that does not run.
type opened struct {
	catalog.Catalog
	local *local.Local
}

// Close implements catalog.Store.
func (o opened) Close() error { return o.local.Close() }

// OpenStore opens the store of a proxy that does not run, for its topics and groups.
func OpenStore(c config.Config) (catalog.Store, error) {
	l, err := local.New(localConfig(&c, func(string, error) {}))
	if err != nil {
		return nil, err
	}
	return opened{l.Catalog(), l}, nil
}

// tell logs what an operator should know of the embedded broker.
func (s *Server) tell(event string, err error) {
	if err != nil {
		s.log.Warn().Err(err).Msg(event)
		return
	}
	s.log.Info().Msg(event)
}

// localBroker is the name of the embedded broker, in routes and receipt handles.
const localBroker = "local"

func localConfig(c *config.Config, report func(string, error)) local.Config {
	b := broker.DefaultConfig()
	b.AutoCreateTopics, b.AutoCreateGroups = c.Local.AutoCreateTopics, c.Local.AutoCreateGroups
	b.QueuesDefault = c.Local.TopicQueues
	b.CheckInterval = c.Local.TransactionCheckInterval.Milliseconds()
	b.CheckAfter = c.Local.TransactionTimeout.Milliseconds()
	b.ChecksMax = c.Local.TransactionChecksMax
	b.DelayMax = c.Local.TimerMax.Milliseconds()
	delays, _ := c.Message.Delays() // Validate let it pass
	b.DelayLevels = b.DelayLevels[:0]
	for _, delay := range delays {
		b.DelayLevels = append(b.DelayLevels, delay.Milliseconds())
	}
	b.RetainFor = c.Local.Retention.Milliseconds()
	b.InflightMax, b.TopicsMax, b.GroupsMax = c.Local.InflightMax, c.Local.TopicsMax, c.Local.GroupsMax
	b.GroupWaitersMax, b.WaitersMax = c.Local.PollsPerQueueMax, c.Local.PollsMax
	host, err := netip.ParseAddr(c.Proxy.LocalAddr)
	if err != nil {
		host = netip.IPv4Unspecified()
	}
	return local.Config{
		Store: store.Config{Dir: c.Local.StorePath, FreeBytesMin: c.Local.StoreFreeBytesMin}, Broker: b,
		Sync: c.Local.Flush == config.FlushSync, FlushInterval: c.Local.FlushInterval,
		StoreBytesMax: c.Local.StoreBytesMax, AppendBytesMax: c.Local.AppendBytesMax,
		BrokerName: localBroker, StoreHost: netip.AddrPortFrom(host, uint16(c.GRPC.ServerPort)), Report: report,
	}
}
