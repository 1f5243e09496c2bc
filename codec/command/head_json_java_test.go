package command

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// TestJavaHeadsAreReadFast sees to it that what brokers really answer does not fall through to
// the general reader unnoticed. Only heads with an escape may.
func TestJavaHeadsAreReadFast(t *testing.T) {
	for _, name := range goldenNames(t) {
		h, head, _ := splitFrame(t, readGolden(t, name))
		if h.Kind != JSON || !h.IsResponse() || bytes.IndexByte(head, '\\') >= 0 {
			continue
		}
		fast := Head{Language: LanguageOther}
		if !parseJavaHead(&fast, head) {
			t.Errorf("%s: %s", name, head)
		}
	}
}

// checkReadersAgree compares the two readers of JSON heads: what the fast one accepts the general
// one must read alike.
func checkReadersAgree(t *testing.T, in []byte) {
	t.Helper()
	fast, general := Head{Language: LanguageOther}, Head{Language: LanguageOther}
	if !parseJavaHead(&fast, in) {
		return
	}
	if err := parseJSONHead(&general, in); err != nil {
		t.Fatalf("%q: only the fast reader accepts it: %v", in, err)
	}
	if len(fast.Ext)+len(general.Ext) == 0 {
		fast.Ext, general.Ext = nil, nil // of one, nil; of the other, empty
	}
	if !reflect.DeepEqual(fast, general) {
		t.Fatalf("%q:\n   fast %+v\ngeneral %+v", in, fast, general)
	}
}

const javaHead = `{"code":-1,"extFields":{"queueId":"1","":"","msgId":"7F00000100002A9F"},"flag":1,` +
	`"language":"JAVA","opaque":2147483647,"remark":"FOUND","serializeTypeCurrentRPC":"JSON","version":513}`

// TestReadersAgreeOnDamage changes each byte of a head to everything that means something, takes
// each byte away and cuts the head everywhere.
func TestReadersAgreeOnDamage(t *testing.T) {
	for i := range javaHead {
		checkReadersAgree(t, []byte(javaHead[:i]))
		checkReadersAgree(t, []byte(javaHead[:i]+javaHead[i+1:]))
		for _, c := range "\"\\{}[]:,.-+eEn019 \t\x00\x01\xff" {
			checkReadersAgree(t, []byte(javaHead[:i]+string(c)+javaHead[i:]))
			checkReadersAgree(t, []byte(javaHead[:i]+string(c)+javaHead[i+1:]))
		}
	}
}

func TestJavaHead(t *testing.T) {
	fields := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"k":"v",`, n), ",") }
	with := func(old, new string) string { return strings.Replace(javaHead, old, new, 1) }
	for in, want := range map[string]bool{
		javaHead:                                             true,
		with(`,"remark":"FOUND"`, ``):                        true,
		with(`"FOUND"`, `"F\nUND"`):                          false,
		with(`"FOUND"`, `null`):                              false,
		with(`"FOUND"`, `""`):                                true,
		with(`:-1`, `:2147483647`):                           true,
		with(`:-1`, `:-2147483648`):                          true,
		with(`:-1`, `:2147483648`):                           false,
		with(`:-1`, `:-2147483649`):                          false,
		with(`:-1`, `:99999999999999999999`):                 false,
		with(`:-1`, `:01`):                                   false,
		with(`:-1`, `:1.0`):                                  false,
		with(`:-1`, `:"1"`):                                  false,
		with(`:-1`, `:-`):                                    false,
		with(`JAVA`, `GO`):                                   false,
		with(`"1"`, `1`):                                     false,
		with(`{"queueId":"1",`, `{`+fields(FieldsMax-2)+`,`): true,
		with(`{"queueId":"1",`, `{`+fields(FieldsMax-1)+`,`): false,
		javaHead + " ":                                       false,
	} {
		h := Head{Language: LanguageOther}
		if parseJavaHead(&h, []byte(in)) != want {
			t.Errorf("%.120s: %v", in, !want)
		}
		checkReadersAgree(t, []byte(in))
	}
}
