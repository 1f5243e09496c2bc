package server

import (
	"runtime/debug"
	"runtime/metrics"
)

// idleMemory gives memory back to the system once the work that needed it is over. Go's collector
// runs when the heap has doubled, so a proxy that is idle after a rush, such as ten thousand TLS
// handshakes, would keep for minutes what that left behind.
type idleMemory struct {
	samples []metrics.Sample
	calls   uint64 // made until the look before
}

// Where runtime/metrics has what idleMemory looks at.
const (
	metricObjects = "/memory/classes/heap/objects:bytes" // in use, garbage included
	metricFree    = "/memory/classes/heap/free:bytes"    // not in use, and not given back
	metricLive    = "/gc/heap/live:bytes"                // in use when the collector ran the last time
)

const (
	// idleCallsMax is how many calls between two looks make a proxy that is not idle.
	idleCallsMax = 2000
	// wasteMin is what it takes to be worth a collection: so many bytes, and an eighth of what is live. What
	// a thousand consumers leave behind by and by is far less.
	wasteMin = 16 << 20
)

func newIdleMemory() *idleMemory {
	return &idleMemory{samples: []metrics.Sample{{Name: metricObjects}, {Name: metricFree}, {Name: metricLive}}}
}

// look is called from time to time with the number of calls made so far.
func (m *idleMemory) look(calls uint64) {
	idle := calls-m.calls <= idleCallsMax
	m.calls = calls
	if idle && m.wasted() {
		debug.FreeOSMemory()
	}
}

func (m *idleMemory) wasted() bool {
	metrics.Read(m.samples)
	objects, free, live := m.samples[0].Value.Uint64(), m.samples[1].Value.Uint64(), m.samples[2].Value.Uint64()
	waste := int64(objects+free) - int64(live)
	return waste > wasteMin && waste > int64(live)/8
}
