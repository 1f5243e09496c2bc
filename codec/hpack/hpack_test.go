package hpack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	oracle "golang.org/x/net/http2/hpack"
)

var wide = Limits{ListBytesMax: 1 << 24, ListFieldsMax: 1 << 20, StringBytesMax: 1 << 20}

func newDecoder(l Limits) *Decoder {
	d := new(Decoder)
	d.Init(nil, l)
	return d
}

func decodeAll(d *Decoder, block []byte) (lines []string, err error) {
	d.Begin(block)
	for d.Next() {
		f := d.Field()
		lines = append(lines, string(f.Name)+": "+string(f.Value))
	}
	return lines, d.Err()
}

func mustHex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 7541 appendix C.4: three requests on one connection, Huffman-coded.
func TestRequestsOfTheRFC(t *testing.T) {
	d := newDecoder(wide)
	for i, c := range []struct{ block, want string }{
		{
			"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
			":method: GET|:scheme: http|:path: /|:authority: www.example.com",
		},
		{
			"8286 84be 5886 a8eb 1064 9cbf",
			":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache",
		},
		{
			"8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
			":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value",
		},
	} {
		got, err := decodeAll(d, mustHex(t, c.block))
		if err != nil || strings.Join(got, "|") != c.want {
			t.Fatal(i, got, err)
		}
	}
	if d.table.size != 164 {
		t.Fatal("table size", d.table.size)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, block string
		want        error
	}{
		{"index 0", "80", ErrIndex},
		{"index past the table", "be", ErrIndex},
		{"name index past the table", "7f 00 01 61", ErrIndex},
		{"empty integer", "ff", ErrTruncated},
		{"integer of six bytes", "ff 80 80 80 80 80 01", ErrInteger},
		{"integer padded with zeros", "ff 80 80 80 80 80 00", ErrInteger},
		{"integer too large", "ff ff ff ff ff 0f", ErrInteger},
		{"name cut off", "40 03 61", ErrTruncated},
		{"value missing", "40 01 61", ErrTruncated},
		{"size update too large", "3f e2 1f", ErrTableSize},
		{"three size updates", "20 20 20", ErrTableSize},
		{"size update behind a field", "82 20", ErrTableSize},
		{"Huffman padding of zeros", "40 01 61 81 18", ErrHuffman},
		{"Huffman padding of eight bits", "40 01 61 82 1f ff", ErrHuffman},
		{"Huffman end of string", "40 01 61 84 ff ff ff ff", ErrHuffman},
		{"string over the limit", "00 7f 80 10", ErrString},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := wide
			l.StringBytesMax = 2000
			if _, err := decodeAll(newDecoder(l), mustHex(t, c.block)); err != c.want || Recoverable(err) {
				t.Fatal(err)
			}
		})
	}
}

func TestSizeUpdatesAtTheFront(t *testing.T) {
	d := newDecoder(wide)
	decodeAll(d, mustHex(t, "40 01 61 01 62"))
	got, err := decodeAll(d, mustHex(t, "20 3f e1 1f 82"))
	if err != nil || len(got) != 1 || d.table.count != 0 || d.table.max != TableBytesMax {
		t.Fatal(got, err, d.table.count, d.table.max)
	}
}

// Past a list limit nothing is handed out, but the table is kept right.
func TestListLimits(t *testing.T) {
	block := []byte{0x40, 1, 'a', 1, 'b', 0x40, 1, 'c', 1, 'd', 0x82}
	for _, c := range []struct {
		limits Limits
		want   error
	}{
		{Limits{ListBytesMax: 34, ListFieldsMax: 9, StringBytesMax: 9}, ErrListBytes},
		{Limits{ListBytesMax: 999, ListFieldsMax: 1, StringBytesMax: 9}, ErrListFields},
	} {
		d := newDecoder(c.limits)
		got, err := decodeAll(d, block)
		if err != c.want || !Recoverable(err) || len(got) != 1 {
			t.Fatal(got, err)
		}
		if got, err = decodeAll(d, []byte{0xbe}); err != nil || got[0] != "c: d" {
			t.Fatal(got, err)
		}
	}
}

