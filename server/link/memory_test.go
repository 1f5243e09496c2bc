package link

import (
	"testing"

	"rocketmq-proxy/pool"
)

// With too little memory connections are closed at once and counted; those that are in go on. On the levels below
// it, and when it is over, others come in.
func TestNoMemoryForConnections(t *testing.T) {
	var c Counters
	var memory pool.Pressure
	p := serve(t, DefaultLimits(), nil, counted(&c), func(front *Front) { front.Memory = &memory })
	memory.Set(pool.NoCalls, 94, 100)
	conn := p.hello(p.dialTCP())
	memory.Set(pool.NoConnections, 95, 100)
	for n := range 3 {
		refused(t, p.dialTCP(), &c, NoMemory, uint64(n+1))
	}
	write(t, conn, "still here")
	expect(t, conn, "still here")
	memory.Set(pool.NoCalls, 89, 100)
	p.hello(p.dialTCP())
}
