package server

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rocketmq-proxy/server/admin"
)

// TestConnectionsDocument: docs/connections.md says what every field of the page means.
func TestConnectionsDocument(t *testing.T) {
	text, err := os.ReadFile("docs/connections.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| ") {
			told = append(told, words(line)...)
		}
	}
	for _, shown := range []reflect.Type{reflect.TypeFor[admin.Connection](), reflect.TypeFor[admin.Totals]()} {
		for _, name := range jsonNames(shown) {
			if !slices.Contains(told, name) {
				t.Errorf("docs/connections.md does not say what %s is", name)
			}
		}
	}
	for _, state := range []admin.State{admin.Open, admin.Leaving, admin.Busy} {
		if !slices.Contains(told, string(state)) {
			t.Errorf("docs/connections.md does not say what %s is", state)
		}
	}
}

// jsonNames are the names of a struct's fields, those of structs in it too.
func jsonNames(s reflect.Type) (names []string) {
	for field := range s.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() == s.PkgPath() {
			names = append(names, jsonNames(inner)...)
		}
	}
	return names
}
