package handle

import (
	"errors"
	"strings"
	"testing"

	"rocketmq-proxy/pool/steady"
)

const vector = "100 1700000000000 60000 3 0 broker-a 5 123 987654"

func TestParseVector(t *testing.T) {
	h, err := Parse([]byte(vector))
	if err != nil {
		t.Fatal(err)
	}
	if h.StartOffset != 100 || h.RetrieveTime != 1_700_000_000_000 || h.InvisibleTime != 60_000 || h.ReviveQueueID != 3 ||
		h.TopicMark != MarkNormal || string(h.Broker) != "broker-a" || h.QueueID != 5 || h.Offset != 123 || h.CommitLogOffset != 987654 {
		t.Errorf("%+v", h)
	}
	if h.Expired(1_700_000_059_999) || !h.Expired(1_700_000_060_000) {
		t.Error("it ends at 1700000060000")
	}
	if got := string(Append([]byte("x"), &h)); got != "x"+vector {
		t.Error(got)
	}
}

func TestParseWithoutCommitLogOffset(t *testing.T) {
	ck := strings.TrimSuffix(vector, " 987654")
	h, err := Parse([]byte(ck))
	if err != nil || h.CommitLogOffset != CommitLogOffsetAbsent {
		t.Errorf("%+v %v", h, err)
	}
	if got := string(Append(nil, &h)); got != ck {
		t.Error(got)
	}
	h.CommitLogOffset = 987654
	if got := string(Append(nil, &h)); got != vector {
		t.Error(got)
	}
}

func TestParseIgnoresWhatFollows(t *testing.T) {
	h, err := Parse([]byte(vector + " more fields"))
	if err != nil || h.CommitLogOffset != 987654 {
		t.Errorf("%+v %v", h, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{
		"", " ", "broker-a",
		"100 1700000000000 60000 3 0 broker-a 5",
		"100 1700000000000 60000 3 0 broker-a 5 ",
		"100 1700000000000 60000 3 0 broker-a 5 123 ",
		"100 1700000000000 60000 3 0 broker-a 5 123 x",
		"100  1700000000000 60000 3 0 broker-a 5 123",
		" 100 1700000000000 60000 3 0 broker-a 5 123",
		"100 1700000000000 60000 3 3 broker-a 5 123",
		"100 1700000000000 60000 3 00 broker-a 5 123",
		"100 1700000000000 60000 3 0  5 123",
		"1e2 1700000000000 60000 3 0 broker-a 5 123",
		"9223372036854775808 1700000000000 60000 3 0 broker-a 5 123",
		"100 9223372036854775807 1 3 0 broker-a 5 123",
		"100 -1 60000 3 0 broker-a 5 123",
		"100 1700000000000 -1 3 0 broker-a 5 123",
		"100 1700000000000 60000 2147483648 0 broker-a 5 123",
		"100 1700000000000 60000 3 0 broker-a 2147483648 123",
		"100 1700000000000 60000 3 0 broker-a 5 9223372036854775808",
		"- 1700000000000 60000 3 0 broker-a 5 123",
	} {
		if h, err := Parse([]byte(bad)); !errors.Is(err, ErrHandle) {
			t.Errorf("%q: %+v %v", bad, h, err)
		}
	}
}

func TestAppendRealTopic(t *testing.T) {
	for mark, want := range map[byte]string{MarkNormal: "T", MarkRetryV1: "%RETRY%G_T", MarkRetryV2: "%RETRY%G+T"} {
		if got := string(AppendRealTopic(nil, mark, []byte("G"), []byte("T"))); got != want {
			t.Errorf("%c: %s, want %s", mark, got, want)
		}
	}
}

func TestMarkOf(t *testing.T) {
	for topic, want := range map[string]byte{
		"T": MarkNormal, "%RETRY%G_T": MarkRetryV1, "%RETRY%G+T": MarkRetryV2, "a+b": MarkNormal, "%RETRY%": MarkRetryV1,
	} {
		if got := MarkOf([]byte(topic)); got != want {
			t.Errorf("%s: %c, want %c", topic, got, want)
		}
	}
}

func TestRecallVector(t *testing.T) {
	const text = "djEgdCBicm9rZXItYSAxNzAwMDAwMDAwMDAxIDAxQUFCQkNDRERFRUZGMDAwMTAwMDAwMDAxMDAwMDAwMDE="
	for _, in := range []string{text, strings.TrimRight(text, "=")} {
		r, err := ParseRecall([]byte(in))
		if err != nil || string(r.Topic) != "t" || string(r.Broker) != "broker-a" || r.Timestamp != 1_700_000_000_001 ||
			string(r.MessageID) != "01AABBCCDDEEFF00010000000100000001" {
			t.Errorf("%+v %v", r, err)
		}
		if got := string(AppendRecall(nil, &r)); got != text {
			t.Error(got)
		}
	}
	for _, bad := range []string{"", "!", "djI=", "djEgdA==", "djEgdCBiIHggaWQ=", "djIgdCBiIDEgaWQ="} {
		if r, err := ParseRecall([]byte(bad)); !errors.Is(err, ErrRecall) {
			t.Errorf("%q: %+v", bad, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(vector))
	f.Add([]byte("0 1795387088695 10000 1 1 broker-b2 0 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Parse(b)
		if err != nil {
			return
		}
		text := Append(nil, &h)
		again, err := Parse(text)
		if err != nil || string(Append(nil, &again)) != string(text) || again.CommitLogOffset != max(h.CommitLogOffset, CommitLogOffsetAbsent) {
			t.Fatalf("%q: %q %v", b, text, err)
		}
	})
}

func FuzzParseRecall(f *testing.F) {
	f.Add([]byte("djEgdCBicm9rZXItYSAxNzAwMDAwMDAwMDAxIDAxQUFCQkNDRERFRUZGMDAwMTAwMDAwMDAxMDAwMDAwMDE="))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecall(b)
		if err != nil {
			return
		}
		if again, err := ParseRecall(AppendRecall(nil, &r)); err != nil || again.Timestamp != r.Timestamp || string(again.MessageID) != string(r.MessageID) {
			t.Fatal(r, again, err)
		}
	})
}

// hot are the walks that must not allocate.
func hot() map[string]func() {
	text, dst := []byte(vector), make([]byte, 0, 256)
	topic := []byte("%RETRY%readers_orders")
	h, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return map[string]func(){
		"Parse": func() {
			if _, err := Parse(text); err != nil {
				panic(err)
			}
		},
		"Append":          func() { Append(dst, &h) },
		"AppendRealTopic": func() { AppendRealTopic(dst, MarkRetryV1, text, text) },
		"MarkOf":          func() { MarkOf(topic) },
	}
}

func TestHotWalksDoNotAllocate(t *testing.T) {
	steady.AllocateNothing(t, hot())
}

func BenchmarkHandle(b *testing.B) {
	steady.Benchmark(b, hot())
}
