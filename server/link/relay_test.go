package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/proxyproto"
)

// introductions is a front that takes PROXY headers from the machine itself.
func introductions(front *Front) {
	front.Relays = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}
	front.Introduction = readPROXY
}

func readPROXY(first []byte) (said Introduction, n int, verdict Verdict, err error) {
	h, n, err := proxyproto.Parse(first)
	switch {
	case errors.Is(err, proxyproto.ErrMore):
		return said, 0, More, nil
	case errors.Is(err, proxyproto.ErrNone):
		return said, 0, Never, nil
	}
	return Introduction{Client: h.Source, Dialled: h.Destination, Note: string(h.Authority)}, n, Yes, err
}

const signature2 = "\r\n\r\n\x00\r\nQUIT\n"

// introduced are headers, with the ends of a connection that begins with them. An empty one is that of
// the socket.
var introduced = []struct{ name, header, remote, local, note string }{
	{"none", "", "", "", ""},
	{"v1 TCP4", "PROXY TCP4 192.0.2.1 198.51.100.2 56300 443\r\n", "192.0.2.1:56300", "198.51.100.2:443", ""},
	{"v1 TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 56300 443\r\n", "[2001:db8::1]:56300", "[2001:db8::2]:443", ""},
	{"v1 IPv4 as IPv6", "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 56300 443\r\n", "192.0.2.1:56300", "198.51.100.2:443", ""},
	{"v1 UNKNOWN", "PROXY UNKNOWN\r\n", "", "", ""},
	{"v2 IPv4", signature2 + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\xdb\xec\x01\xbb", "192.0.2.1:56300", "198.51.100.2:443", ""},
	{
		"v2 IPv4 with an authority", signature2 + "\x21\x11\x00\x17\xc0\x00\x02\x01\xc6\x33\x64\x02\xdb\xec\x01\xbb\x02\x00\x08mq.local",
		"192.0.2.1:56300", "198.51.100.2:443", "mq.local",
	},
	{
		"v2 IPv6", signature2 + "\x21\x21\x00\x24\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x02\xdb\xec\x01\xbb",
		"[2001:db8::1]:56300", "[2001:db8::2]:443", "",
	},
	{
		"v2 IPv4, as long as can be", signature2 + "\x21\x11\x0f\xf0\xc0\x00\x02\x01\xc6\x33\x64\x02\xdb\xec\x01\xbb\xee\x0f\xe1" + strings.Repeat("x", 4096-31),
		"192.0.2.1:56300", "198.51.100.2:443", "",
	},
	{"v2 LOCAL", signature2 + "\x20\x00\x00\x00", "", "", ""},
	{"v2 UNSPEC", signature2 + "\x21\x00\x00\x03any", "", "", ""},
}

// A header may come before cleartext and before TLS, in one piece with what follows.
func TestIntroductions(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil, knockers, introductions)
		for _, test := range introduced {
			t.Run(test.name, func(t *testing.T) {
				raw := p.dialTCP()
				conn := net.Conn(raw)
				if over.tls == nil {
					write(t, conn, test.header+knock)
				} else {
					conn = tls.Client(&behindHeader{raw, test.header}, over.tls)
					write(t, conn, knock)
				}
				expect(t, conn, knock)
				ends, want := p.accepted().link.Ends, Ends{LocalAddr: test.local, RemoteAddr: test.remote, RelayNote: test.note}
				if test.remote == "" {
					want.LocalAddr, want.RemoteAddr = raw.RemoteAddr().String(), raw.LocalAddr().String()
				} else {
					want.Relay = raw.LocalAddr().String()
				}
				if want.Since = ends.Since; ends != want || time.Since(ends.Since) > time.Hour {
					t.Errorf("the ends are %+v, want %+v", ends, want)
				}
				write(t, conn, "goes on")
				expect(t, conn, "goes on")
			})
		}
	})
}

// behindHeader puts a header in front of the first write.
type behindHeader struct {
	net.Conn
	header string
}

func (b *behindHeader) Write(p []byte) (int, error) {
	if b.header == "" {
		return b.Conn.Write(p)
	}
	n, err := b.Conn.Write(append([]byte(b.header), p...))
	n, b.header = max(0, n-len(b.header)), ""
	return n, err
}

