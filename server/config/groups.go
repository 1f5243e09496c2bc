package config

import "time"

// Message is what a message may look like. A bound of 0 or less switches its check off, as in
// the Java proxy.
type Message struct {
	// BodyBytesMax is the largest body, in bytes; clients are told it. Default 4194304.
	BodyBytesMax int `key:"maxMessageSize" in:"-1..2147483647"`
	// BodyEmptyCheck refuses empty bodies. Default true.
	BodyEmptyCheck bool `key:"enableMessageBodyEmptyCheck"`
	// PropertiesBytesMax is the sum of all user properties, in bytes. Default 16384.
	PropertiesBytesMax int `key:"maxUserPropertySize" in:"-1..2147483647"`
	// PropertiesMax is the number of user properties. Default 128.
	PropertiesMax int `key:"userPropertyMaxNum" in:"-1..2147483647"`
	// GroupBytesMax is the length that a message group must stay under, in bytes. Default 64.
	GroupBytesMax int `key:"maxMessageGroupSize" in:"-1..2147483647"`
	// LiteTopicBytesMax is the longest name of a lite topic, in bytes. Default 64.
	LiteTopicBytesMax int `key:"maxLiteTopicSize" in:"-1..2147483647"`
	// DelayMax is how far ahead a delivery may be scheduled. Default 24 h.
	DelayMax time.Duration `key:"maxDelayTimeMills,ms" in:"-1ms..87600h"`
	// ByLevel tells brokers the delay level of a scheduled message beside its moment; those that
	// know levels round up to one then. Default false.
	ByLevel bool `key:"useDelayLevel"`
	// DelayLevels are the delays of the levels, which must be the brokers' own. Default the
	// reference's 18: see [Message.Delays]. In Local mode broker.conf may have it too.
	DelayLevels string `key:"messageDelayLevel"`
	// RecoveryMax is the longest time to the first check of a transaction. Default 1 h.
	RecoveryMax time.Duration `key:"maxTransactionRecoverySecond,s" in:"-1s..87600h"`
	// TypeCheck holds a message against the type of its topic. Default true.
	TypeCheck bool `key:"enableTopicMessageTypeCheck"`
}

// Client is what clients are told by the settings of their telemetry stream.
type Client struct {
	// AttemptsMax is how often a producer tries to send. Default 3.
	AttemptsMax int `key:"grpcClientProducerMaxAttempts" in:"1..1000"`
	// BackoffInitial is the first wait between tries. Default 10 ms.
	BackoffInitial time.Duration `key:"grpcClientProducerBackoffInitialMillis,ms" in:"0s..1h"`
	// BackoffMax is the longest wait between tries. Default 1 s.
	BackoffMax time.Duration `key:"grpcClientProducerBackoffMaxMillis,ms" in:"0s..1h"`
	// BackoffMultiplier is the factor from one wait to the next. Default 2.
	BackoffMultiplier int `key:"grpcClientProducerBackoffMultiplier" in:"1..1000"`
	// PollTimeoutMin is the shortest long poll. Default 5 s.
	PollTimeoutMin time.Duration `key:"grpcClientConsumerMinLongPollingTimeoutMillis,ms" in:"0s..1h"`
	// PollTimeoutMax is the longest long poll. Default 20 s.
	PollTimeoutMax time.Duration `key:"grpcClientConsumerMaxLongPollingTimeoutMillis,ms" in:"1ms..1h"`
	// PollBatchMax is the number of messages that a push consumer asks for at once. Default 32.
	PollBatchMax int `key:"grpcClientConsumerLongPollingBatchSize" in:"1..1024"`
	// RelayTimeout is how long a client may take to answer what an operator asks it. Default 5 s.
	RelayTimeout time.Duration `key:"grpcProxyRelayRequestTimeoutInSeconds,s" in:"1s..1h"`
	// MetricMode is whether clients push metrics: off, on (to MetricAddr) or proxy (to us). Default off.
	MetricMode string `key:"metricCollectorMode" of:"off on proxy"`
	// MetricAddr is the host:port of a collector when MetricMode is on. Default none.
	MetricAddr string `key:"metricCollectorAddress"`
}

