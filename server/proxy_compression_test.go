package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
)

func zip(b []byte) []byte {
	var to bytes.Buffer
	w := gzip.NewWriter(&to)
	_, _ = w.Write(b) // into memory
	_ = w.Close()
	return to.Bytes()
}

// unzip is what b holds, or nothing that a test expects.
func unzip(b []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return []byte(err.Error())
	}
	all, err := io.ReadAll(r)
	if err != nil {
		return []byte(err.Error())
	}
	return all
}

// A client that compresses is served like any other, and its answers are compressed too.
func TestCompressingClient(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		zips, plain := w.client("zips"), w.client("does-not")
		zips.zips = true
		for _, c := range []*client{zips, plain} {
			c.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
		}
		body := strings.Repeat("it compresses well. ", 2000)
		const all = 20
		for _, reader := range []*client{plain, zips} {
			var sends []*rpc
			for range all {
				sends = append(sends, zips.begin("SendMessage", sendRequest("orders", body), patience))
			}
			for _, s := range sends {
				s.answers(&apiv2.SendMessageResponse{}, apiv2.Code_OK)
			}
			for got := 0; got < all; {
				messages := reader.receives("orders")
				for _, m := range messages {
					if string(m.GetBody()) != body {
						t.Fatalf("a body of %d bytes, %d were sent", len(m.GetBody()), len(body))
					}
				}
				got += len(messages)
				ask(reader, "AckMessage", ackRequest("orders", messages...), &apiv2.AckMessageResponse{}, apiv2.Code_OK)
			}
		}
		zips.mu.Lock()
		defer zips.mu.Unlock()
		if zips.unzipped < all || plain.unzipped > 0 {
			t.Errorf("%d messages came compressed to who compresses, %d to who does not", zips.unzipped, plain.unzipped)
		}
	})
}
