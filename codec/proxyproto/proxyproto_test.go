package proxyproto

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// binary2 is a header of version 2 with what follows its first fixed part.
func binary2(command, family byte, rest ...[]byte) []byte {
	block := bytes.Join(rest, nil)
	b := append([]byte(signature2), 2<<4|command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(block)))
	return append(b, block...)
}

func tlv(kind byte, value ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value))), value...)
}

func text(kind byte, value string) []byte { return tlv(kind, []byte(value)...) }

var (
	inet  = []byte{192, 0, 2, 1, 198, 51, 100, 2, 0xdb, 0xec, 0x01, 0xbb}
	inet6 = []byte{
		0x20, 1, 0x0d, 0xb8, 15: 1,
		16: 0x20, 1, 0x0d, 0xb8, 31: 2,
		32: 0xdb, 0xec, 0x01, 0xbb,
	}
	unix = make([]byte, unixBytes)
)

// summed puts the checksum into a header that ends with an empty one. It computes it bit by bit, as
// RFC 4960 appendix B has it, and not as the package does.
func summed(b []byte) []byte {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c)
		for range 8 {
			crc = crc>>1 ^ 0x82f63b78&-(crc&1)
		}
	}
	binary.BigEndian.PutUint32(b[len(b)-crc32.Size:], ^crc)
	return b
}

// shown is a header in one line.
func shown(h Header) string {
	var b strings.Builder
	fmt.Fprintf(&b, "v%d", h.Version)
	if h.Local {
		b.WriteString(" LOCAL")
	}
	if h.Source.IsValid() || h.Destination.IsValid() {
		fmt.Fprintf(&b, " %v>%v", h.Source, h.Destination)
	}
	for _, field := range []struct {
		name  string
		value []byte
	}{{"alpn", h.ALPN}, {"authority", h.Authority}, {"id", h.UniqueID}, {"netns", h.NetNS}} {
		if field.value != nil {
			fmt.Fprintf(&b, " %s=%q", field.name, field.value)
		}
	}
	if s := h.SSL; s != nil {
		fmt.Fprintf(&b, " ssl=%d verify=%d version=%q cn=%q cipher=%q sig=%q key=%q", s.Client, s.Verify, s.Version, s.CommonName, s.Cipher, s.SigAlg, s.KeyAlg)
	}
	for _, v := range h.TLVs {
		fmt.Fprintf(&b, " %02x:%d", v.Type, len(v.Value))
	}
	return b.String()
}