// Receive bounds the invisible duration of received messages.
type Receive struct {
	// InvisibleDefault is used when the proxy renews for the client. Default 60 s.
	InvisibleDefault time.Duration `key:"defaultInvisibleTimeMills,ms" in:"1s..87600h"`
	// InvisibleMin is the shortest that a receive may ask for. Default 10 s.
	InvisibleMin time.Duration `key:"minInvisibleTimeMillsForRecv,ms" in:"0s..87600h"`
	// InvisibleMax is the longest that a receive or a change may ask for. Default 12 h.
	InvisibleMax time.Duration `key:"maxInvisibleTimeMills,ms" in:"1s..87600h"`
	// InvisibleWhenClear is given to handles whose client is gone. Default 1 s.
	InvisibleWhenClear time.Duration `key:"invisibleTimeMillisWhenClear,ms" in:"0s..87600h"`
}

// Renew is how the proxy keeps messages invisible while a push consumer works on them.
type Renew struct {
	// Enabled switches renewal on. Default true.
	Enabled bool `key:"enableProxyAutoRenew"`
	// AttemptsMax is how often a failed renewal is tried again. Default 3.
	AttemptsMax int `key:"maxRenewRetryTimes" in:"0..1000"`
	// Ahead is how long before the end a handle is renewed. Default 10 s.
	Ahead time.Duration `key:"renewAheadTimeMillis,ms" in:"0s..24h"`
	// TimeMax is how long a message is renewed altogether. Default 3 h.
	TimeMax time.Duration `key:"renewMaxTimeMillis,ms" in:"0s..87600h"`
	// Period is how often handles are looked through. Default 5 s.
	Period time.Duration `key:"renewSchedulePeriodMillis,ms" in:"100ms..1h"`
}

// Lite bounds what clients do with lite topics.
type Lite struct {
	// UnackedMax is how many messages of lite topics a client may have unacknowledged. Default 100.
	UnackedMax int `key:"maxLiteRenewNumPerChannel" in:"0..2147483647"`
	// SyncRate is how many additions of subscriptions are taken in a second, in the whole process.
	// Default 5000.
	SyncRate int `key:"maxSyncLiteSubscriptionRate" in:"1..2147483647"`
}

// Transaction is how half messages and their producers are looked after.
type Transaction struct {
	// BeatPeriod is how often brokers hear which producers they may ask. Default 20 s.
	BeatPeriod time.Duration `key:"transactionHeartbeatPeriodSecond,s" in:"1s..1h"`
	// BeatBatch is the number of producer groups in one heartbeat. Default 100.
	BeatBatch int `key:"transactionHeartbeatBatchNum" in:"1..100000"`
	// Expiry is how long after its send, or the broker's question, a transaction may be ended.
	// Default 30 s.
	Expiry time.Duration `key:"transactionDataExpireMillis,ms" in:"1ms..24h"`
	// PerIDMax is the number of half messages remembered of one transaction id. Default 15.
	PerIDMax int `key:"transactionDataMaxNum" in:"1..100000"`
}

// Cache is what is remembered of topics and groups, and for how long.
type Cache struct {
	// RouteExpiry is how long an unused route is kept. Default 300 s.
	RouteExpiry time.Duration `key:"topicRouteServiceCacheExpiredSeconds,s" in:"1s..8760h"`
	// RouteRefresh is how often a route is asked for anew. Default 20 s.
	RouteRefresh time.Duration `key:"topicRouteServiceCacheRefreshSeconds,s" in:"1s..8760h"`
	// RoutesMax is the number of topics remembered. Default 20000.
	RoutesMax int `key:"topicRouteServiceCacheMaxNum" in:"1..2147483647"`
	// TopicExpiry, TopicRefresh and TopicsMax are the same for topic configurations. A topic is
	// remembered with its route, so of expiry and number the lower one counts.
	TopicExpiry  time.Duration `key:"topicConfigCacheExpiredSeconds,s" in:"1s..8760h"`
	TopicRefresh time.Duration `key:"topicConfigCacheRefreshSeconds,s" in:"1s..8760h"`
	TopicsMax    int           `key:"topicConfigCacheMaxNum" in:"1..2147483647"`
	// GroupExpiry, GroupRefresh and GroupsMax are the same for subscription group configurations.
	GroupExpiry  time.Duration `key:"subscriptionGroupConfigCacheExpiredSeconds,s" in:"1s..8760h"`
	GroupRefresh time.Duration `key:"subscriptionGroupConfigCacheRefreshSeconds,s" in:"1s..8760h"`
	GroupsMax    int           `key:"subscriptionGroupConfigCacheMaxNum" in:"1..2147483647"`
}

