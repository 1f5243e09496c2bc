package fleet

import (
	"runtime"
	"sync"
	"weak"

	"google.golang.org/protobuf/encoding/protojson"

	"rocketmq-proxy/codec/apiv2"
)

// extensions remembers settings as JSON, for as long as somebody has them: most consumers share theirs
// with others, and writing them takes most of an announcement's time.
type extensions struct {
	mu  sync.Mutex
	all map[weak.Pointer[apiv2.Settings]]string
}

// of is the extendAttribute of a consumer with these settings, which must not be changed afterwards.
func (x *extensions) of(settings *apiv2.Settings) (string, error) {
	key := weak.Make(settings)
	x.mu.Lock()
	defer x.mu.Unlock()
	if text, known := x.all[key]; known {
		return text, nil
	}
	text, err := protojson.Marshal(settings)
	if err != nil {
		return "", err
	}
	if x.all == nil {
		x.all = make(map[weak.Pointer[apiv2.Settings]]string)
	}
	x.all[key] = string(text)
	runtime.AddCleanup(settings, x.forget, key)
	return string(text), nil
}

func (x *extensions) forget(key weak.Pointer[apiv2.Settings]) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.all, key)
}
