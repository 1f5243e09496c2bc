package cli

import (
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/server/local/catalog"
	"rocketmq-proxy/server/local/catalog/fakecatalog"
	"rocketmq-proxy/server/local/door"
)

// everywhere runs a test against a running proxy, through its door, and against a stopped one:
// the commands answer the same.
func everywhere(t *testing.T, test func(t *testing.T, w *World, store *fakecatalog.Fake)) {
	t.Run("running", func(t *testing.T) {
		store := &fakecatalog.Fake{}
		w, dir := stopped(t, nil)
		d, err := door.Open(dir, store)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Close)
		test(t, w, store)
	})
	t.Run("stopped", func(t *testing.T) {
		store := &fakecatalog.Fake{}
		w, _ := stopped(t, store)
		test(t, w, store)
	})
}

// step is a command line and what is said to it.
type step struct {
	args string
	code int
	out  string // whole; a part when it ends in ...
	err  string // a part
}

func walk(t *testing.T, w *World, steps []step) {
	t.Helper()
	for _, s := range steps {
		got := run(t, w, strings.Fields(s.args)...)
		part, isPart := strings.CutSuffix(s.out, "...")
		if got.code != s.code || !strings.Contains(got.err, s.err) || s.err == "" && got.err != "" ||
			isPart && !strings.Contains(got.out, part) || !isPart && got.out != s.out {
			t.Errorf("%s: got %d\n%s%s\nwant %d\n%s%s", s.args, got.code, got.out, got.err, s.code, s.out, s.err)
		}
	}
}

func TestTopic(t *testing.T) {
	everywhere(t, func(t *testing.T, w *World, store *fakecatalog.Fake) {
		walk(t, w, []step{
			{"topic create orders", 0, "topic orders created\n", ""},
			{"topic create orders", 0, "topic orders is as it was\n", ""},
			{"topic create -type fifo orders -queues 8", 0, "topic orders changed\n", ""},
			{"topic create -type fast orders", 1, "", `message.type is "FAST", expected one of NORMAL, FIFO`},
			// As people have it in their scripts for mqadmin updateTopic.
			{"topic create -n 127.0.0.1:9876 -c DefaultCluster -t ledger -r 16 -w 8 -p 6 -o true -a +message.type=TRANSACTION", 0, "topic ledger created\n", ""},
			{"topic create bad/name", 1, "", "only letters, digits"},
			{"topic list", 0, "TOPIC    TYPE          QUEUES           MESSAGES\nledger   TRANSACTION   16 (8 written)   0\norders   FIFO          8                0\n", ""},
		})

		store.SetTopic(catalog.TopicInfo{Topic: catalog.DefaultTopic("%RETRY%billing", 1)})
		full := catalog.DefaultTopic("full", 2)
		full.Type, full.Perm, full.Attributes = "LITE", catalog.Readable, map[string]string{"lite.topic.expiration": "60"}
		stored := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local).UnixMilli()
		store.SetTopic(catalog.TopicInfo{Topic: full, Messages: 12, Queues: []catalog.QueueInfo{{ID: 0, Min: 5, Max: 17, StoredMs: stored}, {ID: 1}}})
		walk(t, w, []step{
			{"topic list -all", 0, "%RETRY%billing   ANY           1                0\n...", ""},
			{"topic describe full", 0, `topic                   full
type                    LITE
queues                  2, read only
messages                12
lite.topic.expiration   60

QUEUE   MIN OFFSET   MAX OFFSET   MESSAGES   LAST STORED
0       5            17           12         2026-01-02 03:04:05
1       0            0            0          -
`, ""},
			{"topic describe -json -t full", 0, `"queue": 0,
      "minOffset": 5,
      "maxOffset": 17,...`, ""},
			{"topic describe nowhere", 1, "", "there is no topic nowhere"},
			{"topic delete full", 1, "", "topic full has 12 messages, which would be lost: -yes deletes them too"},
			{"topic delete full -yes", 0, "topic full deleted\n", ""},
			{"topic delete full", 1, "", "there is no topic full"},
			{"topic delete ledger", 0, "topic ledger deleted\n", ""},
			{"topic create -json new", 0, `"name": "new",...`, ""},
			{"topic list -json", 0, `"name": "orders",...`, ""},
		})
		store.Fails = catalog.Errorf(catalog.Unavailable, "the disk is full")
		walk(t, w, []step{
			{"topic create other", 1, "", "the disk is full"}, {"topic list", 1, "", "the disk is full"},
			{"topic describe orders", 1, "", "the disk is full"}, {"topic delete orders -yes", 1, "", "the disk is full"},
		})
	})
}
