package broker

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzRecord: whatever parses is written as the same bytes.
func FuzzRecord(f *testing.F) {
	f.Add(append(appendRecordHead(nil, &record{SysFlag: 4, ReconsumeTimes: 1, Born: 2, Stored: 3, Sequence: 4, Properties: []byte("TAGS\x01A\x02")}), "body"...))
	f.Add([]byte{recordVersion})
	f.Add(bytes.Repeat([]byte{0xFF}, recordHeadBytes))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r record
		if r.parse(b) != nil {
			return
		}
		if again := append(appendRecordHead(nil, &r), r.Body...); !bytes.Equal(again, b) {
			t.Fatalf("%x parsed as %+v is %x", b, r, again)
		}
	})
}

// FuzzEntry: whatever parses is written as the same bytes.
func FuzzEntry(f *testing.F) {
	f.Add((&entry{popTime: 1, visibleAt: 2, times: 3, attempt: 4, counts: true, line: &line{key: 5}}).appendValue(nil))
	f.Add(make([]byte, entryValueBytes-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e entry
		key, err := e.parse(b)
		if err != nil {
			return
		}
		if key != 0 {
			e.line = &line{key: key}
		}
		if again := e.appendValue(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x parsed as %+v is %x", b, e, again)
		}
	})
}

// FuzzKeys: keys say what they were made of, and sort as it counts.
func FuzzKeys(f *testing.F) {
	f.Add(uint32(1), uint32(2), uint16(3), int64(4), int64(5), uint64(6))
	f.Add(^uint32(0), ^uint32(0), ^uint16(0), int64(never), int64(never), ^uint64(0))
	f.Fuzz(func(t *testing.T, group, topic uint32, queue uint16, offset, due int64, sequence uint64) {
		offset, due = max(offset, 0), max(due, 0)
		key := appendEntryKey(nil, group, topic, int32(queue), offset)
		if k := parsePositionKey(key); len(key) != entryKeyBytes || k != (positionKey{group, topic, int32(queue)}) {
			t.Fatalf("%x is %+v", key, k)
		}
		message := appendMessageKey(nil, topic, int32(queue), offset)
		if len(message) != messageKeyBytes || offsetOfMessageKey(message) != offset {
			t.Fatalf("%x is of offset %d", message, offsetOfMessageKey(message))
		}
		if offset > 0 && bytes.Compare(message, appendMessageKey(nil, topic, int32(queue), offset-1)) <= 0 {
			t.Fatalf("offsets do not sort at %d", offset)
		}
		timer := appendTimerKey(nil, due, uint64(offset), sequence)
		check := appendCheckKey(nil, due, sequence)
		for _, k := range [][]byte{timer, check} {
			if timeOfKey(k) != due || sequenceOfKey(k) != sequence {
				t.Fatalf("%x is due at %d with sequence %d", k, timeOfKey(k), sequenceOfKey(k))
			}
		}
		if len(timer) != timerKeyBytes || len(check) != checkKeyBytes || len(appendHalfKey(nil, sequence)) != halfKeyBytes {
			t.Fatal("a key has an odd length")
		}
		if end := after(message); end != nil && (bytes.Compare(message, end) >= 0 || bytes.Compare(append(message, 0xFF), end) >= 0) {
			t.Fatalf("%x is not after %x", end, message)
		}
	})
}

func TestAfter(t *testing.T) {
	for _, c := range []struct{ prefix, want string }{{"a", "b"}, {"a\xff", "b"}, {"a\xff\xff", "b"}, {"\xff", ""}, {"", ""}, {"ab", "ac"}} {
		if got := after([]byte(c.prefix)); string(got) != c.want {
			t.Errorf("after %q is %q", c.prefix, got)
		}
	}
}

