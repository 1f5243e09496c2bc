package cli

import (
	"testing"

	"rocketmq-proxy/server/local/catalog"
	"rocketmq-proxy/server/local/catalog/fakecatalog"
)

func TestGroup(t *testing.T) {
	everywhere(t, func(t *testing.T, w *World, store *fakecatalog.Fake) {
		walk(t, w, []step{
			{"group create billing", 0, "group billing created\n", ""},
			{"group create billing -o true -r 0", 0, "group billing changed\n", ""},
			{"group create billing -orderly TRUE -retryMaxTimes 0", 0, "group billing is as it was\n", ""},
			{"group create billing -r -1", 1, "", "the retry maximum is -1"},
			{"group create -lite events readers -retry 1s,1m", 0, "group readers created\n", ""},
			{"group create -a +colour=red readers", 1, "", "there is no attribute colour"},
			// As people have it in their scripts for mqadmin updateSubGroup.
			{`group create -n 127.0.0.1:9876 -c DefaultCluster -g old -s true -m false -d false -o false -q 1 -r 3 -i 0 -w 1 -p {"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,"max":7200000,"multiplier":2}}`, 0, "group old created\n", ""},
		})
		info, err := store.Group("billing")
		if err != nil {
			t.Fatal(err)
		}
		info.Clients, info.Lag, info.InFlight = 2, 7, 1
		info.Queues = []catalog.GroupQueue{{Topic: "orders", ID: 3, Offset: 10, Max: 17, Lag: 7, InFlight: 1}}
		info.Members = []catalog.Member{{ID: "host@1", Version: "GOLANG 5.1.4", Pushes: true}, {ID: "host@2", Version: "JAVA 5.0.7"}}
		store.SetGroup(info)
		store.SetThreads("billing", "host@1", "main: waits")
		walk(t, w, []step{
			{"group list", 0, `GROUP     ORDER   RETRIES   CLIENTS   LAG   IN FLIGHT
billing   FIFO    0         2         7     1
old       any     3         0         0     0
readers   any     16        0         0     0
`, ""},
			{"group describe billing", 0, `group         billing
order         FIFO
retries       0
retry after   1s 5s 10s 30s 1m 2m ... 10m 20m 30m 1h 2h
clients       2
lag           7
in flight     1

TOPIC    QUEUE   OFFSET   MAX OFFSET   LAG   IN FLIGHT
orders   3       10       17           7     1

CLIENT   KIND     VERSION
host@1   push     GOLANG 5.1.4
host@2   simple   JAVA 5.0.7
`, ""},
			{"group threads billing host@1", 0, "main: waits\n", ""},
			{"group threads -json -g billing host@1", 0, `"threads": "main: waits"...`, ""},
			{"group threads billing nobody", 1, "", "nobody is not connected"},
			{"group threads billing", 2, "", "takes a group and a client"},
			{"group describe readers", 0, "retry after       1s 1m0s\n...", ""},
			{"group describe readers", 0, "lite.bind.topic   events\n...", ""},
			{"group describe old", 0, "retry after   5s, each time 2 times as long, up to 2h0m0s\n...", ""},
			{"group describe -json -g billing", 0, `"lag": 7,...`, ""},
			{"group describe nobody", 1, "", "there is no group nobody"},
			{"group delete billing", 1, "", "group billing has 2 clients connected and 1 messages in flight: -yes"},
			{"group delete billing -yes", 0, "group billing deleted\n", ""},
			{"group delete old", 0, "group old deleted\n", ""},
			{"group create -json new", 0, `"name": "new",...`, ""},
			{"group list -json", 0, `"name": "readers",...`, ""},
		})
		store.Fails = catalog.Errorf(catalog.Full, "groupsMax is 3")
		walk(t, w, []step{{"group create other", 1, "", "groupsMax is 3"}, {"group list", 1, "", "groupsMax is 3"}})
	})
}
