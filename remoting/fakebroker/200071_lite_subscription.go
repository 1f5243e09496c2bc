package fakebroker

import (
	"rocketmq-proxy/codec/command"
)

// LITE_SUBSCRIPTION_CTL and NOTIFY_UNSUBSCRIBE_LITE, specification 2.24. Covered: the four
// actions, one set for each client; the notification when the test asks for it, on the
// connection of the last request. Left out: quotas, offset options, versions.

// liteSet is the lite topics that a client reads.
type liteSet struct {
	client *Client
	topics map[string]bool
}

func (b *Broker) liteSubscription(r *Request) Response {
	body, err := command.ParseLiteSubscriptionBody(r.Body)
	if err != nil {
		return fail(1, "com.alibaba.fastjson2.JSONException: "+err.Error())
	}
	for _, s := range body.Subscriptions {
		set := b.lites[s.ClientID]
		if set == nil || s.Action == "COMPLETE_ADD" || s.Action == "COMPLETE_REMOVE" {
			set = &liteSet{topics: map[string]bool{}}
			b.lites[s.ClientID] = set
		}
		set.client = r.Client
		for _, topic := range s.LiteTopics {
			switch s.Action {
			case "PARTIAL_ADD", "COMPLETE_ADD":
				set.topics[topic] = true
			case "PARTIAL_REMOVE":
				delete(set.topics, topic)
			}
		}
	}
	return Response{}
}

// LiteTopics is how many lite topics a client reads.
func (b *Broker) LiteTopics(clientID string) int {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	if set := b.lites[clientID]; set != nil {
		return len(set.topics)
	}
	return 0
}

// Unsubscribe tells a client that it no longer has a lite topic.
func (b *Broker) Unsubscribe(clientID, group, liteTopic string) {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	if set := b.lites[clientID]; set != nil {
		delete(set.topics, liteTopic)
		set.client.Push(200073, map[string]string{"liteTopic": liteTopic, "consumerGroup": group, "clientId": clientID}, nil)
	}
}
