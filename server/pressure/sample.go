package pressure

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Sample is what the process has of memory at a moment, in bytes.
type Sample struct {
	// Used is what Go's runtime counts for GOMEMLIMIT, all that it has mapped and not given back, but for
	// what of that is free: it would use this, or give it back, before it took more.
	Used int64
	// Fresh is how much of it was allocated since the collector ran the last time: garbage, perhaps.
	Fresh int64
}

// Limit is GOMEMLIMIT, in bytes; 0 when there is none.
func Limit() int64 {
	limit := debug.SetMemoryLimit(-1) // less than 0 changes nothing
	if limit == math.MaxInt64 {
		return 0
	}
	return limit
}

// Where runtime/metrics has it.
const (
	total    = "/memory/classes/total:bytes"
	released = "/memory/classes/heap/released:bytes"
	free     = "/memory/classes/heap/free:bytes"
	objects  = "/memory/classes/heap/objects:bytes" // garbage included
	live     = "/gc/heap/live:bytes"                // objects that the collector found in use the last time
)

// Sampler returns what reads a Sample. It allocates nothing then.
func Sampler() func() Sample {
	samples := []metrics.Sample{{Name: total}, {Name: released}, {Name: free}, {Name: objects}, {Name: live}}
	of := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	return func() Sample {
		metrics.Read(samples)
		return Sample{Used: of(0) - of(1) - of(2), Fresh: max(0, of(3)-of(4))}
	}
}

// Collect runs the collector and tells how long that took.
func Collect() time.Duration {
	begun := time.Now()
	runtime.GC()
	return time.Since(begun)
}
