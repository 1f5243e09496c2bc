package broker_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/broker/brokertest"
)

var (
	seed  = flag.Uint64("seed", 0, "the only workload to play")
	seeds = flag.Uint64("seeds", 100, "how many workloads are played, of 100 crashes each")
)

// TestModel plays random workloads on a store in memory: with 100 of them the broker crashes
// 10,000 times.
func TestModel(t *testing.T) {
	from, to := uint64(1), *seeds
	if *seed != 0 {
		from, to = *seed, *seed
	}
	var all brokertest.Result
	for seed := from; seed <= to; seed++ {
		r, err := workload(seed, (*broker.Broker).Invariants).Play()
		if err != nil {
			t.Fatalf("go test -run TestModel -seed %d: %v", seed, err)
		}
		all.Crashes, all.Operations = all.Crashes+r.Crashes, all.Operations+r.Operations
		all.Sent, all.Delivered = all.Sent+r.Sent, all.Delivered+r.Delivered
	}
	t.Logf("%d crashes, %d operations, %d sent, %d delivered", all.Crashes, all.Operations, all.Sent, all.Delivered)
}

// workload is the one of a seed. Every third has commits that fail.
func workload(seed uint64, invariants func(*broker.Broker) error) brokertest.Workload {
	disk := brokertest.NewMemory()
	if rng := rand.New(rand.NewPCG(seed, 2)); seed%3 == 0 {
		disk.Fail = func() (fails, there bool) { return rng.IntN(20) == 0, rng.IntN(2) == 0 }
	}
	return brokertest.Workload{Seed: seed, Crashes: 100, Steps: 40, Disk: disk, Invariants: invariants}
}

// TestModelIsDeterministic plays workloads twice, and wants the same answers.
func TestModelIsDeterministic(t *testing.T) {
	for seed := uint64(1); seed <= 10; seed++ {
		first, err := workload(seed, nil).Play()
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := workload(seed, nil).Play(); first != second {
			t.Fatalf("seed %d: %+v, then %+v", seed, first, second)
		}
	}
}
