package broker

import (
	"encoding/binary"
)

// Store is what the broker reads: what was committed, and nothing else. What was sealed may be
// there before Committed tells of it.
//
// An error that has a method Lost says that the keys from one to another, both included, are lost
// for good: that is reported, and they are left out. Any other error may pass: what could not be
// read stays where it is.
type Store interface {
	// Get appends the value of key to dst.
	Get(dst, key []byte) (value []byte, found bool, err error)
	// Scan shows every key in [from, to) in order until visit is false. The views are borrowed.
	Scan(from, to []byte, visit func(key, value []byte) bool) error
	// Last appends the greatest key in [from, to) to dst. Keys that are lost may be greater.
	Last(dst, from, to []byte) (key []byte, found bool, err error)
	// Cursor is a reader that is used again and again.
	Cursor() Cursor
}

// Cursor reads forward. Key and Value are borrowed until the next call.
type Cursor interface {
	// Seek goes to the first key in [from, to) of what was committed before the call. It copies
	// its arguments.
	Seek(from, to []byte) bool
	Next() bool
	Key() []byte
	Value() []byte
	Err() error
}

// Batch takes what is to be committed together.
type Batch interface {
	// Put returns the memory of a pair, to be filled in before the next call.
	Put(keyBytes, valueBytes int) (key, value []byte)
	Delete(key []byte)
	DeleteRange(from, to []byte)
}

// Limits bound what is kept in memory.
type Limits struct {
	InflightMax     int // messages that are out with consumers, of all groups
	ParkedMax       int // messages of one FIFO subscription held back behind others of their message group
	WaitersMax      int // pops and pulls that wait
	GroupWaitersMax int // pops of one group on one topic, or pulls of one queue, that wait
	TopicsMax       int
	GroupsMax       int
	LiteTopicsMax   int
	PopBytesMax     int // bodies of one pop or pull; the first message may exceed it
	ScanMax         int // messages that one pop or pull looks at in a turn before others have theirs
}

// DefaultLimits suit a machine with a few gigabytes of memory.
func DefaultLimits() Limits {
	return Limits{
		InflightMax: 1_000_000, ParkedMax: 100_000, WaitersMax: 100_000, GroupWaitersMax: 1024,
		TopicsMax: 20_000, GroupsMax: 20_000, LiteTopicsMax: 100_000, PopBytesMax: 8 << 20, ScanMax: 4096,
	}
}

// Config is how the broker behaves. Times are in milliseconds.
type Config struct {
	Limits
	AutoCreateTopics bool
	AutoCreateGroups bool
	QueuesDefault    int // of a topic that is made on first use

	CheckInterval int64   // between two questions about one half message
	CheckAfter    int64   // to the first question, unless the message says otherwise
	ChecksMax     int     // questions before a half message is given up
	DelayMax      int64   // how far ahead a message may be scheduled; 0: without bound
	DelayLevels   []int64 // the delays of levels, from 1 on
	RetainFor     int64   // age at which messages are dropped; 0: never

	// Compile makes a SQL92 filter.
	Compile func(expression string) (Matcher, error)
	// Report hears of what an operator should know. It must not block.
	Report func(event string, err error)
}

// DefaultConfig has the reference's numbers.
func DefaultConfig() Config {
	levels := []int64{1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200}
	for i := range levels {
		levels[i] *= 1000
	}
	return Config{
		Limits: DefaultLimits(), AutoCreateTopics: true, AutoCreateGroups: true, QueuesDefault: 4,
		CheckInterval: 30_000, CheckAfter: 6_000, ChecksMax: 15, DelayMax: 3 * 24 * 3600_000, DelayLevels: levels, RetainFor: 72 * 3600_000,
	}
}

// Broker is one embedded broker. It belongs to one turn at a time.
type Broker struct {
	config Config
	store  Store
	batch  Batch
	cursor Cursor

	topics      map[string]*Topic
	topicByID   map[uint32]*Topic
	topicOrder  []*Topic // by time of making: what is walked over is in an order that history decides
	groups      map[string]*Group
	groupByID   map[uint32]*Group
	liteTopics  int
	liteClients map[liteKey]*liteClient

	nextID   counter // of topics and groups
	sequence counter // of appends, timers and half messages
	gaps     gaps    // in what Open found

	fromStart bool // positions are lost: who has none reads from the oldest message on, not from the newest

	inflight  int
	waiting   int          // pops that wait
	entries   heap[*entry] // by the end of the invisible time
	waiters   heap[*Pop]   // by the end of the poll
	pulls     heap[*Pull]  // that wait, the same
	spare     *entry       // entries to be used again
	timers    schedule     // the t keys
	checks    schedule     // the k keys
	retention retention
	idleLite  []*Topic // found by retention
	filters   map[filterKey]Matcher

	pops       uint64         // so far: names the pop that is being answered
	again      []*entry       // scratch
	touched    []*queue       // appended to since Seal
	sealed     []visibleQueue // appended to by the batch that is being committed
	dirty      []*waitingRoom // that may have something for those who wait there
	spareDirty []*waitingRoom
	starving   bool        // InflightMax has kept messages from somebody
	answers    outbox[Pop] // pops that are done, for the caller
	asks       []*Check    // questions, for the caller

	roused      []*queue // that may have something for the pulls that wait there
	spareRoused []*queue
	pulled      outbox[Pull] // pulls that are done, for the caller

	prefix, key, value []byte   // scratch
	wishes             []wishes // of the messages of a Send; scratch
}

