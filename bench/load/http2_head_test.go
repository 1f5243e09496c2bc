package load

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// decodeAll is a server's view of a header block.
func decodeAll(t *testing.T, d *hpack.Decoder, block []byte) map[string]string {
	t.Helper()
	fields, err := d.DecodeFull(block)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range fields {
		all[f.Name] = f.Value
	}
	return all
}

func TestRequestHeadsDecode(t *testing.T) {
	for _, limit := range []uint32{4096, 1000, 120, 60, 0} {
		h := newRequestHead(Identity{Authority: "127.0.0.1:8081", Scheme: "http", ClientID: "me"})
		d := hpack.NewDecoder(4096, nil)
		pick := rand.New(rand.NewPCG(1, uint64(limit)))
		bytesSent := 0
		for i := range 600 {
			if i == 100 {
				h.setLimit(limit)
			}
			path := []string{"/a.B/C", "/a.B/D", "/a.B/A-long-name"}[pick.IntN(3)]
			timeout := []time.Duration{0, 3 * time.Second, 23 * time.Second}[pick.IntN(3)]
			block := h.append(nil, path, timeout, 1795385812+int64(i/250))
			bytesSent += len(block)
			got := decodeAll(t, d, block)
			want := map[string]string{":method": "POST", ":scheme": "http", ":path": path, ":authority": "127.0.0.1:8081",
				"content-type": "application/grpc", "user-agent": "grpc-go/1.85.0", "te": "trailers", "x-mq-language": "GO",
				"x-mq-protocol": "GRPC_V2", "x-mq-client-version": "5.1.4", "x-mq-namespace": "", "x-mq-client-id": "me",
				"x-mq-date-time": time.Unix(1795385812+int64(i/250), 0).UTC().Format("20060102T150405Z")}
			if id := got["x-mq-request-id"]; len(id) != 36 {
				t.Fatalf("request id %q", id)
			}
			if v, sent := got["grpc-timeout"]; sent != (timeout > 0) || sent && len(v) != 8+btoi(timeout > 10*time.Second) {
				t.Fatalf("grpc-timeout %q for %v", v, timeout)
			}
			delete(got, "x-mq-request-id")
			delete(got, "grpc-timeout")
			if !maps.Equal(got, want) {
				t.Fatalf("limit %d, request %d: %v", limit, i, got)
			}
		}
		t.Logf("table of %d bytes: %d bytes a request", limit, bytesSent/600)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What a request costs on the wire must be what grpc-go's encoder would send.
func TestRequestHeadsAreAsLongAsTheLibrarys(t *testing.T) {
	h := newRequestHead(Identity{Authority: "127.0.0.1:8081", Scheme: "http", ClientID: "me"})
	d := hpack.NewDecoder(4096, nil)
	var library bytes.Buffer
	e := hpack.NewEncoder(&library)
	ours := 0
	for i := range 1000 {
		block := h.append(nil, "/a.B/C", 3*time.Second, 1795385812+int64(i/250))
		ours += len(block)
		fields, err := d.DecodeFull(block)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if err := e.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := float64(ours)/float64(library.Len()) - 1; diff > 0.01 || diff < -0.01 {
		t.Errorf("%d bytes, the library %d", ours, library.Len())
	}
}

func TestFixedHeadsBecomeIndexed(t *testing.T) {
	h := newRequestHead(Identity{Authority: "a", Scheme: "https", ClientID: "me", Fixed: true})
	h.append(nil, "/a.B/C", time.Second, 1)
	if n := len(h.append(nil, "/a.B/C", time.Second, 1)); n != 15 {
		t.Errorf("%d bytes for 15 known fields", n)
	}
}

func TestRequestHeadsAllocateNothing(t *testing.T) {
	h := newRequestHead(Identity{Authority: "a", Scheme: "http", ClientID: "me"})
	out := h.append(make([]byte, 0, 4096), "/a.B/C", time.Second, 1)
	if n := testing.AllocsPerRun(1000, func() { h.append(out[:0], "/a.B/C", time.Second, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestResponseHeadsAreKnownAgain(t *testing.T) {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	d := newHeadDecoder()
	statuses := []string{"0", "0", "13", "0", "0", "4", "13", "0"}
	for i, status := range statuses {
		for range 3 {
			b.Reset()
			e.WriteField(hpack.HeaderField{Name: "grpc-status", Value: status, Sensitive: i%2 == 1})
			e.WriteField(hpack.HeaderField{Name: "grpc-message", Value: "m" + status})
			head, err := d.decode(b.Bytes())
			if err != nil || head.grpcStatus != status || head.grpcMessage != "m"+status {
				t.Fatalf("%d: %+v, %v", i, head, err)
			}
		}
	}
	if len(d.known) == 0 {
		t.Error("nothing was remembered")
	}
}

func TestMalformedHeads(t *testing.T) {
	for _, bad := range [][]byte{{0x80}, {0xff, 0xff}, {0x00, 0x05, 'a'}, {0x40, 0x01}} {
		if _, err := newHeadDecoder().decode(bad); err == nil {
			t.Errorf("% x was taken", bad)
		}
	}
}
