package apiv2

import (
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestTimestampAgreesWithGenerated(t *testing.T) {
	rng := newRand()
	for range 2000 {
		ts := Timestamp{Seconds: someInt(rng), Nanos: int32(someInt(rng)), Set: true}
		g := &timestamppb.Timestamp{Seconds: ts.Seconds, Nanos: ts.Nanos}
		if ts.Valid() != g.IsValid() {
			t.Fatalf("%+v: valid %v, generated %v", ts, ts.Valid(), g.IsValid())
		}
		if g.IsValid() && ts.UnixMilli() != g.AsTime().UnixMilli() {
			t.Fatalf("%+v: %d ms, generated %d", ts, ts.UnixMilli(), g.AsTime().UnixMilli())
		}
	}
}

func TestTimestampOf(t *testing.T) {
	for _, millis := range []int64{0, 1, 999, 1000, 1763939807123, -1, -999, -1000, -1001, math.MaxInt64, math.MinInt64} {
		got, want := TimestampOfMillis(millis), TimestampOf(time.UnixMilli(millis))
		if got != want {
			t.Errorf("%d ms: got %+v, want %+v", millis, got, want)
		}
	}
}

func TestDurationAgreesWithGenerated(t *testing.T) {
	rng := newRand()
	check := func(seconds int64, nanos int32) {
		d := Duration{Seconds: seconds, Nanos: nanos, Set: true}
		g := &durationpb.Duration{Seconds: d.Seconds, Nanos: d.Nanos}
		if d.Valid() != g.IsValid() {
			t.Fatalf("%+v: valid %v, generated %v", d, d.Valid(), g.IsValid())
		}
		if d.Valid() && d.AsDuration() != g.AsDuration() {
			t.Fatalf("%+v: %v, generated %v", d, d.AsDuration(), g.AsDuration())
		}
	}
	for range 2000 {
		check(someInt(rng), int32(someInt(rng)))
	}
	const edge = math.MaxInt64 / int64(time.Second)
	for _, seconds := range []int64{edge - 1, edge, edge + 1, -edge + 1, -edge, -edge - 1} {
		for _, nanos := range []int32{-999_999_999, -854_775_808, -854_775_809, 0, 854_775_807, 854_775_808, 999_999_999} {
			check(seconds, nanos)
		}
	}
}