// looked is a front that tells how many bytes it has seen of an introduction each time.
func looked(at chan int) func(front *Front) {
	return func(front *Front) {
		front.Introduction = func(first []byte) (Introduction, int, Verdict, error) {
			said, n, verdict, err := readPROXY(first)
			at <- len(first)
			return said, n, verdict, err
		}
	}
}

// A header may come in pieces, and the proxy looks at each as it comes: cut anywhere, and byte by byte.
func TestIntroductionsInPieces(t *testing.T) {
	at := make(chan int, 1)
	p := serve(t, DefaultLimits(), nil, knockers, introductions, looked(at))
	for _, test := range introduced[1:] {
		if len(test.header) > 100 {
			continue
		}
		all := test.header + knock
		for cut := 1; cut <= len(test.header); cut++ {
			conn := p.dialTCP()
			write(t, conn, all[:cut])
			if n := <-at; n != cut {
				t.Fatalf("%s: %d bytes were looked at, want %d", test.name, n, cut)
			}
			write(t, conn, all[cut:])
			if cut < len(test.header) {
				<-at
			}
			expect(t, conn, knock)
			if got := p.accepted().link.RemoteAddr; test.remote != "" && got != test.remote {
				t.Errorf("%s, cut at %d: the client is %s, want %s", test.name, cut, got, test.remote)
			}
			_ = conn.Close()
		}
		conn := p.dialTCP()
		for i := range test.header {
			write(t, conn, all[i:i+1])
			<-at
		}
		write(t, conn, all[len(test.header):])
		expect(t, conn, knock)
		if got := p.accepted().link.RemoteAddr; test.remote != "" && got != test.remote {
			t.Errorf("%s, byte by byte: the client is %s, want %s", test.name, got, test.remote)
		}
	}
}

// What anybody else says is the client's, and no protocol.
func TestIntroductionByStrangers(t *testing.T) {
	for name, relays := range map[string][]netip.Prefix{
		"nobody is trusted":  nil,
		"others are trusted": {netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.2/32"), netip.MustParsePrefix("::/0")},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, DefaultLimits(), nil, knockers, introductions, func(front *Front) { front.Relays = relays })
			for _, test := range introduced {
				conn := p.dialTCP()
				write(t, conn, test.header+knock)
				if test.header == "" {
					expect(t, conn, knock)
					continue
				}
				expect(t, conn, "what is "+test.header[:5])
				_ = conn.Close()
			}
			eventually(t, "all were reported", func() bool { return len(p.failures()) == len(introduced)-1 })
			for _, err := range p.failures() {
				if !errors.Is(err, errOtherProtocol) {
					t.Errorf("reported %v", err)
				}
			}
			if len(p.machines()) != 1 {
				t.Errorf("%d machines, want that of who said nothing", len(p.machines()))
			}
		})
	}
}

// A relay that says something wrong is closed without a word, and why is reported once.
func TestBadIntroductions(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers, introductions)
	for i, test := range []struct{ said, want string }{
		{"PROXY TCP4 192.0.2.1\r\n" + knock, "malformed PROXY header: 1 fields behind TCP4, expected 4"},
		{"PROXY TCP4 " + strings.Repeat("1", 200), "does not end within 107 bytes"},
		{signature2 + "\x21\x11\xff\xff", "it has 65551 bytes, expected 4096 at most"},
		{signature2 + "\x21\x11\x0f\xf1", "it has 4097 bytes, expected 4096 at most"},
		{signature2 + "\x31\x11\x00\x0c", "version behind the signature is 3"},
		{signature2 + "\x21\x11\x00\x13\xc0\x00\x02\x01\xc6\x33\x64\x02\xdb\xec\x01\xbb\x03\x00\x04wron", "its CRC32C is"},
	} {
		conn := p.dialTCP()
		write(t, conn, test.said)
		expectEnd(t, conn, "")
		eventually(t, "it was reported", func() bool { return len(p.failures()) == i+1 })
		if err := p.failures()[i]; !errors.Is(err, ErrIntroduction) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: reported %v, want %s", test.said, err, test.want)
		}
	}
	if len(p.machines()) > 0 {
		t.Error("somebody got a machine")
	}
}

