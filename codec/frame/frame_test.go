package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

// Golden bytes, written by hand from the layouts of RFC 9113 section 6.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"DATA", AppendData(nil, 1, []byte("hi"), FlagEndStream), "000002 00 01 00000001 6869"},
		{"DATA padded", AppendDataPadded(nil, 1, []byte("hi"), 0, 3), "000006 00 08 00000001 03 6869 000000"},
		{"HEADERS", AppendHeaders(nil, 3, []byte{0x82}, FlagEndHeaders), "000001 01 04 00000003 82"},
		{"PRIORITY", AppendPriority(nil, 5, Priority{DependsOn: 3, Exclusive: true, Weight: 16}), "000005 02 00 00000005 80000003 10"},
		{"RST_STREAM", AppendReset(nil, 7, Cancel), "000004 03 00 00000007 00000008"},
		{"SETTINGS", AppendSettings(nil, Setting{SettingInitialWindowSize, 65536}), "000006 04 00 00000000 0004 00010000"},
		{"SETTINGS ack", AppendSettingsAck(nil), "000000 04 01 00000000"},
		{"PUSH_PROMISE", AppendPushPromise(nil, 1, 2, []byte{0x82}, FlagEndHeaders), "000005 05 04 00000001 00000002 82"},
		{"PING", AppendPing(nil, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, FlagAck), "000008 06 01 00000000 0102030405060708"},
		{"GOAWAY", AppendGoAway(nil, 9, EnhanceYourCalm, "no"), "00000a 07 00 00000000 00000009 0000000b 6e6f"},
		{"WINDOW_UPDATE", AppendWindowUpdate(nil, 11, WindowMax), "000004 08 00 0000000b 7fffffff"},
		{"CONTINUATION", AppendContinuation(nil, 13, []byte{0x84}, 0), "000001 09 00 0000000d 84"},
	} {
		if want := strings.ReplaceAll(c.want, " ", ""); hex.EncodeToString(c.got) != want {
			t.Errorf("%s: %x, want %s", c.name, c.got, want)
		}
		h := ParseHead(c.got)
		if h.Length != len(c.got)-HeadBytes || !strings.HasPrefix(c.name, h.Kind.String()) {
			t.Error(c.name, h)
		}
	}
}

func TestHead(t *testing.T) {
	h := ParseHead([]byte{0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff})
	if h != (Head{Length: PayloadBytesMax, Kind: 0xfe, Flags: 0xff, Stream: StreamMax}) {
		t.Fatal(h)
	}
	if h.Kind.String() != "UNKNOWN" || ErrCode(99).String() != "UNKNOWN_ERROR" || HTTP11Required.String() != "HTTP_1_1_REQUIRED" {
		t.Fatal("names")
	}
	b := AppendData(nil, 1, []byte("hello"), 0)
	PutStream(b, 77)
	b = append(b, '!')
	PutLength(b)
	if h = ParseHead(b); h.Stream != 77 || h.Length != 6 {
		t.Fatal(h)
	}
}

func TestRoundTrips(t *testing.T) {
	payload := func(b []byte) (Head, []byte) { return ParseHead(b), b[HeadBytes:] }

	h, b := payload(AppendDataPadded(nil, 1, []byte("hi"), FlagEndStream, 255))
	if got, err := ParseData(h, b); err != nil || string(got) != "hi" || !h.Flags.Has(FlagEndStream) {
		t.Error(got, err)
	}
	if from, to, err := DataBounds(h, b[0]); err != nil || string(b[from:to]) != "hi" {
		t.Error(from, to, err)
	}
	_, b = payload(AppendPriority(nil, 1, Priority{5, true, 200}))
	if p, err := ParsePriority(b); err != nil || p != (Priority{5, true, 200}) {
		t.Error(p, err)
	}
	h = Head{Kind: KindHeaders, Flags: FlagPriority | FlagPadded}
	if p, err := ParseHeaders(h, append(append([]byte{2}, b...), 0x82, 0, 0)); err != nil || !p.HasPriority || p.Priority.Weight != 200 || !bytes.Equal(p.Block, []byte{0x82}) {
		t.Error(p, err)
	}
	_, b = payload(AppendReset(nil, 1, Cancel))
	if code, err := ParseReset(b); err != nil || code != Cancel {
		t.Error(code, err)
	}
	h, b = payload(AppendSettings(nil, Setting{1, 2}, Setting{3, 4}))
	if s, err := ParseSettings(h, b); err != nil || s.Len() != 2 || s.At(1) != (Setting{3, 4}) {
		t.Error(s, err)
	}
	h, b = payload(AppendPushPromise(nil, 1, 2, []byte{9}, 0))
	if p, err := ParsePushPromise(h, b); err != nil || p.Promised != 2 || !bytes.Equal(p.Block, []byte{9}) {
		t.Error(p, err)
	}
	_, b = payload(AppendGoAway(nil, 3, InternalError, "why"))
	if g, err := ParseGoAway(b); err != nil || g.Last != 3 || g.Code != InternalError || string(g.Debug) != "why" {
		t.Error(g, err)
	}
	_, b = payload(AppendWindowUpdate(nil, 3, 4))
	if n, err := ParseWindowUpdate(b); err != nil || n != 4 {
		t.Error(n, err)
	}
	_, b = payload(AppendPing(nil, [8]byte{1}, 0))
	if p, err := ParsePing(b); err != nil || p != [8]byte{1} {
		t.Error(p, err)
	}
}

