package backend

// LiteAction is what a SyncLite does to the set of lite topics that a client subscribes to.
type LiteAction uint8

// The actions.
const (
	LiteAdd       LiteAction = iota // the named ones are added
	LiteRemove                      // the named ones are removed
	LiteReplace                     // the named ones are the whole set
	LiteRemoveAll                   // the client has left
	liteActions
)

// LiteActions is how many actions there are, for tables that must list them all.
const LiteActions = int(liteActions)

// LiteStart says where a group begins in a lite topic that it never read.
type LiteStart struct {
	Kind  LiteStartKind
	Value int64 // of the kinds that need one
}

// LiteStartKind tells the starts apart.
type LiteStartKind uint8

// The kinds of start.
const (
	LiteStartDefault   LiteStartKind = iota // where the backend would by itself
	LiteStartLast                           // where the group stopped, else as by default
	LiteStartMin                            // at the oldest message
	LiteStartMax                            // behind the newest message
	LiteStartOffset                         // at queue offset Value
	LiteStartTail                           // at the newest Value messages
	LiteStartTimestamp                      // at the first message stored since Value, ms since 1970
)

// SyncLite tells which lite topics of a topic a client subscribes to.
type SyncLite struct {
	Exchange
	Topic, Group, ClientID string
	Action                 LiteAction
	LiteTopics             []string
	Start                  LiteStart // of LiteAdd only
	Version                int64
}
