package broker_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/broker/brokertest"
)

var (
	seed  = flag.Uint64("seed", 0, "play only the workload of this seed")
	seeds = flag.Uint64("seeds", 100, "how many workloads are played, of about 100 crashes each")
	first = flag.Uint64("first", 1, "the first of them")
)

// TestModel plays random workloads on a store in memory: with 100 of them the broker crashes
// 10,000 times.
func TestModel(t *testing.T) {
	from, count := *first, *seeds
	switch {
	case *seed != 0:
		from, count = *seed, 1
	case testing.Short():
		count = 10
	}
	var all brokertest.Result
	for seed := from; seed < from+count; seed++ {
		r, err := workload(seed, invariants(seed)).Play()
		if err != nil {
			t.Fatalf("go test -run TestModel -seed %d: %v", seed, err)
		}
		all.Crashes, all.Operations = all.Crashes+r.Crashes, all.Operations+r.Operations
		all.Sent, all.Delivered = all.Sent+r.Sent, all.Delivered+r.Delivered
	}
	t.Logf("%d crashes, %d operations, %d sent, %d delivered", all.Crashes, all.Operations, all.Sent, all.Delivered)
}

// workload is the one of a seed. Every third has commits that fail, and every tenth crashes
// seldom: what only a crash mends is seen there.
func workload(seed uint64, invariants func(*broker.Broker) error) brokertest.Workload {
	disk := brokertest.NewMemory()
	if rng := rand.New(rand.NewPCG(seed, 2)); seed%3 == 0 {
		disk.Fail = func() (fails, there bool) { return rng.IntN(20) == 0, rng.IntN(2) == 0 }
	}
	w := brokertest.Workload{Seed: seed, Crashes: 112, Steps: 25, Disk: disk, Invariants: invariants}
	if seed%10 == 9 {
		w.Crashes, w.Steps = 3, 800
	}
	return w
}

// invariants looks into the broker after every operation of some workloads, and after some
// operations of every workload: it takes longer than the operations.
func invariants(seed uint64) func(*broker.Broker) error {
	n := uint64(0)
	return func(b *broker.Broker) error {
		if n++; *first+*seeds > 1000 || seed%10 == 0 || n%16 == 0 {
			return b.Invariants()
		}
		return nil
	}
}

// TestModelIsDeterministic plays workloads twice, and wants the same answers.
func TestModelIsDeterministic(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		once, err := workload(seed, nil).Play()
		if err != nil {
			t.Fatal(err)
		}
		if twice, _ := workload(seed, nil).Play(); once != twice {
			t.Fatalf("seed %d: %+v, then %+v", seed, once, twice)
		}
	}
}

// choices makes the decisions of a workload from bytes, and others when there are no more.
type choices struct {
	rest   []byte
	others rand.PCG
}

func (c *choices) Uint64() uint64 {
	if len(c.rest) == 0 {
		return c.others.Uint64()
	}
	n := uint64(c.rest[0]) * 0x0101010101010101
	c.rest = c.rest[1:]
	return n
}

// inputMax is enough for a few hundred operations.
const inputMax = 1000

// FuzzBroker plays workloads whose decisions are the input. Give it -fuzzminimizetime 5x: a
// shorter workload is another one, and looking for it takes a minute.
func FuzzBroker(f *testing.F) {
	for seed := range byte(4) {
		rng := rand.NewChaCha8([32]byte{seed})
		input := make([]byte, inputMax)
		_, _ = rng.Read(input)
		f.Add(uint64(seed), input)
	}
	f.Fuzz(func(t *testing.T, seed uint64, input []byte) {
		w := workload(seed, (*broker.Broker).Invariants)
		w.Choices, w.Crashes, w.Steps = &choices{rest: input[:min(len(input), inputMax)]}, 2, 30
		if _, err := w.Play(); err != nil {
			t.Fatal(err)
		}
	})
}
