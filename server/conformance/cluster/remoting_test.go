package cluster

import (
	"bytes"
	"testing"
)

func TestFrameSurvivesTheWire(t *testing.T) {
	sent := head{Code: codeGetRouteInfoByTopic, Language: "GO", Version: 513, Opaque: 9, Ext: map[string]string{"topic": "orders"}}
	frame, err := appendFrame(nil, sent, []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	got, body, err := readFrame(bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	if got.Code != sent.Code || got.Opaque != 9 || got.Ext["topic"] != "orders" || string(body) != "body" {
		t.Errorf("got %+v with body %q", got, body)
	}
}

func TestFrameThatLiesAboutItsLengthIsRefused(t *testing.T) {
	for _, frame := range [][]byte{
		{0, 0, 0, 3, 0, 0, 0},              // shorter than its own header word
		{255, 0, 0, 0},                     // longer than any frame
		{0, 0, 0, 4, 0, 0, 0, 1},           // header longer than the frame
		{0, 0, 0, 6, 1, 0, 0, 2, '{', '}'}, // not JSON
	} {
		if _, _, err := readFrame(bytes.NewReader(frame)); err == nil {
			t.Errorf("% x was read", frame)
		}
	}
}
