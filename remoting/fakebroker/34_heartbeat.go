package fakebroker

import (
	"slices"
	"strings"

	"rocketmq-proxy/codec/command"
)

// HEART_BEAT, UNREGISTER_CLIENT and GET_CONSUMER_LIST_BY_GROUP, specification 2.17 and 2.18.
// Covered: groups by connection, the push of NOTIFY_CONSUMER_IDS_CHANGED before the answer.
// Left out: expiry after 120 s, fingerprints, retry topics made by a heartbeat.

// Prefixes of the role names in Broker.roles.
const (
	producerRole = "producer "
	consumerRole = "consumer "
)

func (b *Broker) heartbeat(r *Request) Response {
	beat, err := command.ParseHeartbeatBody(r.Body)
	if err != nil {
		return fail(1, "com.alibaba.fastjson2.JSONException: "+err.Error())
	}
	for _, producer := range beat.Producers {
		b.enrol(producerRole+producer.Group, r.Client, beat.ClientID)
	}
	for _, consumer := range beat.Consumers {
		if b.cluster.group(consumer.Group, b.cluster.autoGroup) == nil {
			continue
		}
		if b.enrol(consumerRole+consumer.Group, r.Client, beat.ClientID) {
			b.tellConsumers(consumer.Group)
		}
	}
	return Response{Ext: map[string]string{"IS_SUPPORT_HEART_BEAT_V2": "true", "IS_SUB_CHANGE": "true"}}
}

// enrol is true when the client is new in the role.
func (b *Broker) enrol(role string, client *Client, clientID string) bool {
	if b.roles[role] == nil {
		b.roles[role] = map[*Client]string{}
	}
	_, known := b.roles[role][client]
	b.roles[role][client] = clientID
	return !known
}

// tellConsumers pushes NOTIFY_CONSUMER_IDS_CHANGED to the whole group.
func (b *Broker) tellConsumers(group string) {
	for client := range b.roles[consumerRole+group] {
		client.Push(40, map[string]string{"consumerGroup": group}, nil)
	}
}

func (b *Broker) unregister(r *Request) Response {
	if group := r.Ext["producerGroup"]; group != "" {
		delete(b.roles[producerRole+group], r.Client)
	}
	if group := r.Ext["consumerGroup"]; group != "" {
		delete(b.roles[consumerRole+group], r.Client)
		b.tellConsumers(group)
	}
	return Response{}
}

func (b *Broker) consumerList(r *Request) Response {
	ids := b.members(consumerRole + r.Ext["consumerGroup"])
	if len(ids) == 0 {
		return fail(1, "no consumer for this group, "+r.Ext["consumerGroup"])
	}
	var body strings.Builder
	body.WriteString(`{"consumerIdList":[`)
	for i, id := range ids {
		if i > 0 {
			body.WriteString(",")
		}
		body.WriteString(`"` + id + `"`)
	}
	return Response{Body: []byte(body.String() + "]}")}
}

// members are the client ids in a role whose connections are open.
func (b *Broker) members(role string) []string {
	open := b.Clients()
	var ids []string
	for client, id := range b.roles[role] {
		if slices.Contains(open, client) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// producer is an open connection of a producer group, nil when there is none.
func (b *Broker) producer(group string) *Client {
	open := b.Clients()
	for client := range b.roles[producerRole+group] {
		if slices.Contains(open, client) {
			return client
		}
	}
	return nil
}

// Producer is an open connection on which heartbeats of a producer group came, nil when there is
// none.
func (b *Broker) Producer(group string) *Client {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	return b.producer(group)
}

// Producers are the client ids that sent heartbeats for a producer group.
func (b *Broker) Producers(group string) []string {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	return b.members(producerRole + group)
}
