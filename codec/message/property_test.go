package message

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func listProperties(b string) string {
	var out strings.Builder
	r := ReadProperties([]byte(b))
	for name, value, ok := r.Next(); ok; name, value, ok = r.Next() {
		fmt.Fprintf(&out, "%s=%s;", name, value)
	}
	return out.String()
}

func TestReadProperties(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"k\x01v\x02":                      "k=v;",
		"k\x01v":                          "k=v;", // the last end is optional
		"a\x01b\x02\x02\x02c\x01d":        "a=b;c=d;",
		"TAGS\x01\x02k\x01v\x02":          "k=v;", // gRPC specification 16
		"\x01v\x02k\x01v\x02":             "k=v;",
		"novalue\x02k\x01v\x02":           "k=v;",
		"k\x01v\x01w\x02":                 "k=v\x01w;",
		"k\x01first\x02k\x01last\x02":     "k=first;k=last;",
		"\x01\x02\x01\x01\x02":            "",
		"\u00e4\x01\u4e2d\U0001F600\x02x": "ä=中😀;",
	} {
		if got := listProperties(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestProperty(t *testing.T) {
	b := []byte("k\x01first\x02empty\x01\x02k\x01last\x02kk\x01other\x02")
	if got := Property(b, "k"); string(got) != "last" {
		t.Errorf("%q: the last one counts", got)
	}
	if Property(b, "empty") != nil || Property(b, "absent") != nil || Property(nil, "k") != nil {
		t.Error("what has no value is not there")
	}
}

func TestPropertyWriter(t *testing.T) {
	w := NewPropertyWriter([]byte("before"))
	w.PutString(NameTags, "")
	w.Put([]byte("k"), []byte("v"))
	w.PutInt(NameTimerDeliverMs, -1<<63)
	w.PutBytes(NameKeys, []byte("a b"))
	want := "beforeTAGS\x01\x02k\x01v\x02TIMER_DELIVER_MS\x01-9223372036854775808\x02KEYS\x01a b\x02"
	if string(w.Bytes()) != want || w.Err() != nil {
		t.Errorf("%q %v", w.Bytes(), w.Err())
	}
}

func TestPropertyWriterRefusesSeparators(t *testing.T) {
	for _, pair := range [][2]string{{"k\x01", "v"}, {"k\x02", "v"}, {"k", "v\x01"}, {"k", "v\x02UNIQ_KEY\x01stolen"}} {
		w := NewPropertyWriter(nil)
		w.PutString("a", "b")
		w.Put([]byte(pair[0]), []byte(pair[1]))
		w.PutString("c", "d")
		if !errors.Is(w.Err(), ErrPropertySeparator) || string(w.Bytes()) != "a\x01b\x02c\x01d\x02" {
			t.Errorf("%q: %q %v", pair, w.Bytes(), w.Err())
		}
	}
}

func TestPropertyWriterLimit(t *testing.T) {
	dst := []byte("before")
	w := NewPropertyWriter(dst)
	w.PutString("k", strings.Repeat("v", PropertiesBytesMax-3))
	if w.Err() != nil {
		t.Error(w.Err())
	}
	w.PutString("k", "")
	if !errors.Is(w.Err(), ErrPropertiesLong) {
		t.Error(w.Err())
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]bool{
		NameUniqKey: true, NamePopCK: true, "__CRC32#": true, "CORRELATION_ID": true, NameLiteTopic: true,
		NameShardingKey: false, NameTraceContext: false, NameTransactionID: false, NameMultiDispatch: false, "user": false, "": false,
	} {
		if Reserved([]byte(name)) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	for name := range reserved {
		if !Reserved([]byte(name)) {
			t.Errorf("%s is not reserved", name)
		}
	}
	if len(reserved) != 54 {
		t.Errorf("%d reserved names", len(reserved))
	}
}

func TestTypeOf(t *testing.T) {
	for in, want := range map[string]Type{
		"":                               TypeNormal,
		"k\x01v\x02":                     TypeNormal,
		"TRAN_MSG\x01TRUE\x02DELAY\x011": TypeTransaction,
		"TRAN_MSG\x01false\x02":          TypeNormal,
		"__SHARDINGKEY\x01g\x02TIMER_DELIVER_MS\x011\x02": TypeDelay,
		"DELAY\x013\x02":                               TypeDelay,
		"TIMER_DELAY_SEC\x013\x02":                     TypeDelay,
		"TIMER_DELAY_MS\x013\x02":                      TypeDelay,
		"__LITE_TOPIC\x01l\x02__SHARDINGKEY\x01g\x02":  TypeFIFO,
		"__LITE_TOPIC\x01l\x02_SYS_MSG_PRIORITY_\x011": TypePriority,
		"__LITE_TOPIC\x01l\x02":                        TypeLite,
		"__SHARDINGKEY\x01\x02":                        TypeNormal, // no value, no property
	} {
		if got := TypeOf([]byte(in)); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
	if TypeFIFO.String() != "FIFO" || Type(99).String() != "UNSPECIFIED" {
		t.Error("names")
	}
}

// checkProperty compares with what a walk finds.
func checkProperty(t *testing.T, properties, key string) {
	t.Helper()
	var want []byte
	r := ReadProperties([]byte(properties))
	for name, value, ok := r.Next(); ok; name, value, ok = r.Next() {
		if string(name) == key {
			want = value
		}
	}
	if got := Property([]byte(properties), key); string(got) != string(want) || (got == nil) != (want == nil) {
		t.Fatalf("%q, %q: %q, want %q", properties, key, got, want)
	}
}

func TestPropertyAgreesWithWalk(t *testing.T) {
	const alphabet = "k\x01\x02v"
	for n := range 1 << 14 { // all strings of seven of them
		var b [7]byte
		for i := range b {
			b[i] = alphabet[n>>(2*i)&3]
		}
		for _, key := range []string{"", "k", "kk", "k\x01k", "kv", "\x01", "k\x02k"} {
			checkProperty(t, string(b[:]), key)
		}
	}
}

// A separator is found wherever it stands, and nothing else is taken for one.
func TestSeparated(t *testing.T) {
	for n := range 40 {
		b := make([]byte, n) // zeros are below 3, too, and no separators
		for at := range b {
			for c := range 256 {
				if b[at] = byte(c); separated(b) != (c == nameEnd || c == valueEnd) {
					t.Fatalf("%d bytes, %#x at %d", n, c, at)
				}
			}
			b[at] = "\x00a\x80\xff\x03"[at%5]
		}
	}
}

func FuzzProperties(f *testing.F) {
	f.Add("k", "v", "k\x01v\x02empty\x01\x02")
	f.Fuzz(func(t *testing.T, key, value, before string) {
		before = strings.TrimRight(before, "\x02") + "\x02"
		b, err := AppendProperty([]byte(before), key, value)
		if refused := strings.ContainsAny(key+value, "\x01\x02"); refused != (err != nil) {
			t.Fatal(err)
		}
		checkProperty(t, before, key)
		w := NewPropertyWriter([]byte(before))
		w.Put([]byte(key), []byte(value))
		if string(w.Bytes()) != string(b) || (w.Err() == nil) != (err == nil) && len(b)-len(before) <= PropertiesBytesMax {
			t.Fatalf("the writer writes %q %v", w.Bytes(), w.Err())
		}
		if err != nil {
			if string(b) != before {
				t.Fatal("a refused pair left something behind")
			}
			return
		}
		want := listProperties(before)
		if key != "" && value != "" {
			want += key + "=" + value + ";"
		}
		if got := listProperties(string(b)); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}
