package cluster

import (
	"time"

	"rocketmq-proxy/server/backend"
)

// What is not spoken to brokers yet.

var unsupported = backend.Fault{Kind: backend.NotSupported, Text: "not supported in cluster mode yet"}

// SyncLite implements backend.Backend.
func (c *Cluster) SyncLite(op *backend.SyncLite, _ time.Time) { op.End(unsupported) }
