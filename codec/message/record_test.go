package message

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// dump walks a chain and shows every record on a line.
func dump(t testing.TB, b []byte, size int) (lines []string, err error) {
	c := chainOf(t, b, size)
	rd := NewReader(c)
	var rec Record
	for rd.Next(&rec) {
		lines = append(lines, fmt.Sprintf("%d+%d %q %q %q q=%d@%d log=%d born=%d %v store=%d %v flags=%d/%d again=%d half=%d crc=%v",
			rec.Offset, rec.Size, rec.Topic, rec.Properties, cut(c, rec.BodyOffset, rec.BodyLen), rec.QueueID, rec.QueueOffset,
			rec.PhysicalOffset, rec.BornTimestamp, rec.BornHost, rec.StoreTimestamp, rec.StoreHost, rec.Flag, rec.SysFlag,
			rec.ReconsumeTimes, rec.PreparedTransactionOffset, CRC(cut(c, rec.BodyOffset, rec.BodyLen)) == rec.BodyCRC))
	}
	return lines, rd.Err()
}

// goldenBodies hold whole records that a broker wrote.
var goldenBodies = []string{"pop_body", "pop_fifo_body", "pull_v2_body", "check_transaction_body"}

func TestReaderGolden(t *testing.T) {
	for _, name := range goldenBodies {
		b := readGolden(t, name)
		whole, err := dump(t, b, len(b))
		if err != nil || len(whole) == 0 {
			t.Fatal(whole, err)
		}
		for _, line := range whole {
			if !strings.Contains(line, "codec_golden") || !strings.Contains(line, "127.0.0.1:10911") || !strings.HasSuffix(line, "crc=true") {
				t.Error(line)
			}
		}
		for size := 1; size <= 300; size++ {
			if pieces, err := dump(t, b, size); err != nil || strings.Join(pieces, "\n") != strings.Join(whole, "\n") {
				t.Fatalf("%s in pieces of %d: %v\n%s", name, size, err, strings.Join(pieces, "\n"))
			}
		}
	}
}

// TestAppendRecordGolden makes every golden record again.
func TestAppendRecordGolden(t *testing.T) {
	for _, name := range goldenBodies {
		b := readGolden(t, name)
		c := chainOf(t, b, len(b))
		rd := NewReader(c)
		var rec Record
		var again []byte
		for rd.Next(&rec) {
			again = AppendRecord(again, &rec, cut(c, rec.BodyOffset, rec.BodyLen))
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%s:\n got %x\nwant %x", name, again, b)
		}
	}
}

// The first record of specification 9.4.
const dumped = "000000dcdaa320a7154677bc000000000000000000000000000000000000000000000000" +
	"00000000000001a205555f927f0000010000959400" + "0001a205555fbb7f00000100005597" +
	"00000000000000000000000000000007" + "68656c6c6f2d3002544e0078"

func TestReaderDump(t *testing.T) {
	b, err := hex.DecodeString(dumped)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, bytes.Repeat([]byte{'p'}, 0x78)...)
	lines, err := dump(t, b, 50)
	want := `0+220 "TN" "` + strings.Repeat("p", 0x78) + `" "hello-0" q=0@0 log=0 born=1795385810834 127.0.0.1:38292 ` +
		`store=1795385810875 127.0.0.1:21911 flags=0/0 again=0 half=0 crc=true`
	if err != nil || len(lines) != 1 || lines[0] != want {
		t.Errorf("%v\n got %s\nwant %s", err, lines, want)
	}
}

func sample(topic string, six bool) Record {
	host := Host{IP: netip.MustParseAddr("10.1.2.3"), Port: 65535}
	if six {
		host.IP = netip.MustParseAddr("fd00::1")
	}
	return Record{
		QueueID: 3, Flag: -1, SysFlag: FlagCompressed, ReconsumeTimes: 2, QueueOffset: 1 << 40, PhysicalOffset: 1 << 41,
		BornTimestamp: 1, StoreTimestamp: 2, PreparedTransactionOffset: 5, BornHost: host,
		StoreHost: Host{IP: netip.MustParseAddr("127.0.0.1"), Port: 10911}, Topic: []byte(topic), Properties: []byte("k\x01v\x02"),
	}
}

