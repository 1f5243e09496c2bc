package command

// RecallMessage is a RECALL_MESSAGE (370) request: it takes a timer message back.
// Specification 2.23.
type RecallMessage struct {
	ProducerGroup string // "" is absent, as from the reference
	Topic         string
	RecallHandle  string
}

// AppendRecall appends the head of a recall.
func AppendRecall(dst []byte, opaque int32, r *RecallMessage, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestRecallMessage), opaque, 0)
	w.fields()
	w.optString("producerGroup", r.ProducerGroup)
	w.string("topic", r.Topic)
	w.string("recallHandle", r.RecallHandle)
	return w.seal(bodyLen)
}

// RecallResponse is the answer to a recall, also to a second one.
type RecallResponse struct {
	MsgID []byte // the UNIQ_KEY; borrowed from the head
}

// ParseRecallResponse reads the ext fields of the answer.
func ParseRecallResponse(h *Head) (r RecallResponse, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		if string(p.key) == "msgId" {
			r.MsgID = p.required(1)
		}
	}
	return r, p.err(1, "msgId")
}
