package apiv2

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/pool"
)

// A view sees what the generated type sees, however the message is cut.
func TestViewsAgreeWithGenerated(t *testing.T) {
	for _, vc := range viewCases() {
		t.Run(vc.name, func(t *testing.T) {
			rng := newRand()
			for range 500 {
				g := vc.generated()
				fill(rng, g.ProtoReflect())
				b := marshal(t, g)
				for _, chain := range []*pool.Chain{chainOf(b), chop(rng, b, 1), chop(rng, b, 7), chop(rng, b, 100)} {
					got, err := vc.parse(chain)
					if err != nil {
						t.Fatal(err)
					}
					wantEqual(t, got, vc.project(g))
				}
			}
		})
	}
}

// Every cut of one message into two views, and many a cut into three, makes no difference.
func TestViewsChoppedAnywhere(t *testing.T) {
	for _, vc := range viewCases() {
		t.Run(vc.name, func(t *testing.T) {
			b, want := sizedMessage(t, vc, 100, 300)
			for i := range len(b) + 1 {
				for j := i; j <= len(b); j += 7 {
					got, err := vc.parse(chainOf(b[:i], b[i:j], b[j:]))
					if err != nil {
						t.Fatalf("cut at %d and %d: %v", i, j, err)
					}
					wantEqual(t, got, want)
				}
			}
		})
	}
}

// A message cut short is either a shorter message or an error, the same as for the generated type.
func TestViewsTruncated(t *testing.T) {
	for _, vc := range viewCases() {
		t.Run(vc.name, func(t *testing.T) {
			b, _ := sizedMessage(t, vc, 300, 1000)
			for i := range b {
				agree(t, vc, b[:i])
			}
		})
	}
}

// Fields that come twice, and messages that come in pieces, merge: two encodings end to end
// are one message.
func TestViewsMerge(t *testing.T) {
	for _, vc := range viewCases() {
		t.Run(vc.name, func(t *testing.T) {
			rng := newRand()
			for range 200 {
				first, second := vc.generated(), vc.generated()
				fill(rng, first.ProtoReflect())
				fill(rng, second.ProtoReflect())
				agree(t, vc, append(marshal(t, first), marshal(t, second)...))
			}
		})
	}
}

// Flipped bytes are read, or refused, as the generated type does.
func TestViewsDamaged(t *testing.T) {
	for _, vc := range viewCases() {
		t.Run(vc.name, func(t *testing.T) {
			rng := newRand()
			for range 1500 {
				g := vc.generated()
				fill(rng, g.ProtoReflect())
				agree(t, vc, damage(rng, marshal(t, g)))
			}
		})
	}
}

func damage(rng *rand.Rand, b []byte) []byte {
	for range 1 + rng.IntN(3) {
		if len(b) > 0 {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
	}
	return b
}

// agree checks what every input must satisfy: what the generated type accepts the view accepts
// and sees alike, and cuts make no difference.
func agree(tb testing.TB, vc viewCase, b []byte) {
	tb.Helper()
	whole := bytes.Clone(b)
	got, err := vc.parse(chainOf(b))
	g := vc.generated()
	if generatedErr := proto.Unmarshal(b, g); generatedErr == nil && !onPurpose(err) {
		if err != nil {
			tb.Fatalf("the generated type reads it, the view does not: %v\n%x", err, b)
		}
		wantEqual(tb, got, vc.project(g))
	}
	for _, size := range []int{1, 3} {
		chopped, choppedErr := vc.parse(chop(rand.New(rand.NewPCG(uint64(len(b)), 0)), b, size))
		if !sameError(err, choppedErr) {
			tb.Fatalf("whole: %v, chopped: %v\n%x", err, choppedErr, b)
		}
		if err == nil {
			wantEqual(tb, chopped, got)
		}
	}
	if !bytes.Equal(b, whole) {
		tb.Fatalf("the view wrote to the chain\n%x\n%x", whole, b)
	}
}

// onPurpose tells the refusals that the package comment lists as ours alone.
func onPurpose(err error) bool {
	var limit *LimitError
	return errors.Is(err, ErrDepth) || errors.As(err, &limit)
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}

// sizedMessage is a random message of min to max bytes, and what a view should see in it.
func sizedMessage(tb testing.TB, vc viewCase, min, max int) ([]byte, proto.Message) {
	rng := newRand()
	for {
		g := vc.generated()
		fill(rng, g.ProtoReflect())
		if b := marshal(tb, g); len(b) >= min && len(b) <= max {
			return b, vc.project(g)
		}
	}
}

func fuzzView(f *testing.F, vc viewCase) {
	rng := newRand()
	for range 20 {
		g := vc.generated()
		fill(rng, g.ProtoReflect())
		f.Add(marshal(f, g))
	}
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, vc, b) })
}

func FuzzSendView(f *testing.F)            { fuzzView(f, sendCase()) }
func FuzzReceiveView(f *testing.F)         { fuzzView(f, receiveCase()) }
func FuzzPullView(f *testing.F)            { fuzzView(f, pullCase()) }
func FuzzAckView(f *testing.F)             { fuzzView(f, ackCase()) }
func FuzzChangeInvisibleView(f *testing.F) { fuzzView(f, changeCase()) }