var good = []struct {
	name string
	b    []byte
	want string
}{
	{"TCP4", []byte("PROXY TCP4 192.0.2.1 198.51.100.2 56300 443\r\n"), "v1 192.0.2.1:56300>198.51.100.2:443"},
	{"TCP6", []byte("PROXY TCP6 2001:db8::1 2001:DB8:0::2 0 65535\r\n"), "v1 [2001:db8::1]:0>[2001:db8::2]:65535"},
	{"TCP6 that was IPv4", []byte("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), "v1 [::ffff:192.0.2.1]:1>[::1]:2"},
	{"UNKNOWN", []byte("PROXY UNKNOWN\r\n"), "v1"},
	{"UNKNOWN and more", []byte("PROXY UNKNOWN what ever \r follows\r\n"), "v1"},
	{"the longest line", []byte("PROXY UNKNOWN " + strings.Repeat("f", max1Bytes-16) + "\r\n"), "v1"},

	{"v2 IPv4", binary2(1, 0x11, inet), "v2 192.0.2.1:56300>198.51.100.2:443"},
	{"v2 IPv6", binary2(1, 0x21, inet6), "v2 [2001:db8::1]:56300>[2001:db8::2]:443"},
	{"v2 UNIX", binary2(1, 0x31, unix), "v2"},
	{"v2 UNIX datagrams", binary2(1, 0x32, unix, tlv(4)), "v2 04:0"},
	{"v2 UDP over IPv4", binary2(1, 0x12, inet), "v2"},
	{"v2 UDP over IPv6", binary2(1, 0x22, inet6, tlv(0xe0, 1)), "v2 e0:1"},
	{"v2 UNSPEC", binary2(1, 0), "v2"},
	{"v2 UNSPEC with anything", binary2(1, 0, []byte("anything")), "v2"},
	{"v2 IPv4, transport not said", binary2(1, 0x10, inet), "v2"},
	{"v2 LOCAL", binary2(0, 0), "v2 LOCAL"},
	{"v2 LOCAL with addresses", binary2(0, 0x11, inet), "v2 LOCAL"},
	{"v2 LOCAL with anything", binary2(0, 0xff, []byte("anything")), "v2 LOCAL"},
	{"v2 ALPN, authority, id, namespace", binary2(1, 0x11, inet, text(1, "h2"), text(2, "mq.example.com"), text(5, "\x00id"), text(0x30, "blue")),
		`v2 192.0.2.1:56300>198.51.100.2:443 alpn="h2" authority="mq.example.com" id="\x00id" netns="blue" 01:2 02:14 05:3 30:4`},
	{"v2 empty values", binary2(1, 0x11, inet, tlv(2), tlv(4), tlv(0xee)), `v2 192.0.2.1:56300>198.51.100.2:443 authority="" 02:0 04:0 ee:0`},
	{"v2 SSL", binary2(1, 0x11, inet, tlv(0x20, bytes.Join([][]byte{{7, 0, 0, 0, 0}, text(0x21, "TLSv1.3"), text(0x22, "client"),
		text(0x23, "TLS_AES_128_GCM_SHA256"), text(0x24, "RSA-SHA256"), text(0x25, "RSA2048"), text(0x26, "?")}, nil)...)),
		`v2 192.0.2.1:56300>198.51.100.2:443 ssl=7 verify=0 version="TLSv1.3" cn="client" cipher="TLS_AES_128_GCM_SHA256" sig="RSA-SHA256" key="RSA2048" 20:76`},
	{"v2 SSL not spoken", binary2(1, 0x11, inet, tlv(0x20, 0, 0, 0, 0, 1)), `v2 192.0.2.1:56300>198.51.100.2:443 ssl=0 verify=1 version="" cn="" cipher="" sig="" key="" 20:5`},
	{"v2 CRC32C", summed(binary2(1, 0x11, inet, text(2, "a"), tlv(3, 0, 0, 0, 0))), `v2 192.0.2.1:56300>198.51.100.2:443 authority="a" 02:1 03:4`},
	{"v2 the longest id", binary2(1, 0x11, inet, tlv(5, make([]byte, uniqueIDMax)...)), "v2 192.0.2.1:56300>198.51.100.2:443 id=\"" + strings.Repeat(`\x00`, uniqueIDMax) + "\" 05:128"},
	{"v2 the longest", binary2(1, 0x11, inet, tlv(0xe1, make([]byte, MaxBytes-fixed-inetBytes-tlvHead)...)), "v2 192.0.2.1:56300>198.51.100.2:443 e1:4065"},
}

// Every header is known once its last byte is there, and not before; what follows is not looked at.
func TestParse(t *testing.T) {
	for _, test := range good {
		for cut := range len(test.b) {
			if _, n, err := Parse(test.b[:cut]); !errors.Is(err, ErrMore) || n != 0 {
				t.Errorf("%s, %d of %d bytes: %d, %v", test.name, cut, len(test.b), n, err)
			}
		}
		for _, behind := range []string{"", "P", "\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", string(make([]byte, 2*MaxBytes))} {
			h, n, err := Parse(append(bytes.Clone(test.b), behind...))
			if err != nil || n != len(test.b) || shown(h) != test.want {
				t.Errorf("%s and %.10q: %d of %d bytes, %v\n%s, want\n%s", test.name, behind, n, len(test.b), err, shown(h), test.want)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	spoilt := summed(binary2(1, 0x11, inet, tlv(3, 0, 0, 0, 0)))
	spoilt[fixed] ^= 1
	for _, test := range []struct{ b, want string }{
		{"PROXY \r\n", `protocol is ""`},
		{"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", `protocol is "UDP4", expected TCP4, TCP6 or UNKNOWN`},
		{"PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", `protocol is "tcp4"`},
		{"PROXY TCP4\r\n", "1 fields behind TCP4, expected 4"},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "3 fields"},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "5 fields"},
		{"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "5 fields"},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "LF alone"},
		{"PROXY \n", "LF alone"},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n", `destination port is "2\r"`},
		{"PROXY TCP4 ::1 1.2.3.4 1 2\r\n", `source address of TCP4 is "::1"`},
		{"PROXY TCP6 ::1 1.2.3.4 1 2\r\n", `destination address of TCP6 is "1.2.3.4"`},
		{"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", `source address of TCP6 is "fe80::1%eth0"`},
		{"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", `source address of TCP4 is "1.2.3"`},
		{"PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n", `source address of TCP4 is "1.2.3.04"`},
		{"PROXY TCP4 1.2.3.4 1.2.3.256 1 2\r\n", `destination address of TCP4 is "1.2.3.256"`},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", `source port is "65536"`},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1 02\r\n", `destination port is "02"`},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", `source port is "+1"`},
		{"PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n", `destination port is ""`},
		{"PROXY UNKNOWN " + strings.Repeat("x", max1Bytes), "does not end within 107 bytes"},

		{signature2 + "\x11", "version behind the signature is 1"},
		{signature2 + "\x22", "command is 2"},
		{signature2 + "\x2f", "command is 15"},
		{signature2 + "\x21\x11\xff\xff", "65551 bytes, expected 4096 at most"},
		{string(binary2(0, 0x11, make([]byte, MaxBytes-fixed+1))), "4097 bytes"},
		{string(binary2(1, 0x41, inet)), "family is 4"},
		{string(binary2(1, 0x13, inet)), "transport is 3"},
		{string(binary2(1, 0x11, inet[1:])), "11 bytes of addresses, expected 12"},
		{string(binary2(1, 0x21, inet)), "12 bytes of addresses, expected 36"},
		{string(binary2(1, 0x31, inet6)), "36 bytes of addresses, expected 216"},
		{string(binary2(1, 0x11, inet, []byte{4})), "1 bytes behind the last TLV"},
		{string(binary2(1, 0x11, inet, tlv(4), []byte{4, 0})), "2 bytes behind the last TLV"},
		{string(binary2(1, 0x11, inet, []byte{2, 0, 2, 'a'})), "TLV 0x02 goes 1 bytes beyond"},
		{string(binary2(1, 0x11, inet, tlv(0x20, 1, 0, 0, 0))), "SSL TLV has 4 bytes"},
		{string(binary2(1, 0x11, inet, tlv(0x20, 1, 0, 0, 0, 0, 0x21, 0, 1))), "TLV 0x21 goes 1 bytes beyond"},
		{string(binary2(1, 0x11, inet, tlv(5, make([]byte, uniqueIDMax+1)...))), "unique id has 129 bytes"},
		{string(binary2(1, 0x11, inet, tlv(3, 0, 0, 0))), "CRC32C has 3 bytes"},
		{string(binary2(1, 0x11, inet, tlv(3, 0, 0, 0, 0))), "CRC32C is 00000000"},
		{string(spoilt), "CRC32C is"},
	} {
		_, n, err := Parse([]byte(test.b))
		if err == nil || n != 0 || !strings.HasPrefix(err.Error(), "malformed PROXY header: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: %d, %v, want %s", test.b, n, err, test.want)
		}
	}
}

// What begins with something else is told at its first byte that does not fit.
func TestNoHeader(t *testing.T) {
	for _, b := range []string{
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI", "GET / HTTP/1.1\r\n", "\x16\x03\x01", "PROXYFIND / HTTP/1.1\r\n", "proxy ", " PROXY ",
		"\r\n\r\n\x00\r\nQUIT\r", "\r\n\r\n\r\n", "\n", "\x00\x00\x00\x10",
	} {
		if _, n, err := Parse([]byte(b)); !errors.Is(err, ErrNone) || n != 0 {
			t.Errorf("%q: %d, %v", b, n, err)
		}
	}
}

// TestGolden reads what other programs wrote: the files say which.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		b, want := golden(t, file)
		h, n, err := Parse(b)
		if err != nil || n != len(b) || shown(h) != want {
			t.Errorf("%s: %d of %d bytes, %v\n%s, want\n%s", file, n, len(b), err, shown(h), want)
		}
		for cut := range n {
			if _, _, err := Parse(b[:cut]); !errors.Is(err, ErrMore) {
				t.Errorf("%s, %d bytes: %v", file, cut, err)
			}
		}
	}
}