// Whoever stops within a header, or behind it, is closed.
func TestIntroductionsCutShort(t *testing.T) {
	header := introduced[1].header
	for name, test := range map[string]struct {
		said   string
		among  []error
		others []error
	}{
		"silence":         {"", []error{errNoFirstBytes}, []error{ErrIntroduction}},
		"half a header":   {header[:20], []error{ErrIntroduction}, []error{errNoFirstBytes}},
		"half a v2":       {introduced[5].header[:14], []error{ErrIntroduction}, []error{errNoFirstBytes}},
		"only the header": {header, []error{errNoFirstBytes}, []error{ErrIntroduction}},
		"half a knock":    {header + knock[:3], []error{errNoFirstBytes}, []error{ErrIntroduction}},
	} {
		for ending, why := range map[string]error{"in silence": os.ErrDeadlineExceeded, "closed": io.EOF} {
			t.Run(name+" "+ending, func(t *testing.T) {
				limits := DefaultLimits()
				if ending == "in silence" {
					limits = impatient(200 * time.Millisecond)
				}
				p := serve(t, limits, nil, knockers, introductions)
				conn := p.dialTCP()
				_, _ = io.WriteString(conn, test.said)
				if ending == "closed" {
					_ = conn.CloseWrite()
				}
				expectEnd(t, conn, "")
				eventually(t, "it was reported", func() bool { return len(p.failures()) == 1 })
				err := p.failures()[0]
				for _, want := range append(slices.Clone(test.among), why) {
					if !errors.Is(err, want) {
						t.Errorf("reported %v, want %v", err, want)
					}
				}
				for _, other := range test.others {
					if errors.Is(err, other) {
						t.Errorf("reported %v, which is %v", err, other)
					}
				}
			})
		}
	}
}

// A client that is behind a relay and speaks another protocol is told so, and is who is reported.
func TestOtherProtocolBehindARelay(t *testing.T) {
	reported := make(chan string, 1)
	p := serve(t, DefaultLimits(), nil, knockers, introductions, func(front *Front) {
		front.Failed = func(remote string, _ error) { reported <- remote }
	})
	conn := p.dialTCP()
	write(t, conn, introduced[1].header+"GET / HTTP/1.1\r\n\r\n")
	expect(t, conn, "what is GET / HTTP/1.1\r\n\r\n")
	_ = conn.Close()
	if got := <-reported; got != introduced[1].remote {
		t.Errorf("reported of %s, want of %s", got, introduced[1].remote)
	}
}

// A second header is the client's own, and no protocol.
func TestTwoIntroductions(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers, introductions)
	conn := p.dialTCP()
	write(t, conn, introduced[1].header+introduced[5].header+knock)
	expect(t, conn, "what is "+introduced[5].header)
}

// What comes with the header in one piece is the machine's, to the last byte.
func TestMuchBehindAnIntroduction(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers, introductions)
	conn := p.dialTCP()
	much := knock + string(noise(64<<10))
	go func() { _, _ = io.WriteString(conn, introduced[8].header+much) }()
	got := make([]byte, len(much))
	if _, err := io.ReadFull(conn, got); err != nil {
		t.Fatal(err)
	}
	sameBytes(t, got, []byte(much))
}

func TestTrusts(t *testing.T) {
	ln := &Listener{front: Front{Relays: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("192.0.2.1/32")}}}
	for _, test := range []struct {
		peer net.TCPAddr
		want bool
	}{
		{net.TCPAddr{IP: net.ParseIP("10.255.0.1")}, true}, // sixteen bytes, as a socket for both has it
		{net.TCPAddr{IP: net.IP{10, 0, 0, 1}}, true},
		{net.TCPAddr{IP: net.ParseIP("11.0.0.1")}, false},
		{net.TCPAddr{IP: net.ParseIP("192.0.2.1")}, true},
		{net.TCPAddr{IP: net.ParseIP("192.0.2.2")}, false},
		{net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}, true},
		{net.TCPAddr{IP: net.ParseIP("fd00::1")}, false},
	} {
		if got := ln.trusts(&test.peer); got != test.want {
			t.Errorf("%v: %v", &test.peer, got)
		}
	}
}
