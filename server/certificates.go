package server

import (
	"time"

	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/tlsconf"
)

// certificates are what the port shows; nil when it does not speak TLS.
func certificates(c *config.Config) (*tlsconf.Source, error) {
	if c.TLS.Mode == config.TLSDisabled {
		return nil, nil //nolint:nilnil // nothing is no error
	}
	return tlsconf.New(tlsConfig(c), time.Now)
}

// watchCertificates takes new files while connections come in, until the server stops.
func (s *Server) watchCertificates() {
	again := time.NewTicker(s.config.TLS.WatchEvery)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			s.lookAtCertificates()
		case <-s.stop:
			return
		}
	}
}

func (s *Server) lookAtCertificates() {
	changed, err := s.tls.Look()
	switch {
	case err != nil:
		s.log.Error().Err(err).Msg("new TLS files cannot be used: the last good ones stay")
	case changed:
		leaf := s.tls.Certificate().Leaf
		s.log.Info().Stringer("subject", leaf.Subject).Time("expires", leaf.NotAfter).Msg("new TLS files are in use")
	}
}