func TestLayoutErrors(t *testing.T) {
	padded := Head{Kind: KindHeaders, Flags: FlagPadded}
	priority := Head{Kind: KindHeaders, Flags: FlagPriority}
	for _, c := range []struct {
		name string
		err  error
		want ErrCode
	}{
		{"padding fills the payload", second(ParseData(Head{Kind: KindData, Flags: FlagPadded}, []byte{1})), ProtocolError},
		{"no pad length", second(ParseHeaders(padded, nil)), FrameSizeError},
		{"padding exceeds", second(ParseHeaders(padded, []byte{3, 0, 0})), ProtocolError},
		{"no priority", second(ParseHeaders(priority, []byte{1, 2, 3, 4})), FrameSizeError},
		{"DATA without pad length", third(DataBounds(Head{Flags: FlagPadded}, 0)), FrameSizeError},
		{"PRIORITY", second(ParsePriority(make([]byte, 6))), FrameSizeError},
		{"RST_STREAM", second(ParseReset(make([]byte, 3))), FrameSizeError},
		{"SETTINGS", second(ParseSettings(Head{}, make([]byte, 7))), FrameSizeError},
		{"SETTINGS ack", second(ParseSettings(Head{Flags: FlagAck}, make([]byte, 6))), FrameSizeError},
		{"PUSH_PROMISE", second(ParsePushPromise(Head{}, make([]byte, 3))), FrameSizeError},
		{"PING", second(ParsePing(make([]byte, 7))), FrameSizeError},
		{"GOAWAY", second(ParseGoAway(make([]byte, 7))), FrameSizeError},
		{"WINDOW_UPDATE", second(ParseWindowUpdate(make([]byte, 5))), FrameSizeError},
		{"ENABLE_PUSH", Setting{SettingEnablePush, 2}.Validate(), ProtocolError},
		{"INITIAL_WINDOW_SIZE", Setting{SettingInitialWindowSize, 1 << 31}.Validate(), FlowControlError},
		{"MAX_FRAME_SIZE small", Setting{SettingFrameSizeMax, PayloadBytesMin - 1}.Validate(), ProtocolError},
		{"MAX_FRAME_SIZE large", Setting{SettingFrameSizeMax, PayloadBytesMax + 1}.Validate(), ProtocolError},
	} {
		var e *Error
		if !errors.As(c.err, &e) || e.Code != c.want || e.Error() == "" {
			t.Error(c.name, c.err)
		}
	}
	if err := (Setting{SettingHeaderTableSize, 1 << 31}).Validate(); err != nil {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// FuzzParse: no panic, no overread, and DATA comes back the same.
func FuzzParse(f *testing.F) {
	f.Add(AppendDataPadded(nil, 1, []byte("hi"), 0, 3))
	f.Add(AppendPriority(nil, 1, Priority{}))
	f.Add(AppendSettings(nil, Setting{1, 2}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < HeadBytes {
			return
		}
		h := ParseHead(b)
		payload := bytes.Clone(b[HeadBytes:])
		payload = slices.Clip(payload)
		h.Length = len(payload)
		content, err := ParseData(h, payload)
		var first byte
		if len(payload) > 0 {
			first = payload[0]
		}
		from, to, err2 := DataBounds(h, first)
		if (err == nil) != (err2 == nil) || (err == nil && !bytes.Equal(content, payload[from:to])) {
			t.Fatal(err, err2, from, to)
		}
		ParseHeaders(h, payload)
		ParsePushPromise(h, payload)
		ParsePriority(payload)
		ParseReset(payload)
		ParsePing(payload)
		ParseGoAway(payload)
		ParseWindowUpdate(payload)
		if s, err := ParseSettings(h, payload); err == nil {
			for i := range s.Len() {
				s.At(i).Validate()
			}
		}
		if again := AppendHead(nil, h); ParseHead(again) != h {
			t.Fatal(h)
		}
	})
}
