package apiv2

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/pool"
)

// Each limit lets through exactly as many elements as it says, counted over the whole request.
func TestLimitsAtTheirEdge(t *testing.T) {
	limits := Limits{MessagesMax: 3, PropertiesMax: 4, KeysMax: 5, EntriesMax: 6}
	parseSend := func(chain *pool.Chain) error { return new(SendView).Parse(chain, &limits) }
	parseAck := func(chain *pool.Chain) error { return new(AckView).Parse(chain, &limits) }
	for _, tc := range []struct {
		limit string
		max   int
		parse func(*pool.Chain) error
		of    func(n int) proto.Message
	}{
		{"MessagesMax", 3, parseSend, func(n int) proto.Message {
			return &SendMessageRequest{Messages: times(n, &Message{})}
		}},
		{"PropertiesMax", 4, parseSend, func(n int) proto.Message {
			properties := map[string]string{}
			for i := range n - 1 {
				properties[strings.Repeat("k", i)] = "v"
			}
			one := &Message{UserProperties: map[string]string{"k": "v"}}
			return &SendMessageRequest{Messages: []*Message{one, {UserProperties: properties}}}
		}},
		{"KeysMax", 5, parseSend, func(n int) proto.Message {
			one := &Message{SystemProperties: &SystemProperties{Keys: []string{"k"}}}
			others := &Message{SystemProperties: &SystemProperties{Keys: times(n-1, "k")}}
			return &SendMessageRequest{Messages: []*Message{one, others}}
		}},
		{"EntriesMax", 6, parseAck, func(n int) proto.Message {
			return &AckMessageRequest{Entries: times(n, &AckMessageEntry{})}
		}},
	} {
		t.Run(tc.limit, func(t *testing.T) {
			if err := tc.parse(chainOf(marshal(t, tc.of(tc.max)))); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			err := tc.parse(chainOf(marshal(t, tc.of(tc.max+1))))
			var limit *LimitError
			if !errors.As(err, &limit) || limit.Limit != tc.limit || limit.Max != tc.max {
				t.Errorf("beyond the limit: %v", err)
			}
		})
	}
}

func times[T any](n int, value T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = value
	}
	return all
}

// A view forgets the memory of an outsized request, and keeps that of an ordinary one.
func TestViewsDoNotStayLarge(t *testing.T) {
	limits := DefaultLimits()
	var v AckView
	for _, tc := range []struct {
		entries int
		kept    bool
	}{{100, true}, {10_000, false}} {
		b := marshal(t, &AckMessageRequest{Entries: times(tc.entries, &AckMessageEntry{MessageId: "m"})})
		if err := v.Parse(chainOf(b), &limits); err != nil {
			t.Fatal(err)
		}
		v.Reset()
		if kept := cap(v.Entries) > 0; kept != tc.kept {
			t.Errorf("%d entries: kept %v, want %v", tc.entries, kept, tc.kept)
		}
	}
}
