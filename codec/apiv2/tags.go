package apiv2

// The wire types of protobuf, as they stand in the low three bits of a tag.
const (
	wireVarint   = 0
	wireFixed64  = 1
	wireBytes    = 2
	wireGroup    = 3
	wireGroupEnd = 4
	wireFixed32  = 5
)

// The tags of the fields that the views read and the encoders write: number<<3 | wire type.
const (
	tagResourceNamespace = 1<<3 | wireBytes
	tagResourceName      = 2<<3 | wireBytes

	tagSeconds = 1<<3 | wireVarint // of Timestamp and Duration
	tagNanos   = 2<<3 | wireVarint

	tagStatusCode    = 1<<3 | wireVarint
	tagStatusMessage = 2<<3 | wireBytes

	tagMapKey   = 1<<3 | wireBytes
	tagMapValue = 2<<3 | wireBytes

	tagDigestType     = 1<<3 | wireVarint
	tagDigestChecksum = 2<<3 | wireBytes

	tagDeadLetterTopic     = 1<<3 | wireBytes
	tagDeadLetterMessageID = 2<<3 | wireBytes

	tagFilterType       = 1<<3 | wireVarint
	tagFilterExpression = 2<<3 | wireBytes

	tagQueueTopic  = 1<<3 | wireBytes
	tagQueueID     = 2<<3 | wireVarint
	tagQueueBroker = 4<<3 | wireBytes
	tagBrokerName  = 1<<3 | wireBytes
)

// Message and SystemProperties.
const (
	tagMessageTopic          = 1<<3 | wireBytes
	tagMessageUserProperties = 2<<3 | wireBytes
	tagMessageSystem         = 3<<3 | wireBytes
	tagMessageBody           = 4<<3 | wireBytes

	tagSystemTag                         = 1<<3 | wireBytes
	tagSystemKeys                        = 2<<3 | wireBytes
	tagSystemMessageID                   = 3<<3 | wireBytes
	tagSystemBodyDigest                  = 4<<3 | wireBytes
	tagSystemBodyEncoding                = 5<<3 | wireVarint
	tagSystemMessageType                 = 6<<3 | wireVarint
	tagSystemBornTimestamp               = 7<<3 | wireBytes
	tagSystemBornHost                    = 8<<3 | wireBytes
	tagSystemStoreTimestamp              = 9<<3 | wireBytes
	tagSystemStoreHost                   = 10<<3 | wireBytes
	tagSystemDeliveryTimestamp           = 11<<3 | wireBytes
	tagSystemReceiptHandle               = 12<<3 | wireBytes
	tagSystemQueueID                     = 13<<3 | wireVarint
	tagSystemQueueOffset                 = 14<<3 | wireVarint
	tagSystemDeliveryAttempt             = 16<<3 | wireVarint
	tagSystemMessageGroup                = 17<<3 | wireBytes
	tagSystemTraceContext                = 18<<3 | wireBytes
	tagSystemOrphanedTransactionRecovery = 19<<3 | wireBytes
	tagSystemDeadLetterQueue             = 20<<3 | wireBytes
	tagSystemLiteTopic                   = 21<<3 | wireBytes
	tagSystemPriority                    = 22<<3 | wireVarint
)

// The requests.
const (
	tagSendMessages = 1<<3 | wireBytes

	tagReceiveGroup              = 1<<3 | wireBytes
	tagReceiveQueue              = 2<<3 | wireBytes
	tagReceiveFilter             = 3<<3 | wireBytes
	tagReceiveBatchSize          = 4<<3 | wireVarint
	tagReceiveInvisibleDuration  = 5<<3 | wireBytes
	tagReceiveAutoRenew          = 6<<3 | wireVarint
	tagReceiveLongPollingTimeout = 7<<3 | wireBytes
	tagReceiveAttemptID          = 8<<3 | wireBytes

	tagPullGroup              = 1<<3 | wireBytes
	tagPullQueue              = 2<<3 | wireBytes
	tagPullOffset             = 3<<3 | wireVarint
	tagPullBatchSize          = 4<<3 | wireVarint
	tagPullFilter             = 5<<3 | wireBytes
	tagPullLongPollingTimeout = 6<<3 | wireBytes

	tagAckGroup              = 1<<3 | wireBytes
	tagAckTopic              = 2<<3 | wireBytes
	tagAckEntries            = 3<<3 | wireBytes
	tagAckEntryMessageID     = 1<<3 | wireBytes
	tagAckEntryReceiptHandle = 2<<3 | wireBytes
	tagAckEntryLiteTopic     = 3<<3 | wireBytes

	tagChangeGroup             = 1<<3 | wireBytes
	tagChangeTopic             = 2<<3 | wireBytes
	tagChangeReceiptHandle     = 3<<3 | wireBytes
	tagChangeInvisibleDuration = 4<<3 | wireBytes
	tagChangeMessageID         = 5<<3 | wireBytes
	tagChangeLiteTopic         = 6<<3 | wireBytes
	tagChangeSuspend           = 7<<3 | wireVarint
)

// The responses. Those with entries have the status first and the entries second.
const (
	tagResponseStatus  = 1<<3 | wireBytes
	tagResponseEntries = 2<<3 | wireBytes

	tagSendEntryStatus        = 1<<3 | wireBytes
	tagSendEntryMessageID     = 2<<3 | wireBytes
	tagSendEntryTransactionID = 3<<3 | wireBytes
	tagSendEntryOffset        = 4<<3 | wireVarint
	tagSendEntryRecallHandle  = 5<<3 | wireBytes

	tagAckResultMessageID     = 1<<3 | wireBytes
	tagAckResultReceiptHandle = 2<<3 | wireBytes
	tagAckResultStatus        = 3<<3 | wireBytes

	tagChangedReceiptHandle = 2<<3 | wireBytes

	tagElementStatus            = 1<<3 | wireBytes  // of receives and pulls alike
	tagElementMessage           = 2<<3 | wireBytes  // the same
	tagElementDeliveryTimestamp = 3<<3 | wireBytes  // of receives
	tagElementNextOffset        = 3<<3 | wireVarint // of pulls
)
