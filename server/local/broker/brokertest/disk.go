package brokertest

import (
	"errors"

	"rocketmq-proxy/server/local/broker"
)

// Disk is a store that can crash.
type Disk interface {
	// Store is what the broker reads. After a crash it may be another one.
	Store() broker.Store
	// Batch makes an empty batch.
	Batch() broker.Batch
	// Commit writes a batch, all of it or nothing. When it fails nobody knows which, and a
	// crash comes next.
	Commit(b broker.Batch) error
	// Crash throws away what is not committed, and starts again.
	Crash() error
}

// Memory is a Disk in memory.
type Memory struct {
	// Fail, when it is not nil, tells whether a commit fails, and whether it is there although
	// it failed.
	Fail func() (fails, there bool)

	store *Store
	free  []*Batch
}

// NewMemory makes an empty disk.
func NewMemory() *Memory { return &Memory{store: NewStore()} }

// Store implements Disk.
func (m *Memory) Store() broker.Store { return m.store }

// Batch implements Disk.
func (m *Memory) Batch() broker.Batch {
	if n := len(m.free); n > 0 {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		return b
	}
	return &Batch{}
}

var errDisk = errors.New("brokertest: the disk has failed")

// Commit implements Disk.
func (m *Memory) Commit(b broker.Batch) error {
	batch := b.(*Batch)
	fails, there := false, true
	if m.Fail != nil {
		fails, there = m.Fail()
	}
	if !fails || there {
		m.store.Apply(batch)
	}
	batch.Reset()
	m.free = append(m.free, batch)
	if fails {
		return errDisk
	}
	return nil
}

// Crash implements Disk: nothing but batches was in memory.
func (m *Memory) Crash() error { return nil }
