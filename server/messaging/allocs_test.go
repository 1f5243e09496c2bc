package messaging

import (
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/pool/steady"
)

// TestWalksAllocateNothing in steady state: from the bytes of a request to those of its answer.
func TestWalksAllocateNothing(t *testing.T) {
	steady.KeepPools(t)
	for _, test := range []costly{
		{"SendMessage of 256 bytes", sendWalk(t, 256), 0},
		{"SendMessage of 10 KiB", sendWalk(t, 10<<10), 0},
		{"AckMessage of 1", ackWalk(t, 1), 0},
		{"AckMessage of 32", ackWalk(t, 32), 0},
		{"ReceiveMessage of 1", receiveWalk(t, 1, 256), 0},
		{"ReceiveMessage of 32", receiveWalk(t, 32, 256), 0},
		{"ReceiveMessage of 32 renewed", receiveWalk(t, 32, 256, func(r *apiv2.ReceiveMessageRequest) { r.AutoRenew = true }), 0},
		{"SendMessage of a batch of 32", batchWalk(t, 32), 0},
		{"ChangeInvisibleDuration", changeWalk(t), 0},
		{"PullMessage of 1", pullWalk(t, 1, 256), 0},
		{"PullMessage of 32", pullWalk(t, 32, 256), 0},
		// Three views a message are more than h2 keeps room for (viewsKeptMax).
		{"ReceiveMessage of 32 large ones", receiveWalk(t, 32, 2<<10), 8},
	} {
		live := pool.Live()
		for range 200 {
			test.walk()
		}
		if got := testing.AllocsPerRun(300, test.walk); got > test.most {
			t.Errorf("%s: %v allocations, want %v", test.name, got, test.most)
		}
		if left := pool.Live() - live; left != 0 {
			t.Errorf("%s: %d buffers were not released", test.name, left)
		}
	}
}

// What a client asks for now and then may allocate, but not more with every change. These calls are read
// and answered by generated types.
func TestAllocationsOfRareCalls(t *testing.T) {
	steady.KeepPools(t)
	for _, test := range rareWalks(t) {
		for range 50 {
			test.walk()
		}
		if got := testing.AllocsPerRun(200, test.walk); got > test.most {
			t.Errorf("%s: %v allocations, want %v", test.name, got, test.most)
		}
	}
}

// costly is a walk with what it may allocate.
type costly struct {
	name string
	walk func()
	most float64
}

func rareWalks(tb testing.TB) []costly {
	return []costly{
		{"QueryRoute of 4 queues", routeWalk(tb, 4), 26},
		{"QueryRoute of 16 queues", routeWalk(tb, 16), 51}, // two a queue, and the growth of the list
		{"QueryAssignment of 4 queues", assignmentWalk(tb, 4), 21},
		{"Heartbeat", quietWalk(tb, "Heartbeat", &apiv2.HeartbeatRequest{Group: resource("readers"), ClientType: apiv2.ClientType_PUSH_CONSUMER}), 6},
		{"UpdateOffset", quietWalk(tb, "UpdateOffset", updateRequest(42)), 16},
		{"EndTransaction", quietWalk(tb, "EndTransaction", endRequest()), 11},
	}
}
