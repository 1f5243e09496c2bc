package command

// Unregister is an UNREGISTER_CLIENT (35) request. The answer has no fields. Specification 2.18.
type Unregister struct {
	ClientID      string
	ProducerGroup string // "" is absent
	ConsumerGroup string // "" is absent
}

// AppendUnregister appends the head of an unregistration.
func AppendUnregister(dst []byte, opaque int32, r *Unregister, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestUnregisterClient), opaque, 0)
	w.fields()
	w.string("clientID", r.ClientID)
	w.optString("producerGroup", r.ProducerGroup)
	w.optString("consumerGroup", r.ConsumerGroup)
	return w.seal(bodyLen)
}
