package message

// Bits of the sysFlag of a message. Specification 3.3.
const (
	FlagCompressed int32 = 0x1
	FlagMultiTags  int32 = 0x2

	// FlagTransactionPrepared and the next two are the transaction states, in the two bits of
	// FlagTransactionMask.
	FlagTransactionPrepared int32 = 0x4
	FlagTransactionCommit   int32 = 0x8
	FlagTransactionRollback int32 = 0xC
	FlagTransactionMask     int32 = 0xC

	FlagBornHostV6  int32 = 0x10 // set by the broker
	FlagStoreHostV6 int32 = 0x20 // set by the broker
	FlagNeedUnwrap  int32 = 0x40
	FlagInnerBatch  int32 = 0x80

	// FlagCompressionLZ4 and the next two say how the body is compressed; none of them means
	// zlib, from old clients.
	FlagCompressionLZ4  int32 = 0x100
	FlagCompressionZstd int32 = 0x200
	FlagCompressionZlib int32 = 0x300
	FlagCompressionMask int32 = 0x700
)
