package messaging

import (
	"net/netip"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

// endpointsFor is this proxy as the client itself dialled it, with its port or with ours (gRPC
// specification 4.1). Where the reference fails on a scheme that is not specified, the scheme of
// the first address is used.
func (svc *Service) endpointsFor(asked *apiv2.Endpoints, itsPort bool) *apiv2.Endpoints {
	told := &apiv2.Endpoints{Scheme: asked.GetScheme()}
	for _, a := range asked.GetAddresses() {
		port := int32(svc.ServerPort)
		if itsPort {
			port = a.GetPort()
		}
		told.Addresses = append(told.Addresses, &apiv2.Address{Host: a.GetHost(), Port: port})
	}
	if told.Scheme == apiv2.AddressScheme_ADDRESS_SCHEME_UNSPECIFIED || len(told.Addresses) == 0 {
		told.Scheme = apiv2.AddressScheme_IPv4
		if len(told.Addresses) > 0 {
			told.Scheme = SchemeOf(told.Addresses[0].GetHost())
		}
	}
	return told
}

// SchemeOf is what a host is: an IP address of one of the two kinds, or a name.
func SchemeOf(host string) apiv2.AddressScheme {
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return apiv2.AddressScheme_DOMAIN_NAME
	case ip.Is4():
		return apiv2.AddressScheme_IPv4
	}
	return apiv2.AddressScheme_IPv6
}

// accepted lists the message types that a topic takes.
func accepted(t backend.MessageType) []apiv2.MessageType {
	mixed := []apiv2.MessageType{
		apiv2.MessageType_NORMAL, apiv2.MessageType_FIFO, apiv2.MessageType_DELAY, apiv2.MessageType_TRANSACTION,
	}
	switch t {
	case backend.TypeMixed:
		return mixed
	case backend.TypeAny:
		return append(mixed, apiv2.MessageType_PRIORITY, apiv2.MessageType_LITE)
	}
	return []apiv2.MessageType{messageTypes[t]}
}

// messageQueues expands a topic into the queues that clients see. The ids count through the
// permissions in a fixed order, as with the reference: they are names, not the broker's ids
// (gRPC specification 4.2).
func messageQueues(topic *backend.Topic, asked *apiv2.Resource, endpoints *apiv2.Endpoints) []*apiv2.MessageQueue {
	var queues []*apiv2.MessageQueue
	types := accepted(topic.Type)
	for _, b := range topic.Queues {
		for _, id := range b.BrokerIDs {
			broker := &apiv2.Broker{Name: b.Broker, Id: int32(id), Endpoints: endpoints}
			next := int32(0)
			for _, part := range permissions(b) {
				for range part.count {
					queues = append(queues, &apiv2.MessageQueue{
						Topic: proto.CloneOf(asked), Id: next, Permission: part.permission,
						Broker: broker, AcceptMessageTypes: types,
					})
					next++
				}
			}
		}
	}
	return queues
}

type queuePart struct {
	permission apiv2.Permission
	count      int
}

func permissions(b backend.BrokerQueues) []queuePart {
	both := min(b.Read, b.Write)
	switch {
	case b.Readable && b.Writable:
		return []queuePart{
			{apiv2.Permission_READ, b.Read - both}, {apiv2.Permission_WRITE, b.Write - both},
			{apiv2.Permission_READ_WRITE, both},
		}
	case b.Writable:
		return []queuePart{{apiv2.Permission_WRITE, b.Write}}
	case b.Readable:
		return []queuePart{{apiv2.Permission_READ, b.Read}}
	}
	return []queuePart{{apiv2.Permission_NONE, max(1, b.Read, b.Write)}}
}
