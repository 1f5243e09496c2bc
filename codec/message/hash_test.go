package message

import (
	"net/netip"
	"testing"
	"unicode/utf16"
)

// The vectors of gRPC specification 16, computed with the reference.
func TestHashVectors(t *testing.T) {
	buckets := []int{1, 2, 4, 8, 16, 64}
	for _, c := range []struct {
		text string
		hash int32
		want []int
	}{
		{"a", 97, []int{0, 0, 0, 0, 0, 29}},
		{"order-1", -1207111310, []int{0, 0, 3, 3, 3, 3}},
		{"order-2", -1207111309, []int{0, 0, 2, 2, 11, 46}},
		{"用户42", 917655757, []int{0, 1, 3, 4, 13, 13}},
		{"group", 98629247, []int{0, 0, 0, 0, 8, 8}},
	} {
		if got := HashCode(c.text); got != c.hash {
			t.Errorf("%s: %d, want %d", c.text, got, c.hash)
		}
		for i, n := range buckets {
			if got := GroupBucket([]byte(c.text), n); got != c.want[i] {
				t.Errorf("%s in %d: %d, want %d", c.text, n, got, c.want[i])
			}
		}
	}
	if TagHash(nil) != 0 || TagHash([]byte("order-1")) != -1207111310 {
		t.Error("tag hash")
	}
}

func FuzzHashCode(f *testing.F) {
	f.Add("a😀中b")
	f.Fuzz(func(t *testing.T, s string) {
		var want int32
		for _, unit := range utf16.Encode([]rune(s)) {
			want = 31*want + int32(unit)
		}
		if got := HashCode(s); got != want {
			t.Fatalf("%q: %d, want %d", s, got, want)
		}
		if got := HashCode([]byte(s)); got != want {
			t.Fatalf("%q as bytes: %d, want %d", s, got, want)
		}
	})
}

func TestConsistentHashMovesToNewBucketsOnly(t *testing.T) {
	for hash := int64(-500); hash < 500; hash++ {
		before := 0
		for n := 1; n < 40; n++ {
			if now := ConsistentHash(hash*7919, n); now != before && now != n-1 {
				t.Fatalf("%d: %d of %d after %d", hash, now, n, before)
			} else {
				before = now
			}
		}
	}
}

func TestOffsetID(t *testing.T) {
	for id, want := range map[string]Host{
		"7F0000010000559700000000000000DC":                         {IP: netip.MustParseAddr("127.0.0.1"), Port: 21911},
		"FD0000000000000000000000000000010000559700000000000000DC": {IP: netip.MustParseAddr("fd00::1"), Port: 21911},
	} {
		host, offset, ok := ParseOffsetID([]byte(id))
		if !ok || host != want || offset != 0xDC {
			t.Errorf("%s: %v %d %v", id, host, offset, ok)
		}
		if got := string(AppendOffsetID(nil, want, 0xDC)); got != id {
			t.Errorf("%s, want %s", got, id)
		}
	}
	for _, id := range []string{"", "7F", "7F0000010000559700000000000000D", "7F0000010000559700000000000000DG", "01AABBCCDDEEFF00010000000100000001"} {
		if _, _, ok := ParseOffsetID([]byte(id)); ok {
			t.Errorf("%q is accepted", id)
		}
	}
	if got := string(AppendOffsetID(nil, Host{}, 0)); got != "00000000000000000000000000000000" {
		t.Error(got)
	}
}

func FuzzOffsetID(f *testing.F) {
	f.Add([]byte("7F0000010000559700000000000000DC"))
	f.Add([]byte("FD0000000000000000000000000000010000559700000000000000DC"))
	f.Fuzz(func(t *testing.T, id []byte) {
		host, offset, ok := ParseOffsetID(id)
		if !ok {
			return
		}
		again, offsetAgain, ok := ParseOffsetID(AppendOffsetID(nil, host, offset))
		if !ok || again != host || offsetAgain != offset {
			t.Fatal(host, offset, again, offsetAgain)
		}
	})
}

func TestHostText(t *testing.T) {
	for want, h := range map[string]Host{
		"127.0.0.1:10911": {IP: netip.MustParseAddr("127.0.0.1"), Port: 10911},
		"fd00::1:5":       {IP: netip.MustParseAddr("fd00::1"), Port: 5},
		"0.0.0.0:0":       {},
	} {
		if h.String() != want {
			t.Errorf("%s, want %s", h, want)
		}
	}
}