func TestNames(t *testing.T) {
	d := new(Decoder)
	d.Init(NewNames(":path", "grpc-timeout", ":path"), wide)
	tags := func(block []byte) (tags []Tag) {
		d.Begin(block)
		for d.Next() {
			tags = append(tags, d.Field().Tag)
		}
		return tags
	}
	block := []byte{0x84, 0x82, 0x44, 1, '/'}
	block = append(append(block, 0x40, 12), "grpc-timeout"...)
	block = append(block, 2, '1', 'S', 0xbe, 0x7e, 2, '2', 'S', 0x0f, 47, 1, '3')
	if got := tags(block); !slices.Equal(got, []Tag{1, 0, 1, 2, 2, 2, 2}) {
		t.Fatal(got)
	}
}

func TestValid(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"a", "b", true},
		{"a", "", true},
		{":a", "b c\td", true},
		{"a-b_c.1~", "\x80\xff", true},
		{"", "b", false},
		{":", "b", false},
		{"A", "b", false},
		{"a:b", "b", false},
		{"a b", "b", false},
		{"a\x7f", "b", false},
		{"a", "b\r", false},
		{"a", "\x00", false},
		{"a", "b\nc", false},
		{"a", " b", true},
		{"a", "b\t", true},
	} {
		d := newDecoder(wide)
		// In full, by the entry it made, and by its name alone.
		block := append([]byte{0x40}, byte(len(c.name)))
		block = append(append(block, c.name...), byte(len(c.value)))
		block = append(append(block, c.value...), 0xbe, 0x7e, byte(len(c.value)))
		block = append(block, c.value...)
		d.Begin(block)
		for d.Next() {
			if d.Field().Valid != c.want {
				t.Errorf("%q: %q: %v", c.name, c.value, d.Field().Valid)
			}
		}
		if d.Err() != nil {
			t.Error(d.Err())
		}
	}
}

// A bad value must not taint the name: the next field with that name may be good.
// TestValidValueOfAnyLength puts every byte at every place of values of every small length.
func TestValidValueOfAnyLength(t *testing.T) {
	for n := range 26 {
		for at := range n {
			for c := range 256 {
				value := bytes.Repeat([]byte{'v'}, n)
				value[at] = byte(c)
				if got, want := validValue(value), c != 0 && c != '\r' && c != '\n'; got != want {
					t.Fatalf("%q: %v", value, got)
				}
				value[n-1-at] = byte(255 - c)
				if got, want := validValue(value), !bytes.ContainsAny(value, "\x00\r\n"); got != want {
					t.Fatalf("%q: %v", value, got)
				}
			}
		}
	}
}

func TestValidByNameOfABadField(t *testing.T) {
	d := newDecoder(wide)
	d.Begin([]byte{0x40, 1, 'a', 1, '\n', 0x7e, 1, 'b'})
	d.Next()
	if d.Next(); !d.Field().Valid {
		t.Fatal("not valid")
	}
}

func TestAppend(t *testing.T) {
	var b []byte
	b = AppendIndexed(b, IndexStatus200)
	b = AppendLiteralNamed(b, IndexStatus, "415")
	b = AppendLiteralNamed(b, IndexContentType, "application/grpc")
	b = AppendLiteral(b, "grpc-status", "0")
	b = append(AppendLiteralHead(b, "long", 300), strings.Repeat("v", 300)...)
	var got []string
	_, err := oracle.NewDecoder(4096, func(f oracle.HeaderField) { got = append(got, f.Name+": "+f.Value) }).Write(b)
	want := []string{":status: 200", ":status: 415", "content-type: application/grpc", "grpc-status: 0", "long: " + strings.Repeat("v", 300)}
	if err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
		t.Fatal(got, err)
	}
}

func TestHuffman(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		plain := make([]byte, rng.IntN(40))
		for i := range plain {
			if plain[i] = byte(rng.IntN(256)); rng.IntN(2) == 0 {
				plain[i] = byte(0x20 + rng.IntN(0x5f))
			}
		}
		coded := oracle.AppendHuffmanString(nil, string(plain))
		got, err := appendDecoded(nil, coded, 1000)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%q: %q, %v", plain, got, err)
		}
		if len(plain) > 0 {
			if _, err = appendDecoded(nil, coded, len(plain)-1); err != ErrString {
				t.Fatal(err)
			}
		}
		// Damaged strings must fail, or not, as they do for others.
		if len(coded) > 0 {
			coded[rng.IntN(len(coded))] ^= 1 << rng.IntN(8)
			compareHuffman(t, coded)
		}
	}
}