// golden reads a file: comments, what is to be read, and the bytes in hex.
func golden(tb testing.TB, file string) (b []byte, want string) {
	tb.Helper()
	all, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(all)) {
		line = strings.TrimSpace(line)
		if said, is := strings.CutPrefix(line, "want "); is {
			want = said
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		part, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
		if err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		b = append(b, part...)
	}
	return b, want
}

// FuzzParse: no panic, no byte beyond the bound is asked for, and more bytes never change a verdict.
func FuzzParse(f *testing.F) {
	for _, test := range good {
		f.Add(test.b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		switch {
		case err != nil && (n != 0 || shown(h) != "v0"):
			t.Errorf("%v with %d bytes, %s", err, n, shown(h))
		case err == nil && (n == 0 || n > len(b) || n > MaxBytes):
			t.Errorf("%d of %d bytes", n, len(b))
		case errors.Is(err, ErrMore) && len(b) >= MaxBytes:
			t.Errorf("more than %d bytes are asked for", len(b))
		}
		for cut := range b[:min(len(b), 2*max1Bytes)] {
			part, m, partErr := Parse(b[:cut])
			switch {
			case errors.Is(partErr, ErrMore):
			case m != n || fmt.Sprint(partErr) != fmt.Sprint(err) || shown(part) != shown(h):
				t.Fatalf("%d bytes: %d, %v, %s; all %d: %d, %v, %s", cut, m, partErr, shown(part), len(b), n, err, shown(h))
			}
		}
	})
}
