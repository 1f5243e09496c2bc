package grpc

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"rocketmq-proxy/pool"
)

// zipped is text as another program would compress it.
func zipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// chain is b in pieces of n bytes.
func chain(b []byte, n int) (c pool.Chain) {
	for len(b) > 0 {
		piece := b[:min(n, len(b))]
		c.Append(pool.Copied(piece))
		b = b[len(piece):]
	}
	return c
}

// inflate inflates b with room for everything, in pieces of n bytes, and gives all memory back.
func inflate(t testing.TB, b []byte, n, most int) (text string, held, pauses int, err error) {
	t.Helper()
	live := pool.Live()
	src, dst := chain(b, n), pool.Chain{}
	in := Inflation{
		BytesMax: most,
		Hold:     func(n int) bool { held += n; return true },
		Pause:    func() { pauses++ },
	}
	err = in.Inflate(&dst, &src)
	if src.Len() != len(b) {
		t.Errorf("%d bytes of %d are left", src.Len(), len(b))
	}
	text = string(dst.AppendTo(nil))
	src.Release()
	dst.Release()
	if got := pool.Live(); got != live {
		t.Errorf("%d buffers leaked", got-live)
	}
	return text, held, pauses, err
}

func TestInflate(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("y", inflateBlockMin), strings.Repeat("hello ", 100_000)} {
		for _, n := range []int{1, 7, 1 << 20} {
			got, held, _, err := inflate(t, zipped(text), n, len(text))
			if err != nil || got != text {
				t.Errorf("%d bytes in pieces of %d: %d bytes, %v", len(text), n, len(got), err)
			}
			if held < len(text) || held > len(text)+2*inflateBlockMax {
				t.Errorf("%d bytes: held %d", len(text), held)
			}
		}
	}
	// Two files are one message (RFC 1952 section 2.2).
	if got, _, _, err := inflate(t, append(zipped("one "), zipped("two")...), 5, 100); err != nil || got != "one two" {
		t.Error(got, err)
	}
}

func TestInflateBounds(t *testing.T) {
	bomb := zipped(strings.Repeat("\x00", 10<<20))
	_, held, _, err := inflate(t, bomb, 1<<20, 100_000)
	if err != ErrInflatedSize || held > 300_000 {
		t.Errorf("a bomb of %d bytes: %d held, %v", len(bomb), held, err)
	}
	if text, _, _, err := inflate(t, zipped("12345"), 100, 4); err != ErrInflatedSize {
		t.Errorf("%q, %v", text, err)
	}
	src, dst := chain(bomb, 100), pool.Chain{}
	room := 100 << 10
	in := Inflation{BytesMax: 1 << 30, Pause: func() {}, Hold: func(n int) bool { room -= n; return room >= 0 }}
	if err := in.Inflate(&dst, &src); err != ErrInflatedRoom || dst.Len() > 100<<10 {
		t.Errorf("%d bytes, %v", dst.Len(), err)
	}
	src.Release()
	dst.Release()
}

// Blocks that hold nothing take time: whoever waits gets a turn in between.
func TestInflatePauses(t *testing.T) {
	var nothing bytes.Buffer
	w := gzip.NewWriter(&nothing)
	for range 20_000 {
		_ = w.Flush() // an empty stored block
	}
	_ = w.Close()
	if text, _, pauses, err := inflate(t, nothing.Bytes(), 1<<20, 0); text != "" || err != nil || pauses < nothing.Len()/inflatePiece {
		t.Errorf("%q, %v, %d pauses in %d bytes", text, err, pauses, nothing.Len())
	}
}

func TestInflateRefuses(t *testing.T) {
	good := zipped("hello")
	for name, b := range map[string][]byte{
		"nothing":         {},
		"half a head":     good[:5],
		"half a file":     good[:len(good)-9],
		"half a trailer":  good[:len(good)-1],
		"another format":  []byte("this is not a gzip file"),
		"a wrong sum":     append(append([]byte{}, good[:len(good)-8]...), 0, 0, 0, 0, 5, 0, 0, 0),
		"something after": append(append([]byte{}, good...), "more"...),
	} {
		if text, _, _, err := inflate(t, b, 3, 1000); err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func TestDeflate(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("hello ", 100_000)} {
		src, dst := chain([]byte(text), 1000), pool.Chain{}
		Deflate(&dst, &src)
		r, err := gzip.NewReader(bytes.NewReader(dst.AppendTo(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != text {
			t.Errorf("%d bytes became %d, %v", len(text), len(got), err)
		}
		src.Release()
		dst.Release()
	}
}

func FuzzInflate(f *testing.F) {
	f.Add(zipped("hello"), 3)
	f.Add(append(zipped(strings.Repeat("x", 10_000)), zipped("y")...), 100)
	f.Add(zipped(strings.Repeat("\x00", 1<<20)), 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		const most = 100_000
		got, held, _, err := inflate(t, b, 1+int(uint16(n)), most)
		if held > most+2*inflateBlockMax {
			t.Fatalf("held %d", held)
		}
		var want []byte
		r, wrong := gzip.NewReader(bytes.NewReader(b))
		if wrong == nil {
			want, wrong = io.ReadAll(io.LimitReader(r, most+1))
		}
		if len(want) > most {
			wrong = ErrInflatedSize
		}
		if (err == nil) != (wrong == nil) || err == nil && got != string(want) {
			t.Fatalf("%d bytes, %v; compress/gzip: %d bytes, %v", len(got), err, len(want), wrong)
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	src := chain(zipped(strings.Repeat("a body of text that repeats itself. ", 2000)), 1<<20)
	defer src.Release()
	b.ReportAllocs()
	for b.Loop() {
		var dst pool.Chain
		in := Inflation{BytesMax: 1 << 20, Hold: func(int) bool { return true }, Pause: func() {}}
		if err := in.Inflate(&dst, &src); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(dst.Len()))
		dst.Release()
	}
}

func BenchmarkDeflate(b *testing.B) {
	src := chain([]byte(strings.Repeat("a body of text that repeats itself. ", 2000)), 1<<20)
	defer src.Release()
	b.ReportAllocs()
	b.SetBytes(int64(src.Len()))
	for b.Loop() {
		var dst pool.Chain
		Deflate(&dst, &src)
		dst.Release()
	}
}