func BenchmarkHuffman(b *testing.B) {
	for _, c := range []struct{ name, plain string }{
		{"uuid", "7f1c2d3e-4a5b-4c6d-8e9f-0123456789ab"},
		{"timeout", "2999995u"},
		{"path", "/apache.rocketmq.v2.MessagingService/SendMessage"},
	} {
		b.Run(c.name, func(b *testing.B) {
			coded := oracle.AppendHuffmanString(nil, c.plain)
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = appendDecoded(dst[:0], coded, 1000)
			}
		})
	}
}

func compareHuffman(t *testing.T, coded []byte) {
	got, err := appendDecoded(nil, coded, 1<<20)
	want, wantErr := oracle.HuffmanDecodeToString(coded)
	if (err != nil) != (wantErr != nil) || (err == nil && string(got) != want) {
		t.Fatalf("%x: %q, %v; oracle %q, %v", coded, got, err, want, wantErr)
	}
}

func FuzzHuffman(f *testing.F) {
	f.Add([]byte{0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff})
	f.Fuzz(func(t *testing.T, coded []byte) { compareHuffman(t, coded) })
}

// encoder makes random blocks with the oracle's encoder.
type encoder struct {
	rng *rand.Rand
	buf bytes.Buffer
	enc *oracle.Encoder
}

func newEncoder(seed uint64) *encoder {
	e := &encoder{rng: rand.New(rand.NewPCG(seed, 7))}
	e.enc = oracle.NewEncoder(&e.buf)
	return e
}

// block encodes some fields from a small world of names and values, so that the table is hit,
// and now and then changes the size of the table.
func (e *encoder) block() (block []byte, lines []string) {
	e.buf.Reset()
	for range e.rng.IntN(3) {
		if e.rng.IntN(4) == 0 {
			e.enc.SetMaxDynamicTableSize(uint32(e.rng.IntN(TableBytesMax + 1)))
		}
	}
	for range e.rng.IntN(20) {
		f := oracle.HeaderField{
			Name:      fmt.Sprintf("name-%d", e.rng.IntN(30)),
			Value:     strings.Repeat(string(rune('a'+e.rng.IntN(200))), e.rng.IntN(4)*e.rng.IntN(100)),
			Sensitive: e.rng.IntN(10) == 0,
		}
		if e.rng.IntN(3) == 0 {
			f.Name = static[1+e.rng.IntN(staticLen)].name
		}
		if e.rng.IntN(200) == 0 {
			f.Value = strings.Repeat("x", 4000+e.rng.IntN(200))
		}
		e.enc.WriteField(f)
		lines = append(lines, f.Name+": "+f.Value)
	}
	return bytes.Clone(e.buf.Bytes()), lines
}

func TestAgainstTheOraclesEncoder(t *testing.T) {
	for seed := range uint64(40) {
		e, d := newEncoder(seed), newDecoder(wide)
		for i := range 100 {
			block, want := e.block()
			got, err := decodeAll(d, block)
			if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("seed %d, block %d: %v\ngot  %q\nwant %q", seed, i, err, got, want)
			}
			checkTable(t, &d.table)
		}
	}
}

// checkTable compares the table's account with its entries.
func checkTable(t testing.TB, table *table) {
	size, at := 0, table.low
	for i := table.count - 1; i >= 0; i-- {
		e := table.entryAt(i)
		if int(e.at) != at {
			t.Fatal("entries do not lie end to end")
		}
		at += int(e.name) + int(e.value)
		size += int(e.name) + int(e.value) + entryOverhead
	}
	if size != table.size || size > table.max || at != len(table.arena) || cap(table.arena) > TableBytesMax {
		t.Fatal("table", size, table.size, table.max, at, len(table.arena), cap(table.arena))
	}
}

// FuzzDecoder feeds the same blocks, cut at the first byte of the input, to the oracle.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{3, 0x40, 1, 'a', 1, 'b', 0xbe, 0x7e, 0x81, 0x1f})
	for seed := range uint64(5) {
		block, _ := newEncoder(seed).block()
		f.Add(append([]byte{10}, block...))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 {
			return
		}
		cut := min(int(input[0]), len(input)-1)
		blocks := [][]byte{input[1 : 1+cut], input[1+cut:]}
		d := newDecoder(wide)
		var want []string
		o := oracle.NewDecoder(TableBytesMax, func(f oracle.HeaderField) { want = append(want, f.Name+": "+f.Value) })
		for _, block := range blocks {
			want = nil
			got, err := decodeAll(d, block)
			_, wantErr := o.Write(block)
			if wantErr == nil {
				wantErr = o.Close()
			}
			// The oracle knows no bound on integers and takes size updates differently.
			if err == ErrInteger || err == ErrTableSize || err == ErrString {
				return
			}
			if (err != nil) != (wantErr != nil) {
				t.Fatalf("%x: %v; oracle %v", block, err, wantErr)
			}
			if err != nil {
				return
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("%x: got %q; oracle %q", block, got, want)
			}
			checkTable(t, &d.table)
		}
	})
}

