package session

import (
	"runtime"
	"sync"
	"weak"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
)

// shared knows the settings that are in use, so that clients that say the same have them in common:
// those of one consumer take kilobytes, and thousands of consumers of a group differ in their ids only.
type shared struct {
	mu  sync.Mutex
	all map[string]weak.Pointer[apiv2.Settings] // by their encoding
}

// one returns settings, or the equal ones that are in use. Neither may be changed from here on.
func (t *shared) one(settings *apiv2.Settings) *apiv2.Settings {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(settings)
	if err != nil {
		return settings
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if used := t.all[string(encoded)].Value(); used != nil {
		return used
	}
	if t.all == nil {
		t.all = make(map[string]weak.Pointer[apiv2.Settings])
	}
	key := string(encoded)
	t.all[key] = weak.Make(settings)
	runtime.AddCleanup(settings, t.forget, key)
	return settings
}

// forget drops an entry whose settings nobody uses any more.
func (t *shared) forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[key].Value() == nil { // else others have come since
		delete(t.all, key)
	}
}
