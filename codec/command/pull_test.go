package command

import (
	"encoding/json"
	"testing"
)

func TestPullResponses(t *testing.T) {
	for name, want := range map[string]struct {
		code     ResponseCode
		response PullResponse
		body     bool
	}{
		"pull":          {ResponseSuccess, PullResponse{2, 0, 2}, true},
		"pull_tag":      {ResponseSuccess, PullResponse{2, 0, 2}, true},
		"pull_sql":      {ResponseSuccess, PullResponse{2, 0, 2}, true},
		"pull_no_match": {ResponsePullRetryImmediately, PullResponse{2, 0, 2}, false},
		"pull_end":      {ResponsePullNotFound, PullResponse{2, 0, 2}, false},
		"pull_wait":     {ResponsePullNotFound, PullResponse{2, 0, 2}, false},
		"pull_beyond":   {ResponsePullOffsetMoved, PullResponse{2, 0, 2}, false},
		"pull_below":    {ResponsePullOffsetMoved, PullResponse{0, 0, 2}, false},
	} {
		h, body := golden(t, name+"_response")
		got, err := ParsePullResponse(h)
		if ResponseCode(h.Code) != want.code || err != nil || got != want.response || len(body) > 0 != want.body {
			t.Errorf("%s: %v %+v %v, %d bytes", name, ResponseCode(h.Code), got, err, len(body))
		}
	}
	h, _ := golden(t, "pull_bad_queue_response") // a refusal says nothing of offsets
	if _, err := ParsePullResponse(h); err == nil || ResponseCode(h.Code) != ResponseInvalidParameter {
		t.Error(describe(h, nil))
	}
}

func TestOffsetResponses(t *testing.T) {
	for name, want := range map[string]ResponseCode{
		"query_consumer_offset": ResponseSuccess, "query_consumer_offset_absent": ResponseQueryNotFound,
		"update_consumer_offset": ResponseSuccess, "update_consumer_offset_absent": ResponseGroupNotExist,
		"search_offset": ResponseSuccess, "check_client_config": ResponseSuccess, "check_client_config_bad": ResponseSubscriptionParseFailed,
	} {
		if h, _ := golden(t, name+"_response"); ResponseCode(h.Code) != want {
			t.Errorf("%s: %v", name, describe(h, nil))
		}
	}
	h, _ := golden(t, "query_consumer_offset_response")
	if n, err := ParseOffsetResponse(h); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// TestPullAsksToWait only where it may.
func TestPullAsksToWait(t *testing.T) {
	for timeout, want := range map[int64]string{-1: "4", 0: "4", 1: "6"} {
		h := headOf(t, AppendPull(nil, 1, &PullMessage{SuspendTimeout: timeout}, 0))
		if got := text1(h, "sysFlag"); got != want {
			t.Errorf("%d ms: sysFlag %s, want %s", timeout, got, want)
		}
	}
}

func FuzzParsePullResponse(f *testing.F) {
	for _, name := range []string{"pull_response", "pull_below_response", "pull_bad_queue_response"} {
		_, head, _ := splitFrame(f, readGolden(f, name))
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var h Head
		if ParseHead(&h, JSON, in) != nil {
			return
		}
		r, err := ParsePullResponse(&h)
		if err != nil {
			return
		}
		for key, got := range map[string]int64{"nextBeginOffset": r.NextBeginOffset, "minOffset": r.MinOffset, "maxOffset": r.MaxOffset} {
			if n, is := h.Int64(key); is && n != got {
				t.Fatalf("%s is %d in %q", key, got, in)
			}
		}
	})
}

func FuzzParseClientConfigBody(f *testing.F) {
	_, body := golden(f, "check_client_config_request")
	f.Add(body)
	f.Fuzz(func(t *testing.T, in []byte) {
		config, err := ParseClientConfigBody(in)
		if err != nil {
			return
		}
		again := AppendClientConfigBody(nil, config)
		if second, err := ParseClientConfigBody(again); err != nil || !json.Valid(again) || string(AppendClientConfigBody(nil, second)) != string(again) {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
