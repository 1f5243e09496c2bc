package content

import "testing"

func TestSizesReachBothEnds(t *testing.T) {
	s := Series{Seed: 1, BytesMost: BodyBytesMax}
	total, smallest, largest := 0, BodyBytesMax, 0
	for i := range 1000 {
		n := s.Size(i)
		total, smallest, largest = total+n, min(smallest, n), max(largest, n)
	}
	if s.Size(0) != 1 || s.Size(1) != BodyBytesMax {
		t.Errorf("the first two have %d and %d bytes", s.Size(0), s.Size(1))
	}
	if smallest != 1 || largest != BodyBytesMax {
		t.Errorf("sizes from %d to %d", smallest, largest)
	}
	if total < 12e6 || total > 16e6 {
		t.Errorf("a thousand messages have %d bytes", total)
	}
}

func TestLedgerTellsLostTwiceAndDamaged(t *testing.T) {
	s := Series{Seed: 7, BytesMost: 100}
	l := NewLedger(s, 4)
	l.Enter(s.At(0))
	l.Enter(s.At(2))
	l.Enter(s.At(2))
	damaged := s.At(3)
	damaged.Body[0] ^= 1
	l.Enter(damaged)

	r := l.Report()
	if r.Received != 4 || r.Distinct != 2 || r.Duplicates != 1 || len(r.Faults) != 1 || len(r.Missing) != 2 {
		t.Errorf("report %+v", r)
	}
	select {
	case <-l.Full:
		t.Error("full with two missing")
	default:
	}
	l.Enter(s.At(1))
	l.Enter(s.At(3))
	<-l.Full
}
