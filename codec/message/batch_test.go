package message

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rocketmq-proxy/pool"
)

// The batch of specification 3.6, made by the reference's own encoder.
const dumpedBatch = "000000360000000000000000000000000000000462 6f6479001c4b455953016b657902574149540174727565025441475301746167 02" +
	"00000021000000000000000000000000000000017800 0a57414954017472756502"

func batchBytes(t testing.TB) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(dumpedBatch, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAppendBatch(t *testing.T) {
	bodies := chainOf(t, []byte("..bodyx"), 3)
	var out pool.Chain
	defer out.Release()
	err := errors.Join(
		AppendBatch(&out, 0, bodies, 2, 4, []byte("KEYS\x01key\x02WAIT\x01true\x02TAGS\x01tag\x02")),
		AppendBatch(&out, 0, bodies, 6, 1, []byte("WAIT\x01true\x02")))
	if got := out.AppendTo(nil); err != nil || string(got) != string(batchBytes(t)) {
		t.Errorf("%x %v", got, err)
	}
	if bodies.Len() != 7 {
		t.Error("the bodies are shared, not taken")
	}
	if err := AppendBatch(&out, 0, bodies, 0, 1, make([]byte, PropertiesBytesMax+1)); !errors.Is(err, ErrPropertiesLong) {
		t.Error(err)
	}
}

func dumpBatch(t testing.TB, b []byte, size int) (lines []string, err error) {
	c := chainOf(t, b, size)
	rd := NewBatchReader(c)
	var m BatchMessage
	for rd.Next(&m) {
		lines = append(lines, fmt.Sprintf("%d %q %q", m.Flag, cut(c, m.BodyOffset, m.BodyLen), m.Properties))
	}
	return lines, rd.Err()
}

func TestBatchReader(t *testing.T) {
	b := batchBytes(t)
	want := `0 "body" "KEYS\x01key\x02WAIT\x01true\x02TAGS\x01tag\x02"` + "\n" + `0 "x" "WAIT\x01true\x02"`
	for size := 1; size <= len(b); size++ {
		if lines, err := dumpBatch(t, b, size); err != nil || strings.Join(lines, "\n") != want {
			t.Fatalf("in pieces of %d: %v %v", size, lines, err)
		}
	}
	for n := 1; n < 0x36; n++ {
		if lines, err := dumpBatch(t, b[:n], 100); err == nil || len(lines) > 0 {
			t.Fatalf("cut at %d: %v", n, lines)
		}
	}
	b[3]++
	if _, err := dumpBatch(t, b, 100); !errors.Is(err, ErrBatch) {
		t.Error(err)
	}
}

func FuzzBatchReader(f *testing.F) {
	f.Add(batchBytes(f), 7)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if size <= 0 || size > 1<<16 {
			return
		}
		pieces, errPieces := dumpBatch(t, b, size)
		whole, errWhole := dumpBatch(t, b, len(b)+1)
		if strings.Join(pieces, "\n") != strings.Join(whole, "\n") || !errors.Is(errPieces, errWhole) {
			t.Fatal(pieces, errPieces, whole, errWhole)
		}
	})
}
