package apiv2

import (
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"rocketmq-proxy/pool"
)

// seed makes every random test the same each time; change it to look elsewhere.
const seed = 20260730

func newRand() *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// fill sets about two thirds of the fields of m, all the way down.
func fill(rng *rand.Rand, m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if rng.IntN(3) == 0 {
			continue
		}
		switch {
		case field.IsMap():
			for range rng.IntN(4) {
				m.Mutable(field).Map().Set(scalar(rng, field.MapKey()).MapKey(), scalar(rng, field.MapValue()))
			}
		case field.IsList():
			for range rng.IntN(4) {
				appendRandom(rng, m.Mutable(field).List(), field)
			}
		case field.Message() != nil:
			fill(rng, m.Mutable(field).Message())
		default:
			m.Set(field, scalar(rng, field))
		}
	}
}

func appendRandom(rng *rand.Rand, list protoreflect.List, field protoreflect.FieldDescriptor) {
	if field.Message() != nil {
		fill(rng, list.AppendMutable().Message())
		return
	}
	list.Append(scalar(rng, field))
}

func scalar(rng *rand.Rand, field protoreflect.FieldDescriptor) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rng.IntN(2) == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rng.IntN(60000)))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(someInt(rng)))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(someInt(rng))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text(rng))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(text(rng)))
	}
	panic("no random " + field.Kind().String())
}

// someInt is an integer of any length, either sign, and zero now and then.
func someInt(rng *rand.Rand) int64 { return int64(rng.Uint64()) >> rng.IntN(65) }

func text(rng *rand.Rand) string {
	alphabet := []rune("abcXYZ019 _-%é主题🚀\x00")
	runes := make([]rune, rng.IntN(40)*rng.IntN(5))
	for i := range runes {
		runes[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(runes)
}

// chainOf is a chain with one view for each part; empty parts leave no view.
func chainOf(parts ...[]byte) *pool.Chain {
	chain := new(pool.Chain)
	for _, part := range parts {
		chain.Append(pool.Static(part))
	}
	return chain
}

// chop cuts b into views of 1 to max bytes.
func chop(rng *rand.Rand, b []byte, max int) *pool.Chain {
	chain := new(pool.Chain)
	for len(b) > 0 {
		n := min(len(b), 1+rng.IntN(max))
		chain.Append(pool.Static(b[:n]))
		b = b[n:]
	}
	return chain
}

func marshal(tb testing.TB, m proto.Message) []byte {
	tb.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func wantEqual(tb testing.TB, got, want proto.Message) {
	tb.Helper()
	if !proto.Equal(got, want) {
		tb.Fatalf("\ngot  %v\nwant %v", got, want)
	}
}