// grpcBlocks are requests of one client as grpc-go encodes them: everything enters the
// table, also what differs each time.
func grpcBlocks(n int) (blocks [][]byte) {
	var buf bytes.Buffer
	enc := oracle.NewEncoder(&buf)
	for i := range n {
		buf.Reset()
		for _, f := range [][2]string{
			{":method", "POST"}, {":scheme", "http"},
			{":path", "/apache.rocketmq.v2.MessagingService/SendMessage"},
			{":authority", "127.0.0.1:8081"}, {"content-type", "application/grpc"},
			{"user-agent", "grpc-go/1.80.0"}, {"te", "trailers"},
			{"grpc-timeout", fmt.Sprintf("%dm", 2990+i%10)},
			{"x-mq-language", "GO"}, {"x-mq-protocol", "v2"}, {"x-mq-client-version", "5.1.0"},
			{"x-mq-request-id", fmt.Sprintf("7f1c2d3e-4a5b-4c6d-8e9f-%012d", i)},
			{"x-mq-client-id", "host@1234@0@abcdefgh"}, {"x-mq-namespace", ""},
			{"x-mq-date-time", "20261122T101112Z"},
			{"authorization", "MQv2-HMAC-SHA1 Credential=key, SignedHeaders=x-mq-date-time, Signature=0123456789ABCDEF"},
		} {
			enc.WriteField(oracle.HeaderField{Name: f[0], Value: f[1]})
		}
		blocks = append(blocks, bytes.Clone(buf.Bytes()))
	}
	return blocks
}

func TestDecoderAllocatesNothing(t *testing.T) {
	blocks := grpcBlocks(2000)
	d := new(Decoder)
	d.Init(NewNames(":method", ":path", "grpc-timeout", "x-mq-request-id"), wide)
	decode := func() {
		d.Begin(blocks[0])
		for d.Next() {
		}
		if d.Err() != nil {
			t.Fatal(d.Err())
		}
		blocks = blocks[1:]
	}
	for range 200 {
		decode()
	}
	if n := testing.AllocsPerRun(1000, decode); n != 0 {
		t.Fatal(n, "allocations")
	}
}

// The block is that of the 101st request, after 100 others; the decoders' tables move on
// with every run, which changes nothing about the work.
func BenchmarkDecoder(b *testing.B) {
	blocks := grpcBlocks(1000)
	d := new(Decoder)
	d.Init(NewNames(":method", ":path", "grpc-timeout", "x-mq-request-id"), wide)
	b.ReportAllocs()
	for i := range b.N {
		d.Begin(blocks[i%len(blocks)])
		for d.Next() {
		}
		if i%len(blocks) == len(blocks)-1 {
			d.Init(d.names, wide)
		}
	}
}

func BenchmarkOracleDecoder(b *testing.B) {
	blocks := grpcBlocks(1000)
	newOracle := func() *oracle.Decoder { return oracle.NewDecoder(TableBytesMax, func(oracle.HeaderField) {}) }
	o := newOracle()
	b.ReportAllocs()
	for i := range b.N {
		o.Write(blocks[i%len(blocks)])
		o.Close()
		if i%len(blocks) == len(blocks)-1 {
			o = newOracle()
		}
	}
}

func BenchmarkDecoderFirstRequest(b *testing.B) {
	block := grpcBlocks(1)[0]
	names := NewNames(":method")
	b.ReportAllocs()
	for range b.N {
		var d Decoder
		d.Init(names, wide)
		d.Begin(block)
		for d.Next() {
		}
	}
}

func BenchmarkOracleDecoderFirstRequest(b *testing.B) {
	block := grpcBlocks(1)[0]
	b.ReportAllocs()
	for range b.N {
		oracle.NewDecoder(TableBytesMax, func(oracle.HeaderField) {}).Write(block)
	}
}
