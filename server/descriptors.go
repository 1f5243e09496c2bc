package server

import (
	"fmt"

	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/link"
	"rocketmq-proxy/server/local/store"
)

// descriptorsKept is how many descriptors connections of clients leave to all else: to connections to
// brokers and name servers, certificates, the admin port, and connections that have two while they begin.
const descriptorsKept = 128

// keptDescriptors is how many of limit are not for clients: with a small limit, no more than half of it.
func keptDescriptors(mode config.Mode, limit int) int {
	kept := descriptorsKept
	if mode == config.ModeLocal {
		kept += store.FilesMax
	}
	return min(kept, limit/2)
}

// moreDescriptors is what an operator can do.
const moreDescriptors = "raise the hard limit (ulimit -n, or LimitNOFILE= of systemd) and start the proxy anew"

// clientDescriptors is for how many connections of clients there are descriptors. It warns when that
// is less than connectionsMax.
func (s *Server) clientDescriptors() (int, error) {
	limit, err := link.DescriptorLimit()
	if err != nil {
		return 0, fmt.Errorf("the limit of descriptors: %w", err)
	}
	kept := keptDescriptors(s.config.Proxy.Mode, limit)
	if most := s.config.Limits.ConnectionsMax; most > limit-kept {
		s.log.Warn().Int("connectionsMax", most).Int("connectionsPossible", limit-kept).Int("descriptors", limit).Int("kept", kept).
			Msg("connectionsMax is more than there are descriptors for: lower it, or " + moreDescriptors)
	}
	return limit - kept, nil
}

// descriptorsShort tells when there are too few descriptors for more connections, or enough again.
func (s *Server) descriptorsShort(now link.Shortage) {
	if now.Over {
		s.log.Info().Int("connections", now.Connections).Msg("there are descriptors for more connections again")
		return
	}
	s.log.Warn().Int("connections", now.Connections).Err(now.Cause).
		Msg("no descriptors for more connections: new ones are refused until others end; " + moreDescriptors)
}
