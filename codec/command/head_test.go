package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSplitFrame(t *testing.T) {
	for _, c := range []struct {
		name       string
		prefix     string
		head, body int
		kind       SerializeType
		err        error
	}{
		{"json", "\x00\x00\x00\x0a\x00\x00\x00\x02", 2, 4, JSON, nil},
		{"binary", "\x00\x00\x00\x06\x01\x00\x00\x02", 2, 0, RocketMQ, nil},
		{"largest", "\x00\xff\xff\xfc\x00\x00\x00\x00", 0, FrameBytesMax - PrefixBytes, JSON, nil},
		{"too large", "\x00\xff\xff\xfd\x00\x00\x00\x00", 0, 0, 0, ErrFrameLong},
		{"negative", "\xff\xff\xff\xff\x00\x00\x00\x00", 0, 0, 0, ErrFrameLong},
		{"no head word", "\x00\x00\x00\x03\x00\x00\x00\x00", 0, 0, 0, ErrFrameShort},
		{"head longer than frame", "\x00\x00\x00\x04\x00\x00\x00\x01", 0, 0, 0, ErrHeadLength},
		{"third kind", "\x00\x00\x00\x04\x02\x00\x00\x00", 0, 0, 0, ErrSerializeType},
		{"seven bytes", "\x00\x00\x00\x04\x00\x00\x00", 0, 0, 0, ErrPrefixShort},
	} {
		head, body, kind, err := SplitFrame([]byte(c.prefix))
		if head != c.head || body != c.body || kind != c.kind || !errors.Is(err, c.err) {
			t.Errorf("%s: %d %d %v %v", c.name, head, body, kind, err)
		}
	}
}

func TestParseJSONHead(t *testing.T) {
	deep := strings.Repeat("[", 7) + strings.Repeat("]", 7)
	many := strings.Repeat(`"k":"v",`, FieldsMax-1) + `"k":"v"`
	for in, want := range map[string]string{
		`{"code":0,"flag":1,"opaque":7,"version":513}`:                    `0 1 7 513 "" []`,
		"\t{ \"opaque\" : -1 ,\r\n \"code\":\"17\" } ":                    `17 0 -1 0 "" []`,
		`{"remark":"a\"\\\/\b\f\n\r\tz","extFields":{}}`:                  `0 0 0 0 "a\"\\/\b\f\n\r\tz" []`,
		`{"remark":null,"extFields":null,"code":null}`:                    `0 0 0 0 "" []`,
		`{"extFields":{"a":"1","b":2,"c":true,"d":null,"e":[1,{"x":2}]}}`: `0 0 0 0 "" [a=1 b=2 c=true d e=[1,{"x":2}]]`,
		`{"extFields":{"\u0061\u0001":"\u00e4\uD83D\uDE00\ud83dx"}}`:      "0 0 0 0 \"\" [a\x01=ä😀\uFFFDx]",
		`{"x":{"y":[[],[1,"2",{}]],"z":-1.5e+3},"code":1}`:                `1 0 0 0 "" []`,
		"{\"remark\":\"raw\x01\x02\"}":                                    `0 0 0 0 "raw\x01\x02" []`,
		`{"x":` + deep + `}`:                                              `0 0 0 0 "" []`,
		`{"x":[` + deep + `]}`:                                            `byte 13: nested too deep`,
		`{"extFields":{` + many + `}}`:                                    `0 0 0 0 "" [` + strings.Repeat("k=v ", FieldsMax-1) + `k=v]`,
		`{"extFields":{` + many + `,"k":"v"}}`:                            `too many ext fields`,
		`{"code":2147483648}`:                                             `byte 8: not a 32-bit number`,
		`{"code":1.5}`:                                                    `byte 8: not a 32-bit number`,
		`{"code":01}`:                                                     `not the character`,
		`{"code":1,}`:                                                     `not the character`,
		`{,"code":1}`:                                                     `not the character`,
		`{"code" 1}`:                                                      `not the character`,
		`{"code":1} x`:                                                    `something behind`,
		`{"code":1`:                                                       `not the character`,
		`{"code":tru}`:                                                    `not the character`,
		`{"remark":"a`:                                                    `string does not end`,
		`{"remark":"a\`:                                                   `string does not end`,
		`{"remark":"\x"}`:                                                 `unknown escape`,
		`{"remark":"\u12"}`:                                               `not a hexadecimal`,
		`{"remark":"\u1`:                                                  `escape does not end`,
		`{"extFields":[]}`:                                                `not the character`,
		``:                                                                `not the character`,
		`[]`:                                                              `not the character`,
	} {
		var h Head
		err := ParseHead(&h, JSON, []byte(in))
		if got := describe(&h, err); got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%.60s\n got %s\nwant %s", in, got, want)
		}
	}
}