// scratchBytes is room for any key, names of topics included.
const scratchBytes = 512

// visibleQueue is how far a queue can be read when a batch is committed.
type visibleQueue struct {
	queue *queue
	end   int64
}

// Open makes a Broker of what store has. What is damaged is reported, and the rest is served.
func Open(store Store, config Config) (*Broker, error) {
	b := &Broker{
		config: config, store: store, cursor: store.Cursor(),
		topics: map[string]*Topic{}, topicByID: map[uint32]*Topic{},
		groups: map[string]*Group{}, groupByID: map[uint32]*Group{}, liteClients: map[liteKey]*liteClient{},
		filters: map[filterKey]Matcher{},
		prefix:  make([]byte, 0, scratchBytes), key: make([]byte, 0, scratchBytes),
		timers: newSchedule(prefixTimer), checks: newSchedule(prefixCheck),
		nextID:   counter{name: "id", step: 1},
		sequence: counter{name: "sequence", step: sequenceStep},
	}
	for _, load := range []func() error{b.loadTopics, b.loadGroups, b.loadPositions, b.loadQueues, b.loadEntries, b.loadCounters} {
		if err := load(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Begin names the batch that is written to until Seal.
func (b *Broker) Begin(batch Batch) { b.batch = batch }

// Seal tells that the batch is going to be committed. Until Committed, another one may be
// written to after Begin, but not sealed.
func (b *Broker) Seal() {
	for _, q := range b.touched {
		q.touched = false
		b.sealed = append(b.sealed, visibleQueue{q, q.end})
	}
	b.touched = b.touched[:0]
	b.timers.seal()
	b.checks.seal()
}

// Committed makes what was sealed visible, and serves those who waited for it.
func (b *Broker) Committed(now int64) {
	for _, v := range b.sealed {
		v.queue.visible = v.end
		b.rouse(v.queue)
		for _, s := range v.queue.topic.subscriptions {
			b.stir(s)
		}
	}
	clear(b.sealed)
	b.sealed = b.sealed[:0]
	b.timers.committed()
	b.checks.committed()
	b.serve(now)
}

// Answers takes the pops that have ended since the last call: their results are filled in.
func (b *Broker) Answers() []*Pop {
	return b.answers.take()
}

// Recycle gives the memory of Answers back.
func (b *Broker) Recycle(answers []*Pop) {
	b.answers.recycle(answers)
}

// Asks takes the questions about half messages that have come up since the last call.
func (b *Broker) Asks() []*Check {
	asks := b.asks
	b.asks = nil
	return asks
}

// Tick does what is due at now. Who has waited long enough gets what has come in the meantime
// rather than nothing.
func (b *Broker) Tick(now int64) {
	b.expire(now)
	b.fireTimers(now)
	b.fireChecks(now)
	b.retain(now)
	b.serve(now)
	b.endPolls(now)
}

// Due is when Tick has something to do, in ms since 1970: 0 is at once, math.MaxInt64 never.
func (b *Broker) Due() int64 {
	if len(b.dirty) > 0 || len(b.roused) > 0 {
		return 0
	}
	return min(b.entries.due(), b.waiters.due(), b.pulls.due(), b.timers.next, b.checks.next, b.retention.next)
}

// Inflight is how many messages are out with consumers or held back behind such.
func (b *Broker) Inflight() int { return b.inflight }

// Waiting is how many pops and pulls wait.
func (b *Broker) Waiting() int { return b.waiting + len(b.pulls.items) }

func (b *Broker) report(event string, err error) {
	if b.config.Report != nil {
		b.config.Report(event, err)
	}
}

// counter hands out numbers that are never handed out again. On disk is the end of a stretch
// that may have been handed out, so that it is written once a stretch.
type counter struct {
	name string
	step uint64
	next uint64
	end  uint64
}

// sequenceStep is how many sequence numbers one write reserves.
const sequenceStep = 1 << 20

func (b *Broker) take(c *counter) uint64 {
	if c.next >= c.end {
		c.end = c.next + c.step
		b.put(appendNameKey(b.key[:0], prefixCounter, c.name), binary.BigEndian.AppendUint64(nil, c.end))
	}
	c.next++
	return c.next - 1
}