func TestDueAt(t *testing.T) {
	const now = 1_000_000
	levels := DefaultConfig().DelayLevels
	for properties, want := range map[string]int64{
		"":                            0,
		"DELAY\x011\x02":              now + 1000,
		"DELAY\x0118\x02":             now + 7_200_000,
		"DELAY\x0119\x02":             now + 7_200_000,
		"DELAY\x010\x02":              0,
		"DELAY\x01-3\x02":             0,
		"DELAY\x01x\x02":              0,
		"TIMER_DELAY_SEC\x015\x02":    now + 5000,
		"TIMER_DELAY_MS\x015\x02":     now + 5,
		"TIMER_DELIVER_MS\x0112\x02":  12,
		"TIMER_DELIVER_MS\x01-12\x02": 0,
		"TIMER_DELIVER_MS\x019999999999999999\x02":           0, // longer than any time
		"TIMER_DELAY_SEC\x01999999999999999\x02":             now + (1<<31-1)*1000,
		"TIMER_DELIVER_MS\x0112\x02TIMER_DELAY_MS\x0112\x02": now + 12,
		"TIMER_DELAY_MS\x0112\x02TIMER_DELAY_SEC\x0112\x02":  now + 12_000,
		"TIMER_DELAY_SEC\x0112\x02DELAY\x011\x02":            now + 1000,
		"TIMER_DELIVER_MS\x0112\x02TAGS\x01DELAY\x02":        12,
	} {
		if w := readWishes([]byte(properties)); w.due(now, levels) != want {
			t.Errorf("%q is due at %d, not %d", properties, w.due(now, levels), want)
		}
	}
	for level, want := range []int64{0, now + 7000, now + 9000, now + 9000} {
		if w := readWishes(fmt.Appendf(nil, "DELAY\x01%d\x02", level)); w.due(now, []int64{7000, 9000}) != want {
			t.Errorf("level %d of two is due at %d, not %d", level, w.due(now, []int64{7000, 9000}), want)
		}
	}
}

// knot is what the heap and the list are tested with.
type knot struct {
	links[*knot]
	time int64
	slot int32
}

func (k *knot) due() int64                { return k.time }
func (k *knot) before(other *knot) bool   { return k.time < other.time }
func (k *knot) place() *int32             { return &k.slot }
func (k *knot) neighbours() *links[*knot] { return &k.links }

func TestHeapAgainstSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var h heap[*knot]
	var in []*knot
	for step := range 20_000 {
		switch rng.IntN(5) {
		case 0, 1:
			k := &knot{time: rng.Int64N(50)}
			h.moved(k) // adds what is not in
			in = append(in, k)
		case 2:
			if len(in) > 0 {
				k := in[rng.IntN(len(in))]
				k.time = rng.Int64N(50)
				h.moved(k)
			}
		default:
			if len(in) > 0 {
				i := rng.IntN(len(in))
				h.remove(in[i])
				h.remove(in[i]) // does nothing
				in = slices.Delete(in, i, i+1)
			}
		}
		if least := slices.MinFunc(append(in, &knot{time: never}), func(x, y *knot) int { return int(min(1, max(-1, x.time-y.time))) }); h.due() != least.time {
			t.Fatalf("step %d: the first is due at %d, not %d", step, h.due(), least.time)
		}
		for i, k := range h.items {
			if int(k.slot) != i+1 {
				t.Fatalf("step %d: place %d says %d", step, i+1, k.slot)
			}
		}
	}
}

func TestListAgainstSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var l list[*knot]
	var in []*knot
	for step := range 20_000 {
		if rng.IntN(2) == 0 || len(in) == 0 {
			k := &knot{}
			l.push(k)
			in = append(in, k)
		} else {
			i := rng.IntN(len(in))
			l.remove(in[i])
			if in[i].prev != nil || in[i].next != nil {
				t.Fatal("what is in no list has neighbours")
			}
			in = slices.Delete(in, i, i+1)
		}
		i := 0
		for k := l.front; k != nil; k = k.next {
			if k != in[i] {
				t.Fatalf("step %d: place %d", step, i)
			}
			i++
		}
		if i != len(in) || l.count != i || i > 0 && l.back != in[i-1] {
			t.Fatalf("step %d: %d, counted %d, not %d", step, i, l.count, len(in))
		}
	}
}
