package messaging

import (
	"strconv"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
)

// readHandle reads a receipt handle that a client gave back. Every field of it is hostile
// input: the broker it names is looked up, never dialled.
func readHandle(text []byte, now time.Time) (h handle.Handle, o apiv2.Outcome, valid bool) {
	h, err := handle.Parse(text)
	switch {
	case err != nil:
		return h, failure(apiv2.Code_INTERNAL_SERVER_ERROR, "receipt handle is invalid: "+err.Error()), false
	case h.Expired(now.UnixMilli()):
		return h, failure(apiv2.Code_INVALID_RECEIPT_HANDLE, "receipt handle is expired: it ended at "+
			strconv.FormatInt(h.RetrieveTime+h.InvisibleTime, 10)), false
	}
	return h, apiv2.Outcome{}, true
}

// deliveryOutcome is the outcome of an ack or a change. A broker's refusal is never told in
// detail, as with the reference.
func deliveryOutcome(f backend.Fault, known bool, refused string) apiv2.Outcome {
	switch {
	case f.Kind == backend.BadBroker:
		return failure(apiv2.Code_INVALID_RECEIPT_HANDLE, f.Text)
	case !f.OK():
		return faultOutcome(f)
	case !known:
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, refused)
	}
	return ok
}
