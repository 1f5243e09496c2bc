package command

// NotifyConsumerIDs is a NOTIFY_CONSUMER_IDS_CHANGED (40) request that a broker sends, oneway,
// to the members of a group when one comes or goes; to the new one before the answer to its
// heartbeat. Specification 2.17.
type NotifyConsumerIDs struct {
	ConsumerGroup []byte // borrowed from the head
}

// ParseNotifyConsumerIDs reads the ext fields of a notification.
func ParseNotifyConsumerIDs(h *Head) (r NotifyConsumerIDs, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		if string(p.key) == "consumerGroup" {
			r.ConsumerGroup = p.required(1)
		}
	}
	return r, p.err(1, "consumerGroup")
}

// AppendNotifyConsumerIDs appends the head of a notification, for brokers of our own.
func AppendNotifyConsumerIDs(dst []byte, opaque int32, r *NotifyConsumerIDs, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestNotifyConsumerIDsChanged), opaque, FlagOneway)
	w.fields()
	w.bytes("consumerGroup", r.ConsumerGroup)
	return w.seal(bodyLen)
}
