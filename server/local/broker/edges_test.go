package broker_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/broker/brokertest"
)

func put(s *brokertest.Store, key, value string) {
	b := &brokertest.Batch{}
	k, v := b.Put(len(key), len(value))
	copy(k, key)
	copy(v, value)
	s.Apply(b)
}

// used is a store that a broker has used: a topic, a group, a message that is out.
func used(t *testing.T) *brokertest.Store {
	t.Helper()
	s := &stage{t: t, store: brokertest.NewStore(), open: &brokertest.Batch{}, now: noon, pops: map[string]*broker.Pop{}, receipts: map[string]broker.Receipt{}, shown: map[string]string{}}
	for _, line := range []string{"send orders a,b", "commit", "pop p g orders max=1", "commit"} {
		words := strings.Fields(line)
		s.does(words[0], words[1:])
	}
	return s.store
}

// TestOpenRefusesWhatItCannotRead: what may be read another time is not left out.
func TestOpenRefusesWhatItCannotRead(t *testing.T) {
	for _, prefix := range "MTGoqmc" {
		s := used(t)
		s.Fault = func(key []byte) error {
			if rune(key[0]) == prefix {
				return fmt.Errorf("key %q cannot be read", key[:1])
			}
			return nil
		}
		if _, err := broker.Open(s, broker.DefaultConfig()); err == nil {
			t.Errorf("opened although no key with %q can be read", prefix)
		}
	}
}

