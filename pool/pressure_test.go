package pool

import "testing"

func TestPressure(t *testing.T) {
	var p Pressure
	for now := range Level(Levels) {
		p.Set(now, 10*int64(now), 100)
		if used, limit := p.Bytes(); p.Level() != now || used != 10*int64(now) || limit != 100 {
			t.Errorf("%v, %d of %d bytes", p.Level(), used, limit)
		}
		for l := NoPolls; l < Level(Levels); l++ {
			if p.Refuses(l) != (l <= now) {
				t.Errorf("at %v, what ends with %v", now, l)
			}
		}
	}
	for l, n := range map[Level]uint64{NoPolls: 3, NoCalls: 2, NoConnections: 1} {
		if p.Refused(l) != n {
			t.Errorf("%v: %d were refused", l, p.Refused(l))
		}
	}
	var none *Pressure
	if used, limit := none.Bytes(); none.Level() != Calm || none.Refuses(NoPolls) || none.Refused(NoPolls) != 0 || used != 0 || limit != 0 {
		t.Error("no pressure is some")
	}
}
