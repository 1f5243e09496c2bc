package sql92

import (
	"bytes"
	"testing"
)

const typical = "TAGS IN ('created', 'paid') AND amount BETWEEN 100 AND 5000.5 AND (region = 'eu' OR region = 'us') AND note NOT CONTAINS 'test' AND cancelled IS NULL"

// field is a property as a message has it.
type field struct{ name, value []byte }

func fieldsOf(pairs ...string) (of []field) {
	for i := 0; i < len(pairs); i += 2 {
		of = append(of, field{[]byte(pairs[i]), []byte(pairs[i+1])})
	}
	return of
}

// match hands a closure to Match, as a caller with a message would: it must stay on the stack.
func match(f *Filter, fields []field) bool {
	return f.Match(func(name []byte) ([]byte, bool) {
		for i := range fields {
			if bytes.Equal(fields[i].name, name) {
				return fields[i].value, true
			}
		}
		return nil, false
	})
}

func TestMatchDoesNotAllocate(t *testing.T) {
	fields := fieldsOf("a", "1", "b", "2.5", "c", "x", "d", "٣", "e", "0x1p3", "f", "Infinity", "g", "true", "TAGS", "paid", "amount", "4999", "region", "us")
	for _, expression := range []string{
		typical, "a = 1", "b > 1", "c = 1 OR TRUE", "b <> 2.5", "d < 5", "e >= f", "g = TRUE", "c > a", "-a = 1", "NOT g",
		"c IN ('1','2','3','4','5','6','7','8','9','x')", "c STARTSWITH 'x'", "missing IS NULL", "a = 3000000000",
	} {
		f := mustCompile(t, expression)
		if n := testing.AllocsPerRun(100, func() { match(f, fields) }); n != 0 {
			t.Errorf("%s: %v allocations", expression, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct {
		name, expression string
		fields           []field
	}{
		{"equal_string", "region = 'us'", fieldsOf("TAGS", "paid", "region", "us")},
		{"greater_number", "amount > 100", fieldsOf("TAGS", "paid", "amount", "4999")},
		{"typical", typical, fieldsOf("TAGS", "paid", "amount", "4999", "region", "us", "note", "a word of thanks")},
		{"in_100", "id IN (" + hundredWords() + ")", fieldsOf("TAGS", "paid", "id", "w99")},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := mustCompile(b, c.expression)
			b.ReportAllocs()
			for b.Loop() {
				match(f, c.fields)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(typical)))
	for b.Loop() {
		mustCompile(b, typical)
	}
}

func hundredWords() string {
	var words bytes.Buffer
	for i := range 100 {
		if i > 0 {
			words.WriteByte(',')
		}
		words.WriteString("'w" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "'")
	}
	return words.String()
}
