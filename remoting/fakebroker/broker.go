package fakebroker

import (
	"fmt"
	"testing"
	"time"
)

// Broker is one broker of a Cluster.
type Broker struct {
	*Server
	Name string

	cluster *Cluster

	// guarded by the cluster's lock
	queues     map[queueKey]*queue
	logNext    int64 // commit-log offset of the next record
	byLog      map[int64]*stored
	popped     map[delivery]*invisible
	orders     map[subscription]*order
	reads      map[subscription]int64 // where a group reads on
	waiting    []*pop
	pulls      []*pull
	timers     []timer
	halves     map[int64]*half // by commit-log offset
	roles      map[string]map[*Client]string
	lites      map[string]*liteSet // by client id
	litePopped map[string]bool     // group and commit-log offset
	revive     int32
	rotation   int

	pullsLooked int64 // when pulls were looked at last, ms since 1970
}

func newBroker(tb testing.TB, c *Cluster, name string) *Broker {
	b := &Broker{
		Name: name, cluster: c, queues: map[queueKey]*queue{}, byLog: map[int64]*stored{},
		popped: map[delivery]*invisible{}, orders: map[subscription]*order{}, reads: map[subscription]int64{},
		halves: map[int64]*half{}, roles: map[string]map[*Client]string{},
		lites: map[string]*liteSet{}, litePopped: map[string]bool{},
	}
	b.Server = newServer(tb, c, b.serve)
	return b
}

// handlers is the table of what a broker understands.
var handlers = map[int32]func(*Broker, *Request) Response{
	10:     (*Broker).sendMessage,
	11:     (*Broker).pullMessage,
	14:     (*Broker).queryConsumerOffset,
	15:     (*Broker).updateConsumerOffset,
	17:     (*Broker).updateTopic,
	29:     (*Broker).searchOffset,
	30:     (*Broker).maxOffset,
	31:     (*Broker).minOffset,
	34:     (*Broker).heartbeat,
	35:     (*Broker).unregister,
	36:     (*Broker).sendBack,
	37:     (*Broker).endTransaction,
	38:     (*Broker).consumerList,
	46:     (*Broker).checkClientConfig,
	200:    (*Broker).updateGroup,
	310:    (*Broker).sendMessageV2,
	320:    (*Broker).sendBatch,
	351:    (*Broker).topicConfig,
	352:    (*Broker).groupConfig,
	370:    (*Broker).recall,
	200050: (*Broker).popMessage,
	200051: (*Broker).ackMessage,
	200053: (*Broker).changeInvisible,
	200070: (*Broker).popLite,
	200071: (*Broker).liteSubscription,
}

func (b *Broker) serve(r *Request) Response {
	handle := handlers[r.Code]
	if handle == nil {
		return fail(3, fmt.Sprintf(" request type %d not supported", r.Code))
	}
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	return handle(b, r)
}

// now is the broker's clock in ms since 1970.
func (b *Broker) now() int64 { return b.cluster.now().UnixMilli() }

// tick does what time asks for.
func (b *Broker) tick(now time.Time) {
	ms := now.UnixMilli()
	b.tickTimers(ms)
	b.tickInvisible(ms)
	b.tickPolls(ms)
	b.tickPulls(ms)
}
