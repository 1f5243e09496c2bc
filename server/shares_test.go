package server

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/link"
)

// leaves are the fields of a struct that are no structs, by their path.
func leaves(v reflect.Value, path string, into map[string]any) map[string]any {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+v.Type().Field(i).Name, into)
		}
	case reflect.Array:
		for i := range v.Len() {
			leaves(v.Index(i), fmt.Sprintf("%s[%v]", path, h2.Violation(i)), into)
		}
	default:
		into[path] = v.Interface()
	}
	return into
}

// limitsOf are all limits that a configuration gives h2 and link.
func limitsOf(c *config.Config) map[string]any {
	all := leaves(reflect.ValueOf(h2Limits(c)), "h2", make(map[string]any))
	return leaves(reflect.ValueOf(linkLimits(c)), "link", all)
}

// alter gives a field of the configuration another value, if it is of a kind that limits have.
func alter(v reflect.Value) bool {
	switch value := v.Addr().Interface().(type) {
	case *time.Duration:
		*value += time.Second
	case *int:
		*value++
	case *config.Allowance:
		*value = "77 7/h"
	default:
		return false
	}
	return true
}

// Every limit of h2 and of link has a key, and but one. Who adds a limit and no key fails here.
func TestEveryLimitHasAKey(t *testing.T) {
	was := config.Default(config.Environment{})
	before, keys := limitsOf(&was), make(map[string][]string)
	for g := range reflect.TypeFor[config.Config]().NumField() {
		group := reflect.TypeFor[config.Config]().Field(g)
		if !group.IsExported() {
			continue
		}
		for f := range group.Type.NumField() {
			is := was
			if !alter(reflect.ValueOf(&is).Elem().Field(g).Field(f)) {
				continue
			}
			key, _, _ := strings.Cut(group.Type.Field(f).Tag.Get("key"), ",")
			for leaf, value := range limitsOf(&is) {
				if value != before[leaf] {
					keys[leaf] = append(keys[leaf], key)
				}
			}
		}
	}
	for v, a := range h2.DefaultLimits().Allowances {
		if a == (h2.Allowance{}) { // of no effect
			for _, half := range []string{"Burst", "Interval"} {
				delete(before, fmt.Sprintf("h2.Allowances[%v].%s", h2.Violation(v), half))
			}
		}
	}
	for leaf, value := range before {
		if len(keys[leaf]) != 1 {
			t.Errorf("%s has the keys %v, want one", leaf, keys[leaf])
		}
		if reflect.ValueOf(value).IsZero() && leaf != "link.ConnectionsPerAddressMax" {
			t.Errorf("%s is 0, so that not the configuration says what it is", leaf)
		}
	}
}

// The defaults of the configuration are those of the parts, but for the bytes that it is stricter about.
func TestDefaultsOfLimits(t *testing.T) {
	c := config.Default(config.Environment{})
	want := h2.DefaultLimits()
	want.ConnWindowBytes, want.OutboxBytesMax = 1<<20, 1<<20
	if got := h2Limits(&c); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	wantLink := link.DefaultLimits()
	wantLink.ConnectionsMax = 20000
	if got := linkLimits(&c); got != wantLink {
		t.Errorf("got  %+v\nwant %+v", got, wantLink)
	}
	c.GRPC.KeepAliveInterval = 0
	if got := h2Limits(&c).KeepaliveInterval; got >= 0 {
		t.Errorf("a KeepAliveInterval of 0 is %v", got)
	}
}
