package command

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Golden files hold one frame: lines that begin with # are its birth certificate, the others
// are hexadecimal.
const goldenDir = "testdata"

func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(goldenDir, name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	return decodeGolden(t, file)
}

func decodeGolden(t testing.TB, file []byte) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(string(file)) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	frame, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func writeGolden(t testing.TB, name, certificate string, frame []byte) {
	t.Helper()
	var out bytes.Buffer
	for line := range strings.Lines(certificate) {
		out.WriteString("# " + strings.TrimRight(line, "\n") + "\n")
	}
	for chunk := range chunks(frame, 32) {
		out.WriteString(hex.EncodeToString(chunk) + "\n")
	}
	if err := os.MkdirAll(goldenDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(goldenDir, name+".hex"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func chunks(b []byte, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(size, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// splitFrame parses a frame whole.
func splitFrame(t testing.TB, frame []byte) (h *Head, head, body []byte) {
	t.Helper()
	headLen, bodyLen, kind, err := SplitFrame(frame)
	if err != nil {
		t.Fatal(err)
	}
	if len(frame) != PrefixBytes+headLen+bodyLen {
		t.Fatalf("frame has %d bytes, its prefix says 8 + %d + %d", len(frame), headLen, bodyLen)
	}
	head, body = frame[PrefixBytes:PrefixBytes+headLen], frame[PrefixBytes+headLen:]
	h = new(Head)
	if err := ParseHead(h, kind, head); err != nil {
		t.Fatal(err)
	}
	return h, head, body
}

func golden(t testing.TB, name string) (h *Head, body []byte) {
	t.Helper()
	h, _, body = splitFrame(t, readGolden(t, name))
	return h, body
}

func goldenNames(t testing.TB) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(goldenDir, "*.hex"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), ".hex"))
	}
	return names
}
