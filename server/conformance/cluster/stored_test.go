package cluster

import (
	"encoding/binary"
	"slices"
	"testing"
)

// record is a message in the layout of the commit log, with IPv4 hosts unless flags say otherwise.
func record(magic int32, sysFlag int32, topic string, hostBytes int) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(magic))
	b = append(b, make([]byte, 4+4)...)
	b = binary.BigEndian.AppendUint32(b, 7)
	b = append(b, make([]byte, 8+8)...)
	b = binary.BigEndian.AppendUint32(b, uint32(sysFlag))
	b = binary.BigEndian.AppendUint64(b, 1_700_000_000_000)
	b = append(b, make([]byte, hostBytes+8+hostBytes)...)
	b = binary.BigEndian.AppendUint32(b, 3)
	b = append(b, make([]byte, 8)...)
	b = append(binary.BigEndian.AppendUint32(b, 4), "body"...)
	if magic == magicLongTopic {
		b = append(b, 0)
	}
	b = append(append(b, byte(len(topic))), topic...)
	properties := "TAGS\x01red\x02k\x01v=1\x02"
	return append(binary.BigEndian.AppendUint16(b, uint16(len(properties))), properties...)
}

func TestStoredMessageIsRead(t *testing.T) {
	const magic = -626843481
	for _, bytes := range [][]byte{
		record(magic, 0, "orders", 8), record(magicLongTopic, 0, "orders", 8), record(magic, flagBornV6|flagHostV6, "orders", 20),
	} {
		m, err := parseStored(bytes)
		if err != nil {
			t.Fatal(err)
		}
		if m.Topic != "orders" || m.Body != "body" || m.Flag != 7 || m.BornTimestamp != 1_700_000_000_000 || m.ReconsumeTimes != 3 ||
			!slices.Equal(m.Properties, []string{"TAGS=red", "k=v=1"}) {
			t.Errorf("read %+v", m)
		}
		for n := range bytes {
			if _, err := parseStored(bytes[:n]); err == nil {
				t.Errorf("%d of %d bytes were read", n, len(bytes))
			}
		}
	}
}
