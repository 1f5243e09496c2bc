package messaging

import (
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
	"rocketmq-proxy/server/turn"
)

// readHandle reads a receipt handle that a client gave back. Every field of it is hostile
// input: the broker it names is looked up, never dialled.
func readHandle(text []byte) (h handle.Handle, o apiv2.Outcome, valid bool) {
	h, err := handle.Parse(text)
	if err != nil {
		return h, failure(apiv2.Code_INTERNAL_SERVER_ERROR, "receipt handle is invalid: "+err.Error()), false
	}
	return h, apiv2.Outcome{}, true
}

// checkExpiry holds the newest handle of a delivery against the time.
func checkExpiry(h *handle.Handle, now time.Time) (o apiv2.Outcome, valid bool) {
	if h.Expired(now.UnixMilli()) {
		return failure(apiv2.Code_INVALID_RECEIPT_HANDLE, "receipt handle is expired"), false
	}
	return apiv2.Outcome{}, true
}

// holder is the session of a client for which the proxy renews deliveries, nil when it renews
// none.
func (c *Client) holder(id []byte) *session.Session {
	if !c.service.AutoRenew {
		return nil
	}
	if who := c.sessionOf(id); who != nil && who.Held() > 0 {
		return who
	}
	return nil
}

// claim ends the renewal of a delivery and gives d its newest handle. With wait a renewal is
// under way: then runs when the handle is known.
func (c *Client) claim(who *session.Session, d *backend.Delivery, then turn.Event) (held *session.Held, wait bool) {
	if who == nil {
		return nil, false
	}
	held, wait = c.service.renewer.Take(who, d, c.turn, then)
	if held != nil && !wait {
		held.Delivery(d)
	}
	return held, wait
}

// letGo is the end of what was claimed, or not: a delivery whose end failed for now is renewed
// again, so that the client may try once more. held may be nil.
func (svc *Service) letGo(held *session.Held, f backend.Fault) {
	switch {
	case held == nil:
	case f.OK(), f.Kind == backend.BadHandle:
		svc.renewer.Free(held)
	default:
		svc.renewer.Restore(held)
	}
}

// deliveryOutcome is the outcome of an ack or a change. A broker's refusal is never told in
// detail, as with the reference.
func deliveryOutcome(f backend.Fault, known bool, refused string) apiv2.Outcome {
	switch {
	case !f.OK():
		return faultOutcome(f)
	case !known:
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, refused)
	}
	return ok
}
