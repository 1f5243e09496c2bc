package fakebroker

import (
	"encoding/json"

	"rocketmq-proxy/codec/command"
)

// GET_SUBSCRIPTIONGROUP_CONFIG and UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, specification 2.6.
// Covered: asking for an unknown group creates it, unless the cluster is strict.

func (b *Broker) groupConfig(r *Request) Response {
	group := b.cluster.group(r.Ext["group"], b.cluster.autoGroup)
	if group == nil {
		return fail(26, "No group in this broker. group: "+r.Ext["group"])
	}
	return Response{Body: command.AppendGroupConfig(nil, group)}
}

func (b *Broker) updateGroup(r *Request) Response {
	var named struct {
		Name string `json:"groupName"`
	}
	if err := json.Unmarshal(r.Body, &named); err != nil || named.Name == "" {
		return fail(1, "the group cannot be read")
	}
	if err := json.Unmarshal(r.Body, b.cluster.group(named.Name, true)); err != nil {
		return fail(1, err.Error())
	}
	return Response{}
}
