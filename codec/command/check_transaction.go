package command

// CheckTransaction is a CHECK_TRANSACTION_STATE (39) request that a broker sends, oneway, to
// ask how a transaction ended. Its body is the half message as a stored record, whose topic is
// the real one; the ext field "topic" names the half topic and is not read. Views borrow from
// the head. Specification 2.16.
type CheckTransaction struct {
	MsgID                []byte // the UNIQ_KEY
	TransactionID        []byte // the UNIQ_KEY
	OffsetMsgID          []byte
	BrokerName           []byte
	TranStateTableOffset int64 // of the half message as it was put back for this check
	CommitLogOffset      int64
}

// ParseCheckTransaction reads the ext fields of a check.
func ParseCheckTransaction(h *Head) (r CheckTransaction, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "tranStateTableOffset":
			r.TranStateTableOffset = p.int64(1)
		case "commitLogOffset":
			r.CommitLogOffset = p.int64(2)
		case "msgId":
			r.MsgID = p.value
		case "transactionId":
			r.TransactionID = p.value
		case "offsetMsgId":
			r.OffsetMsgID = p.value
		case "bname":
			r.BrokerName = p.value
		}
	}
	return r, p.err(1|2, "tranStateTableOffset, commitLogOffset")
}

// AppendCheckTransaction appends the head of a check, for brokers of our own.
func AppendCheckTransaction(dst []byte, opaque int32, r *CheckTransaction, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestCheckTransaction), opaque, FlagOneway)
	w.fields()
	w.optBytes("bname", r.BrokerName)
	w.int("tranStateTableOffset", r.TranStateTableOffset)
	w.int("commitLogOffset", r.CommitLogOffset)
	w.optBytes("msgId", r.MsgID)
	w.optBytes("transactionId", r.TransactionID)
	w.optBytes("offsetMsgId", r.OffsetMsgID)
	return w.seal(bodyLen)
}