// reopened opens a store and collects what is reported.
func reopened(t *testing.T, s *brokertest.Store) (b *broker.Broker, reports *[]string) {
	t.Helper()
	reports = new([]string)
	config := broker.DefaultConfig()
	config.Report = func(event string, err error) { *reports = append(*reports, fmt.Sprint(event, ": ", err)) }
	b, err := broker.Open(s, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Invariants(); err != nil {
		t.Error(err)
	}
	b.Begin(&brokertest.Batch{})
	return b, reports
}

// TestOpenLeavesOutWhatMakesNoSense: it is reported, and the rest is served.
func TestOpenLeavesOutWhatMakesNoSense(t *testing.T) {
	for key, value := range map[string]string{
		"Msequence": "short",
		"Mid":       "",
		"Tbad":      "{",
		"Tnone":     `{"name":"none","queues":0}`,
		"Tmany":     `{"name":"many","queues":1000000000}`,
		"Tother":    `{"name":"one","queues":1,"id":99}`,
		"Ttwin":     `{"name":"twin","queues":1,"id":1}`,
		"Gbad":      "{",
		"Gtwin":     `{"name":"twin","id":2}`,
		"oshort":    "12345678",
		"o\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00": "short",
		"cshort": "",
		"c":      "short",
	} {
		s := used(t)
		if key == "c" { // the entry that is there
			_ = s.Scan([]byte("c"), []byte("d"), func(k, _ []byte) bool { key = string(k); return false })
		}
		put(s, key, value)
		b, reports := reopened(t, s)
		if len(*reports) != 1 || !strings.Contains((*reports)[0], "damaged") {
			t.Errorf("%q in %q: reported %q", value, key, *reports)
		}
		if b.Topic("orders") == nil || b.Group("g") == nil {
			t.Errorf("%q in %q: the rest is not there", value, key)
		}
		if name := key[1:]; key[0] == 'T' {
			if _, err := b.CreateTopic(broker.TopicSettings{Name: name, Type: "ANY", Queues: 1}); !errors.Is(err, broker.ErrDamaged) {
				t.Errorf("a topic was made in place of %q: %v", name, err)
			}
		} else if key[0] == 'G' {
			if _, err := b.CreateGroup(broker.GroupSettings{Name: name}); !errors.Is(err, broker.ErrDamaged) {
				t.Errorf("a group was made in place of %q: %v", name, err)
			}
		}
	}
}

// TestOpenLeavesOutWhatIsNobodys: positions and entries of what is deleted.
func TestOpenLeavesOutWhatIsNobodys(t *testing.T) {
	s := used(t)
	put(s, "o\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00", "12345678")
	put(s, "o\x00\x00\x00\x02\x00\x00\x00\x01\x00\x99", "12345678") // no such queue
	put(s, "c\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "")
	b, err := broker.Open(s, broker.DefaultConfig())
	if err != nil || b.Inflight() != 1 {
		t.Fatal(b.Inflight(), err)
	}
	if err := b.Invariants(); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsGoneIsRefused: a topic or a group that a caller has kept although it is deleted.
func TestWhatIsGoneIsRefused(t *testing.T) {
	b, err := broker.Open(brokertest.NewStore(), broker.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	b.Begin(&brokertest.Batch{})
	topic, lite, group, other := b.UseTopic("orders"), b.UseTopic("chat"), b.UseGroup("g"), b.UseGroup("other")
	_ = b.DeleteTopic("orders")
	_ = b.DeleteGroup("g")
	if err := b.Send(&broker.Send{Topic: topic, Messages: make([]broker.Message, 1), Payload: &pool.Chain{}}, noon); !errors.Is(err, broker.ErrMissing) {
		t.Errorf("sent to a topic that is gone: %v", err)
	}
	b.Pop(&broker.Pop{Topic: topic, Group: other, Max: 1, Until: noon + 1000}, noon)
	b.Pop(&broker.Pop{Topic: lite, Group: group, Lite: true, Max: 1, Until: noon + 1000}, noon)
	if answers := b.Answers(); len(answers) != 2 || answers[0].Outcome != broker.PopNone || answers[1].Outcome != broker.PopNone {
		t.Errorf("popped from what is gone: %+v", answers)
	}
	for _, err := range []error{
		b.Subscribe(group, "c", lite, []string{"one"}, broker.Start{}, 1),
		b.Subscribe(other, "c", topic, []string{"one"}, broker.Start{}, 1),
	} {
		if !errors.Is(err, broker.ErrMissing) {
			t.Errorf("subscribed to what is gone: %v", err)
		}
	}
	b.Unsubscribe(other, "nobody", lite, []string{"one"})
	b.UnsubscribeOthers(other, "nobody", nil)
	if err := b.Invariants(); err != nil {
		t.Error(err)
	}
}

func TestLongProperties(t *testing.T) {
	b, err := broker.Open(brokertest.NewStore(), broker.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	batch := &brokertest.Batch{}
	b.Begin(batch)
	topic := b.UseTopic("orders")
	for _, c := range []struct {
		bytes int
		err   error
	}{{broker.PropertiesBytesMax, nil}, {broker.PropertiesBytesMax + 1, broker.ErrProperties}} {
		before := batch.Len()
		s := broker.Send{Topic: topic, Messages: []broker.Message{{}, {Properties: make([]byte, c.bytes)}}, Payload: &pool.Chain{}}
		if err := b.Send(&s, noon); !errors.Is(err, c.err) {
			t.Errorf("properties of %d bytes: %v", c.bytes, err)
		} else if err != nil && batch.Len() > before {
			t.Error("a request that is refused has written something")
		}
	}
}

func TestFiltersAreRemembered(t *testing.T) {
	compiled := 0
	config := broker.DefaultConfig()
	b, _ := broker.Open(brokertest.NewStore(), config)
	if _, err := b.Filter([]byte("a > 1"), true); !errors.Is(err, broker.ErrNoSQL) {
		t.Errorf("SQL without a compiler: %v", err)
	}
	config.Compile = func(expression string) (broker.Matcher, error) {
		compiled++
		return has(expression), nil
	}
	b, _ = broker.Open(brokertest.NewStore(), config)
	filter := func(expression string) {
		if f, err := b.Filter([]byte(expression), true); err != nil || f == nil {
			t.Fatal(f, err)
		}
	}
	filter("a")
	filter("a")
	if compiled != 1 {
		t.Errorf("compiled %d times", compiled)
	}
	filter(strings.Repeat("long ", 1000))
	filter(strings.Repeat("long ", 1000))
	if compiled != 3 {
		t.Errorf("a long expression was remembered: compiled %d times", compiled)
	}
	for i := range 4096 { // one more than there is room for
		filter(fmt.Sprint("b", i))
	}
	if filter("a"); compiled != 3+4096+1 {
		t.Errorf("filters are never forgotten: compiled %d times", compiled)
	}
	for _, everything := range []string{"", "*"} {
		if f, err := b.Filter([]byte(everything), false); f != nil || err != nil {
			t.Errorf("%q: %v, %v", everything, f, err)
		}
	}
}
