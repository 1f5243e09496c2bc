package message

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// asJava is what the reference's MessageExt was filled with when its MessageDecoder wrote
// testdata/java_record_*.hex. That encoder leaves the checksum at zero and cannot write
// version 2.
func asJava(topicLen int, six bool) Record {
	rec := Record{
		QueueID: 3, Flag: -1, ReconsumeTimes: 2, QueueOffset: 1 << 40, PhysicalOffset: 1 << 41,
		BornTimestamp: 1_795_400_000_000, StoreTimestamp: 1_795_400_000_001, PreparedTransactionOffset: 5,
		BornHost:  Host{IP: netip.MustParseAddr("10.1.2.3"), Port: 38292},
		StoreHost: Host{IP: netip.MustParseAddr("127.0.0.1"), Port: 10911},
		Topic:     []byte(strings.Repeat("t", topicLen)), Properties: []byte("k\x01v\x02"),
	}
	if six {
		rec.BornHost.IP = netip.MustParseAddr("fd00::1")
	}
	return rec
}

func TestRecordIsJavaByteForByte(t *testing.T) {
	const crcAt = 8
	for _, topicLen := range []int{5, 127} {
		for suffix, six := range map[string]bool{"_ip4": false, "_ip6": true} {
			rec := asJava(topicLen, six)
			got := AppendRecord(nil, &rec, []byte("hello"))
			clear(got[crcAt : crcAt+4])
			want := readGolden(t, "java_record_"+strconv.Itoa(topicLen)+suffix)
			if string(got) != string(want) {
				t.Errorf("%d %s:\n got %x\nwant %x", topicLen, suffix, got, want)
			}
		}
	}
}
