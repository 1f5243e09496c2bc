package fakebroker

import (
	"fmt"
	"slices"

	"rocketmq-proxy/codec/command"
)

// GET_ROUTEINFO_BY_TOPIC, specification 2.2. Covered: topics, and the topics that every broker
// registers: one named after itself, one after the cluster. A broker that was stopped stays in
// the routes, as it does for the first two minutes. Left out: unquoted keys for old clients,
// order confs, static topics, replicas.

// serveName is the name server.
func (c *Cluster) serveName(r *Request) Response {
	if r.Code != 105 {
		return fail(3, fmt.Sprintf(" request type %d not supported", r.Code))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	route := c.route(r.Ext["topic"])
	if len(route.Queues) == 0 {
		return fail(17, "No topic route info in name server for the topic: "+r.Ext["topic"]+
			"\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.")
	}
	return Response{Body: command.AppendTopicRoute(nil, route)}
}

func (c *Cluster) route(name string) *command.TopicRoute {
	route := &command.TopicRoute{FilterServers: map[string][]string{}}
	for _, b := range c.Brokers {
		var queues int32
		perm := command.Perm(7)
		topic := c.topics[name]
		switch {
		case topic != nil && (topic.Brokers == nil || slices.Contains(topic.Brokers, b.Name)):
			queues, perm = topic.Queues, topic.Perm
		case name == b.Name:
			queues = 1
		case name == c.Name:
			queues = 16
		case name == command.DefaultTopic && c.autoTopic:
			queues = 8
		default:
			continue
		}
		route.Queues = append(route.Queues, command.RouteQueues{BrokerName: b.Name, Read: queues, Write: queues, Perm: perm})
		route.Brokers = append(route.Brokers, command.RouteBroker{
			Cluster: c.Name, BrokerName: b.Name, Addrs: map[int64]string{command.MasterID: b.Addr},
		})
	}
	return route
}
