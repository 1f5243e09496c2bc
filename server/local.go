package server

import (
	"errors"

	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/local/catalog"
)

var errNoLocalMode = errors.New("local mode is not there yet: use -pm cluster with -n host:port")

// OpenStore opens the store of a proxy that does not run, for its topics and groups.
func OpenStore(config.Config) (catalog.Store, error) { return nil, errNoLocalMode }