// describe shows a head on one line.
func describe(h *Head, err error) string {
	if err != nil {
		return err.Error()
	}
	fields := make([]string, 0, len(h.Ext))
	for _, f := range h.Ext {
		if f.Value == nil {
			fields = append(fields, string(f.Key))
		} else {
			fields = append(fields, string(f.Key)+"="+string(f.Value))
		}
	}
	return fmt.Sprintf("%d %d %d %d %q %v", h.Code, h.Flag, h.Opaque, h.Version, h.Remark, fields)
}

func TestParseBinaryHead(t *testing.T) {
	const fixed = "\x01\x36\x09\x02\x01\x00\x00\x00\x0e\x00\x00\x00\x02"
	for in, want := range map[string]string{
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x00":                             `310 2 14 513 "" []`,
		fixed + "\x00\x00\x00\x02hi\x00\x00\x00\x08\x00\x01a\x00\x00\x00\x01b": `310 2 14 513 "hi" [a=b]`,
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x01a\x00\x00\x00\x00":    `310 2 14 513 "" [a]`,
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x01b":    `310 2 14 513 "" []`,
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x00behind":                       `310 2 14 513 "" []`,
		fixed:                        `remark is longer`,
		fixed[:12]:                   `fixed part is longer`,
		fixed + "\x00\x00\x00\x03hi": `remark is longer`,
		fixed + "\xff\xff\xff\xff":   `remark is longer`,
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x01":                           `ext block is longer`,
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x08\x00\x01a\x00\x00\x00\x02b": `ext value is longer`,
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x08\xff\xffa\x00\x00\x00\x01b": `ext key is longer`,
		fixed + "\x00\x00\x00\x00\x00\x00\x00\x03\x00\x01a":                  `ext value is longer`,
	} {
		var h Head
		err := ParseHead(&h, RocketMQ, []byte(in))
		if got := describe(&h, err); got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestHeadValues(t *testing.T) {
	var h Head
	in := `{"flag":3,"extFields":{"n":"-9223372036854775808","i":"2147483647","t":"TRUE","f":"no","e":"","x":"1","x":"2"}}`
	if err := ParseHead(&h, JSON, []byte(in)); err != nil {
		t.Fatal(err)
	}
	n, okN := h.Int64("n")
	i, okI := h.Int32("i")
	_, okLong := h.Int32("n")
	_, okEmpty := h.Int64("e")
	if n != -1<<63 || !okN || i != 1<<31-1 || !okI || okLong || okEmpty {
		t.Error(n, okN, i, okI, okLong, okEmpty)
	}
	yes, okT := h.Bool("t")
	no, okF := h.Bool("f")
	_, okAbsent := h.Bool("absent")
	if !yes || !okT || no || !okF || okAbsent {
		t.Error(yes, okT, no, okF, okAbsent)
	}
	if h.Value("absent") != nil || h.Value("e") == nil || string(h.Value("x")) != "2" {
		t.Error("absent is nil, empty is not, the last one counts")
	}
	if !h.IsResponse() || !h.IsOneway() {
		t.Error("flags")
	}
}

func TestHeadIsReused(t *testing.T) {
	var h Head
	first := `{"code":1,"remark":"\n","extFields":{"a":"\t"}}`
	if err := ParseHead(&h, JSON, []byte(first)); err != nil {
		t.Fatal(err)
	}
	if err := ParseHead(&h, JSON, []byte(`{"opaque":2}`)); err != nil {
		t.Fatal(err)
	}
	if got := describe(&h, nil); got != `0 0 2 0 "" []` || h.Remark != nil {
		t.Error(got)
	}
}

func TestLanguageNames(t *testing.T) {
	for l := Language(0); int(l) < len(languageNames); l++ {
		if languageOf([]byte(l.String())) != l {
			t.Error(l)
		}
	}
	if languageOf([]byte("COBOL")) != LanguageOther || Language(200).String() != "OTHER" {
		t.Error("unknown languages are OTHER")
	}
}

// oracle is what encoding/json makes of a head: every ext value as text. ok is false for what
// is no JSON or no head.
type oracle struct {
	numbers map[string]int64
	remark  string
	ext     map[string]string
}

func askOracle(in []byte) (o oracle, ok bool) {
	var top map[string]json.RawMessage
	if json.Unmarshal(in, &top) != nil || top == nil {
		return o, false
	}
	o.numbers, o.ext = map[string]int64{}, map[string]string{}
	for _, key := range []string{"code", "version", "opaque", "flag"} {
		text, present := oracleText(top[key])
		n, isNumber := parseInt32([]byte(text))
		if present && !isNumber {
			return o, false
		}
		o.numbers[key] = int64(n)
	}
	o.remark, _ = oracleText(top["remark"])
	if raw := top["extFields"]; raw != nil {
		var ext map[string]json.RawMessage
		if json.Unmarshal(raw, &ext) != nil {
			return o, false
		}
		for k, v := range ext {
			if text, present := oracleText(v); present {
				o.ext[k] = text
			}
		}
	}
	return o, true
}

func oracleText(raw json.RawMessage) (text string, present bool) {
	var s string
	switch {
	case raw == nil || string(raw) == "null":
		return "", false
	case json.Unmarshal(raw, &s) == nil:
		return s, true
	}
	return string(raw), true
}

func headAsOracle(h *Head) oracle {
	o := oracle{remark: string(h.Remark), ext: map[string]string{}}
	o.numbers = map[string]int64{
		"code": int64(h.Code), "version": int64(h.Version), "opaque": int64(h.Opaque), "flag": int64(h.Flag),
	}
	for _, f := range h.Ext {
		if delete(o.ext, string(f.Key)); f.Value != nil {
			o.ext[string(f.Key)] = string(f.Value)
		}
	}
	return o
}

// checkAgainstOracle compares on input that both are meant for: UTF-8 without raw control
// characters, which only we accept.
func checkAgainstOracle(t *testing.T, in []byte) {
	t.Helper()
	checkReadersAgree(t, in)
	var h Head
	err := ParseHead(&h, JSON, in)
	if !utf8.Valid(in) || strings.ContainsFunc(string(in), func(c rune) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' }) ||
		bytes.ContainsAny(in, "\n\r\t") && !json.Valid(in) {
		return
	}
	want, ok := askOracle(in)
	var limit *HeadError
	if errors.As(err, &limit) && (limit.Reason == "nested too deep" || limit.Reason == "too many ext fields") {
		return
	}
	if ok != (err == nil) {
		t.Fatalf("%q: encoding/json %v, we %v", in, ok, err)
	}
	if got := headAsOracle(&h); ok && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q:\n got %v\nwant %v", in, got, want)
	}
}

func TestGoldenHeadsAgainstOracle(t *testing.T) {
	for _, name := range goldenNames(t) {
		if h, head, _ := splitFrame(t, readGolden(t, name)); h.Kind == JSON {
			checkAgainstOracle(t, head)
		}
	}
}

func FuzzParseJSONHead(f *testing.F) {
	for _, name := range goldenNames(f) {
		if h, head, _ := splitFrame(f, readGolden(f, name)); h.Kind == JSON {
			f.Add(head)
		}
	}
	f.Add([]byte(`{"x":[1,-0.5e3,{"\ud83d\ude00":null}],"code":"7","extFields":{"a":"\u0001","a":null,"b":[{}]}}`))
	f.Fuzz(checkAgainstOracle)
}

func FuzzParseBinaryHead(f *testing.F) {
	for _, name := range goldenNames(f) {
		if h, head, _ := splitFrame(f, readGolden(f, name)); h.Kind == RocketMQ {
			f.Add(head)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var h Head
		if ParseHead(&h, RocketMQ, in) != nil {
			return
		}
		w := beginBinary(nil, h.Code, h.Opaque, h.Flag, string(h.Remark))
		for _, field := range h.Ext {
			if h.Value(string(field.Key)) != nil { // a null, which is not written, may follow a value
				w.field(field)
			}
		}
		again, _, _ := splitFrame(t, w.seal(0))
		if got, want := headAsOracle(again), headAsOracle(&h); got.remark != want.remark ||
			!reflect.DeepEqual(got.ext, want.ext) || again.Opaque != h.Opaque || again.Code != h.Code {
			t.Fatalf("got %v\nwant %v", got, want)
		}
	})
}

func FuzzSplitFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x0a\x01\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, in []byte) {
		head, body, kind, err := SplitFrame(in)
		if err != nil {
			return
		}
		if head < 0 || body < 0 || PrefixBytes+head+body > FrameBytesMax || kind > RocketMQ {
			t.Fatal(head, body, kind)
		}
	})
}
