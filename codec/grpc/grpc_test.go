package grpc

import (
	"bytes"
	"math"
	"net/url"
	"strconv"
	"testing"
	"time"
)

func TestPrefix(t *testing.T) {
	b := AppendPrefix([]byte("x"), 0x01020304)
	if !bytes.Equal(b, []byte{'x', 0, 1, 2, 3, 4}) {
		t.Fatal(b)
	}
	if p := ParsePrefix([]byte{7, 0xff, 0xff, 0xff, 0xff, 9}); p.Flag != 7 || p.Length != math.MaxUint32 {
		t.Fatal(p)
	}
}

func TestCodeNames(t *testing.T) {
	for code := OK; code <= CodeMax; code++ {
		if code.String() == "" {
			t.Error(uint32(code))
		}
	}
	if s := (Status{Code: 99, Message: "m"}).String(); s != "CODE_UNKNOWN: m" {
		t.Error(s)
	}
	if s := (Status{}).String(); s != "OK" {
		t.Error(s)
	}
}

func TestParseTimeout(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration // -1: malformed
	}{
		{"1H", time.Hour},
		{"2M", 2 * time.Minute},
		{"3S", 3 * time.Second},
		{"4m", 4 * time.Millisecond},
		{"5u", 5 * time.Microsecond},
		{"6n", 6},
		{"0S", 0},
		{"00000001S", time.Second},
		{"99999999S", 99999999 * time.Second},
		{"2562047H", 2562047 * time.Hour},
		{"2562048H", math.MaxInt64},
		{"99999999H", math.MaxInt64},
		{"", -1},
		{"S", -1},
		{"5", -1},
		{"5s", -1},
		{"-5S", -1},
		{"+5S", -1},
		{"1.5S", -1},
		{" 5S", -1},
		{"5S ", -1},
		{"123456789S", -1},
	} {
		got, err := ParseTimeout([]byte(c.text))
		if err != nil {
			got = -1
		}
		if got != c.want || (err != nil && err != ErrTimeout) {
			t.Errorf("%q: %v, %v", c.text, got, err)
		}
	}
}

func TestMessage(t *testing.T) {
	for _, c := range []struct{ plain, encoded string }{
		{"", ""},
		{"all good", "all good"},
		{"100%", "100%25"},
		{"line\r\nbreak", "line%0D%0Abreak"},
		{"für", "f%C3%BCr"},
		{"~\x7f", "~%7F"},
		{"%41", "%2541"},
		{"  at both ends ", "%20 at both ends%20"},
		{" ", "%20"},
	} {
		if got := string(AppendMessage(nil, c.plain)); got != c.encoded || EncodedLen(c.plain) != len(got) {
			t.Errorf("%q: %q, %d", c.plain, got, EncodedLen(c.plain))
		}
		if got := DecodeMessage([]byte(c.encoded)); got != c.plain {
			t.Errorf("%q: %q", c.encoded, got)
		}
	}
	for _, kept := range []string{"%", "%4", "%zz", "a%%"} {
		if got := DecodeMessage([]byte(kept)); got != kept {
			t.Errorf("%q: %q", kept, got)
		}
	}
}

func FuzzTimeout(f *testing.F) {
	f.Add([]byte("20S"))
	f.Add([]byte("99999999H"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseTimeout(b)
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(string(b[:len(b)-1]))
		unit := timeoutUnit(b[len(b)-1])
		if d < 0 || (d != math.MaxInt64 && d != time.Duration(n)*unit) || (d == math.MaxInt64 && n < 2562048) {
			t.Fatalf("%q: %v", b, d)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add("100%\n", []byte("%4"))
	f.Fuzz(func(t *testing.T, plain string, encoded []byte) {
		b := AppendMessage(nil, plain)
		if DecodeMessage(b) != plain || len(b) != EncodedLen(plain) {
			t.Fatalf("%q: %q", plain, b)
		}
		for _, c := range b {
			if c < 0x20 || c > 0x7e {
				t.Fatalf("%q: %q", plain, b)
			}
		}
		if other, err := url.PathUnescape(string(b)); err != nil || other != plain {
			t.Fatalf("%q: %q, %v", plain, other, err)
		}
		DecodeMessage(encoded)
	})
}
