package bench

import (
	"bytes"
	"runtime/pprof"
	"strings"
	"testing"
)

// A profile keeps its functions, and loses the paths of this machine's files.
func TestProfilesNameNoPaths(t *testing.T) {
	var recorded bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&recorded, 0); err != nil { // the same format
		t.Fatal(err)
	}
	profile, err := gunzip(&recorded)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(profile, []byte("/profile_test.go")) {
		t.Fatal("there was no path to begin with")
	}
	clean, err := withoutPaths(profile)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.FieldsFuncSeq(string(clean), func(r rune) bool { return r < ' ' }) {
		if strings.HasPrefix(text, "/") && strings.Contains(text, ".go") {
			t.Errorf("%q is still there", text)
		}
	}
	if !bytes.Contains(clean, []byte("rocketmq-proxy/bench.TestProfilesNameNoPaths")) {
		t.Error("this function is gone")
	}
	if _, err := withoutPaths(clean[:len(clean)-1]); err == nil {
		t.Error("half a profile is whole")
	}
}
