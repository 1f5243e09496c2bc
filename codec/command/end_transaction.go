package command

// EndTransaction is an END_TRANSACTION (37) request, oneway: a lost one is made good by the
// broker's next check. Specification 2.15.
type EndTransaction struct {
	Topic                []byte // nil is absent, before 5.x
	ProducerGroup        []byte
	MsgID                []byte // the UNIQ_KEY
	TransactionID        []byte // nil is absent
	TranStateTableOffset int64  // queue offset in the half topic
	CommitLogOffset      int64  // of the half message; both change when the broker checks
	State                TransactionState
	FromCheck            bool // it answers a check of the broker
}

// TransactionState is commitOrRollback on the wire: the transaction bits of a sysFlag.
type TransactionState int32

// The three ends.
const (
	TransactionUnknown  TransactionState = 0
	TransactionCommit   TransactionState = 8
	TransactionRollback TransactionState = 12
)

const endTransactionRemark = "end transaction from proxy"

// AppendEndTransaction appends the head, as ROCKETMQ because it comes once with every
// transactional message.
func AppendEndTransaction(dst []byte, opaque int32, r *EndTransaction, bodyLen int) []byte {
	w := beginBinary(dst, int32(RequestEndTransaction), opaque, FlagOneway, endTransactionRemark)
	w.optBytes("topic", r.Topic)
	w.bytes("producerGroup", r.ProducerGroup)
	w.int("tranStateTableOffset", r.TranStateTableOffset)
	w.int("commitLogOffset", r.CommitLogOffset)
	w.int("commitOrRollback", int64(r.State))
	w.bool("fromTransactionCheck", r.FromCheck)
	w.bytes("msgId", r.MsgID)
	w.optBytes("transactionId", r.TransactionID)
	return w.seal(bodyLen)
}
