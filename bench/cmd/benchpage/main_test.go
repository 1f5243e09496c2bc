package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
)

func document(t *testing.T, cases ...string) string {
	t.Helper()
	d := report.Describe()
	for _, name := range cases {
		d.Cases = append(d.Cases, &report.Case{Name: name, Conns: 4, Streams: 16, Peers: []string{peer.Proxy},
			Rounds: map[string][]report.Round{peer.Proxy: {{CPUMicros: 4, PerSecond: 2e5}}}})
	}
	file := filepath.Join(t.TempDir(), "run.json")
	if err := d.Write(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPageAndFiles(t *testing.T) {
	run1, run2, dir := document(t, "send/4x16"), document(t, "route/4x16"), t.TempDir()
	out, svg := filepath.Join(dir, "page.html"), filepath.Join(dir, "deep", "svg")
	if err := run([]string{run1, run2}, out, svg, peer.Proxy, io.Discard); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(page), "send/4x16") || !strings.Contains(string(page), "route/4x16") {
		t.Errorf("%v, %d bytes", err, len(page))
	}
	for _, name := range []string{"cpu-bars.svg", "cpu-bars-2.svg", "throughput-bars.svg", "throughput-bars-2.svg"} {
		text, err := os.ReadFile(filepath.Join(svg, name))
		if err != nil {
			t.Fatal(err)
		}
		var root struct{ XMLName xml.Name }
		if err := xml.Unmarshal(text, &root); err != nil || root.XMLName.Space != "http://www.w3.org/2000/svg" {
			t.Errorf("%s: %v, %v", name, root.XMLName, err)
		}
	}
}

func TestStandardOutput(t *testing.T) {
	var b bytes.Buffer
	if err := run([]string{document(t, "send/4x16")}, "", "", peer.Proxy, &b); err != nil || !strings.Contains(b.String(), "</html>") {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
	b.Reset()
	if err := run([]string{document(t, "send/4x16")}, "", t.TempDir(), peer.Proxy, &b); err != nil || b.Len() != 0 {
		t.Errorf("%v, %d bytes beside the files", err, b.Len())
	}
}

func TestWhatCannotBeDrawn(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{broken}, "", "", peer.Proxy, io.Discard); err == nil || !strings.Contains(err.Error(), "broken.json") {
		t.Errorf("%v", err)
	}
	if err := run([]string{filepath.Join(t.TempDir(), "none.json")}, "", "", peer.Proxy, io.Discard); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	for _, svg := range []string{"", t.TempDir()} {
		if err := run([]string{document(t)}, "", svg, peer.Proxy, io.Discard); !errors.Is(err, report.ErrEmpty) {
			t.Errorf("%v", err)
		}
	}
}