// Session is what is remembered of clients.
type Session struct {
	// Expiry is how long a client is remembered after its last heartbeat. Default 120 s.
	Expiry time.Duration `key:"channelExpiredTimeout,ms" in:"1s..24h"`
}

// Fleet is how the proxies in front of one cluster know each other's consumers.
type Fleet struct {
	// Topic is the topic through which they speak. It is made when it is missing; without it the
	// proxy serves alone. Default DefaultHeartBeatSyncerTopic.
	Topic string `key:"heartbeatSyncerTopicName"`
	// Cluster is the cluster whose brokers keep it. Default: rocketMQClusterName.
	Cluster string `key:"heartbeatSyncerTopicClusterName"`
}

// Operator is for the person who runs the proxy. Our own keys.
type Operator struct {
	// AdminAddr is the host:port of the debugging port: profiles, counters and connections, without
	// a password, so on loopback only. Default none: off.
	AdminAddr string `key:"adminListenAddr"`
	// LogLevel is the least that is logged. Default info.
	LogLevel string `key:"logLevel" of:"trace debug info warn error"`
}

// Limits bound what clients can make us hold and do. Our own keys; the Java proxy has no such bounds.
// server/docs/limits.md is the table of them, with what happens beyond each.
type Limits struct {
	// Connections.

	// ConnectionsMax is the number of client connections at once; more are closed at once. Default 20000.
	ConnectionsMax int `key:"connectionsMax" in:"1..10000000"`
	// ConnectionsPerAddressMax is the same for one IPv4 address, or one IPv6 network of 64 bits; behind
	// a trusted load balancer, the client's that it names. Default 0: there is no bound, as many
	// clients may share an address.
	ConnectionsPerAddressMax int `key:"connectionsPerAddressMax" in:"0..10000000"`
	// HandshakesMax is the number of TLS handshakes at once; more are closed at once. Default 1024.
	HandshakesMax int `key:"tlsHandshakesMax" in:"1..10000000"`
	// HandshakeTimeout bounds TLS, preface and first SETTINGS together, from accept on, and after that
	// the acknowledgment of ours. Default 10 s.
	HandshakeTimeout time.Duration `key:"handshakeTimeoutMillis,ms" in:"100ms..10m"`
	// WriteTimeout is how long a write may make no progress before the connection is closed. Default 20 s.
	WriteTimeout time.Duration `key:"writeTimeoutMillis,ms" in:"100ms..10m"`

	// Calls.

	// HeaderListBytesMax is SETTINGS_MAX_HEADER_LIST_SIZE, in bytes; a header block on the wire may
	// have twice as many. Default 16 KiB. Java: 8 KiB.
	HeaderListBytesMax int `key:"headerListBytesMax" in:"1024..16777216"`
	// HeaderFieldsMax is the number of headers of a call. Client libraries send 15 to 20. Default 64.
	HeaderFieldsMax int `key:"headerFieldsMax" in:"16..65536"`
	// ContinuationsMax is the number of CONTINUATION frames of a header block. Default 8.
	ContinuationsMax int `key:"continuationsMax" in:"1..65536"`
	// HeaderBlockTimeout bounds a header block from its first frame to its last. Default 5 s.
	HeaderBlockTimeout time.Duration `key:"headerBlockTimeoutMillis,ms" in:"100ms..10m"`
	// RequestTimeout is how long a unary request may rest between two frames. Default 30 s.
	RequestTimeout time.Duration `key:"requestTimeoutMillis,ms" in:"100ms..1h"`
	// RequestBytesMax is what a connection may have sent of requests that are not complete, and so
	// the largest request that is taken, in bytes. Default 32 MiB: eight bodies of the largest size
	// at once, or one large batch. grpcMaxInboundMessageSize bounds one request as well.
	RequestBytesMax int `key:"requestBytesMax" in:"65536..2147483647"`
	// InflightBytesMax is what the requests of all clients together may hold, in bytes: one half is
	// for requests that are not complete, the other for sends that wait for a broker, each of which
	// counts 4 KiB besides its bytes. Beyond it calls are refused. Default 256 MiB.
	InflightBytesMax int `key:"inflightBytesMax" in:"1048576..1099511627776"`
	// LongPollsMax is the number of waiting receives and pulls at once, in the whole process. Default 10000.
	LongPollsMax int `key:"longPollsMax" in:"1..10000000"`

	// Bytes on their way.

	// InboxBytesMax is how many received bytes of a connection may wait to be worked on before no
	// more is read from it. Default 256 KiB.
	InboxBytesMax int `key:"inboxBytesMax" in:"16384..2147483647"`
	// ReceiveBytes is what the kernel may hold of what a client sent, SO_RCVBUF. Default 256 KiB; 0
	// leaves it to the kernel.
	ReceiveBytes int `key:"socketReceiveBytes" in:"0..2147483647"`
	// WindowBytes is how far a client may send ahead on one connection, its HTTP/2 window. Default 1 MiB.
	WindowBytes int `key:"windowBytes" in:"65535..2147483647"`
	// StreamWindowBytes is the same for one call. Default 1 MiB.
	StreamWindowBytes int `key:"streamWindowBytes" in:"16384..2147483647"`
	// OutboxBytesMax is what a connection may have unsent before it is closed as too slow. Default
	// 1 MiB: a client that only writes held a server without it at 2.8 GB, and with it at 38 MB.
	OutboxBytesMax int `key:"outboxBytesMax" in:"65536..2147483647"`
	// WaitingBytesMax is how many bytes of answers may wait on a connection for its client to open its
	// windows; the call that exceeds it is ended. Default 64 MiB.
	WaitingBytesMax int `key:"waitingBytesMax" in:"65536..1099511627776"`
	// StallTimeout is how long an answer may wait for a window without one byte leaving. It may take
	// up to twice as long. Default 30 s.
	StallTimeout time.Duration `key:"stallTimeoutMillis,ms" in:"100ms..1h"`

	// Frames.

	// ControlFramesMax is the number of acknowledgments and resets of a connection that were not sent
	// yet. Default 1024.
	ControlFramesMax int `key:"controlFramesMax" in:"16..10000000"`
	// SettingsEntriesMax is the number of settings in one SETTINGS frame. Default 32.
	SettingsEntriesMax int `key:"settingsEntriesMax" in:"6..2730"`
	// WindowUpdatesMax is how many WINDOW_UPDATE frames a connection may send at once, and
	// WindowUpdatesPerData how many more for each DATA frame that it is sent. Defaults 10000 and 10.
	WindowUpdatesMax     int `key:"windowUpdatesMax" in:"100..2147483647"`
	WindowUpdatesPerData int `key:"windowUpdatesPerData" in:"1..1000000"`
	// DribbleBytesMax is the DATA, in bytes, that is too little for a frame that completes no message:
	// fewer use up DataDribble. Default 256.
	DribbleBytesMax int `key:"dribbleBytesMax" in:"1..16384"`

	// Allowances of a connection: so many at once, then so many more a second.

	// RapidReset is for calls that the client resets (CVE-2023-44487). Default "200 50/s".
	RapidReset Allowance `key:"rapidResetAllowance"`
	// ProvokedReset is for calls that break the rules, so that we reset them (CVE-2025-8671). Default "100 10/s".
	ProvokedReset Allowance `key:"provokedResetAllowance"`
	// RefusedStreams is for calls beyond grpcMaxConcurrentCallsPerConnection. Default "200 20/s".
	RefusedStreams Allowance `key:"refusedStreamsAllowance"`
	// HeaderLists is for calls whose headers are too many or too long (CVE-2016-6581). Default "20 1/s".
	HeaderLists Allowance `key:"headerListsAllowance"`

	// GzipBombs is for compressed messages that grow out of all proportion, or hold next to nothing;
	// docs/limits.md has the figures. Default "10 1/s".
	GzipBombs Allowance `key:"gzipBombsAllowance"`
	// PingFlood is for PING frames between which nothing was answered (CVE-2019-9512). Default "30 3/s".
	PingFlood Allowance `key:"pingFloodAllowance"`
	// SettingsFlood is for SETTINGS frames (CVE-2019-9515). Default "20 2/s".
	SettingsFlood Allowance `key:"settingsFloodAllowance"`
	// PriorityFlood is for PRIORITY frames (CVE-2019-9513). Default "1000 10/s".
	PriorityFlood Allowance `key:"priorityFloodAllowance"`
	// EmptyData is for DATA frames that carry nothing (CVE-2019-9518). Default "100 10/s".
	EmptyData Allowance `key:"emptyDataAllowance"`
	// DataDribble is for DATA frames that carry next to nothing (CVE-2019-9511). Default "1000 100/s".
	DataDribble Allowance `key:"dataDribbleAllowance"`
	// UnknownFlood is for frames of unknown types, and for GOAWAY. Default "1000 100/s".
	UnknownFlood Allowance `key:"unknownFloodAllowance"`
}