func TestRecordVersionsAndHosts(t *testing.T) {
	for _, topic := range []string{"t", strings.Repeat("t", 127), strings.Repeat("t", 128), strings.Repeat("t", 255), strings.Repeat("t", 300)} {
		for _, six := range []bool{false, true} {
			want := sample(topic, six)
			b := AppendRecord([]byte(nil), &want, []byte("body"))
			c := chainOf(t, b, 7)
			rd := NewReader(c)
			var got Record
			if !rd.Next(&got) || rd.Err() != nil {
				t.Fatal(len(topic), six, rd.Err())
			}
			if v2 := got.Magic == MagicV2; v2 != (len(topic) > 127) {
				t.Errorf("topic of %d bytes: %#x", len(topic), got.Magic)
			}
			if string(got.Topic) != topic || got.BornHost != want.BornHost || got.StoreHost != want.StoreHost ||
				got.SysFlag&FlagBornHostV6 != 0 != six || got.PreparedTransactionOffset != 5 || string(got.Properties) != "k\x01v\x02" {
				t.Errorf("%+v", got)
			}
			if rd.Next(&got) {
				t.Error("one record too many")
			}
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	rec := sample("topic", false)
	good := AppendRecord(nil, &rec, []byte("body"))
	patched := func(at int, with ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], with)
		return b
	}
	for name, c := range map[string]struct {
		b   []byte
		err error
	}{
		"size too large":       {patched(3, good[3]+1), ErrRecordSize},
		"size too small":       {patched(3, good[3]-1), ErrRecordSize},
		"size negative":        {patched(0, 0xFF), ErrRecordSize},
		"size zero":            {patched(0, 0, 0, 0, 0), ErrRecordSize},
		"magic":                {patched(4, 0), ErrRecordMagic},
		"blank at file's end":  {patched(4, 0xCB, 0xD4, 0x31, 0x94), ErrRecordMagic},
		"body length":          {patched(84, 0, 0, 0, 200), ErrRecordSize},
		"body length negative": {patched(84, 0xFF), ErrRecordSize},
		"topic length":         {patched(92, 255), ErrRecordSize},
		"properties length":    {patched(98, 0, 5), ErrRecordSize},
		"IPv6 host":            {patched(39, 0x10), ErrRecordSize},
		"three bytes":          {good[:3], ErrRecordSize},
		"all but the last":     {good[:len(good)-1], ErrRecordSize},
	} {
		lines, err := dump(t, append(bytes.Clone(good), c.b...), 11)
		if !errors.Is(err, c.err) || len(lines) != 1 {
			t.Errorf("%s: %v after %d records", name, err, len(lines))
		}
	}
}

// TestReaderSkipsTrailer: bytes between the properties and the end of the record belong to it.
func TestReaderSkipsTrailer(t *testing.T) {
	rec := sample("topic", false)
	b := append(AppendRecord(nil, &rec, nil), "trailer"...)
	b[3] += 7
	b = AppendRecord(b, &rec, nil)
	if lines, err := dump(t, b, 1000); err != nil || len(lines) != 2 {
		t.Error(lines, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(readGolden(f, "pop_body"), 1000)
	f.Add(readGolden(f, "pop_fifo_body"), 13)
	rec := sample(strings.Repeat("t", 200), true)
	f.Add(AppendRecord(nil, &rec, []byte("body")), 5)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if size <= 0 || size > 1<<16 {
			return
		}
		pieces, errPieces := dump(t, b, size)
		whole, errWhole := dump(t, b, len(b)+1)
		if strings.Join(pieces, "\n") != strings.Join(whole, "\n") || !errors.Is(errPieces, errWhole) {
			t.Fatalf("in pieces of %d: %v %v\nwhole: %v %v", size, pieces, errPieces, whole, errWhole)
		}
		roundTrip(t, b)
	})
}

// roundTrip: what is read and written again reads the same, apart from the checksum.
func roundTrip(t *testing.T, b []byte) {
	c := chainOf(t, b, len(b)+1)
	rd := NewReader(c)
	var rec, again Record
	for rd.Next(&rec) {
		if len(rec.Topic) > topicBytesV1Max != (rec.Magic == MagicV2) {
			continue // a version that we would not choose
		}
		body := cut(c, rec.BodyOffset, rec.BodyLen)
		copied := chainOf(t, AppendRecord(nil, &rec, body), 1<<20)
		second := NewReader(copied)
		if !second.Next(&again) || !bytes.Equal(again.Topic, rec.Topic) || !bytes.Equal(again.Properties, rec.Properties) ||
			again.BornHost != rec.BornHost || again.StoreHost != rec.StoreHost || again.PreparedTransactionOffset != rec.PreparedTransactionOffset {
			t.Fatalf("%+v\n%+v", rec, again)
		}
	}
}
