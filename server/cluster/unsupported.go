package cluster

import (
	"time"

	"rocketmq-proxy/server/backend"
)

// What is not spoken to brokers yet.

var unsupported = backend.Fault{Kind: backend.NotSupported, Text: "not supported in cluster mode yet"}

// EndTransaction implements backend.Backend.
func (c *Cluster) EndTransaction(op *backend.EndTransaction, _ time.Time) { op.End(unsupported) }

// Recall implements backend.Backend.
func (c *Cluster) Recall(op *backend.Recall, _ time.Time) { op.End(unsupported) }

// SyncLite implements backend.Backend.
func (c *Cluster) SyncLite(op *backend.SyncLite, _ time.Time) { op.End(unsupported) }

// Attach implements backend.Backend.
func (c *Cluster) Attach(backend.Clients) {}
