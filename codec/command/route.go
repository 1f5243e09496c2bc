package command

// GetRoute is a GET_ROUTEINFO_BY_TOPIC (105) request to a name server. Specification 2.2.
type GetRoute struct {
	Topic string
}

// AppendGetRoute appends the head of a route question. Our version asks for standard JSON.
func AppendGetRoute(dst []byte, opaque int32, r *GetRoute, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestGetRoute), opaque, 0)
	w.fields()
	w.string("topic", r.Topic)
	return w.seal(bodyLen)
}

// TopicRoute is the body of the answer: where the queues of a topic are. A topic named after a
// broker, or after a cluster, is registered by every broker and leads to it.
type TopicRoute struct {
	OrderTopicConf string              `json:"orderTopicConf,omitempty"` // "broker:queues;..."
	Queues         []RouteQueues       `json:"queueDatas"`
	Brokers        []RouteBroker       `json:"brokerDatas"`
	FilterServers  map[string][]string `json:"filterServerTable"`
}

// RouteQueues says how many queues a broker has for the topic.
type RouteQueues struct {
	BrokerName string `json:"brokerName"`
	Read       int32  `json:"readQueueNums"`
	Write      int32  `json:"writeQueueNums"`
	Perm       Perm   `json:"perm"`
	SysFlag    int32  `json:"topicSysFlag"`
}

// RouteBroker says where a broker and its replicas listen.
type RouteBroker struct {
	Cluster            string           `json:"cluster"`
	BrokerName         string           `json:"brokerName"`
	Addrs              map[int64]string `json:"brokerAddrs"` // host:port by broker id
	ZoneName           string           `json:"zoneName,omitempty"`
	EnableActingMaster bool             `json:"enableActingMaster"`
}

// MasterID is the broker id of a master; all others are replicas.
const MasterID = 0

// Master is the address of the master, "" when only replicas are left.
func (b *RouteBroker) Master() string { return b.Addrs[MasterID] }

// Perm is what may be done with the queues of a topic.
type Perm int32

// The bits of a Perm.
const (
	PermPriority Perm = 8
	PermRead     Perm = 4
	PermWrite    Perm = 2
	PermInherit  Perm = 1
)

// Readable tells whether messages may be taken.
func (p Perm) Readable() bool { return p&PermRead != 0 }

// Writable tells whether messages may be sent.
func (p Perm) Writable() bool { return p&PermWrite != 0 }

// ParseTopicRoute reads the body of the answer. It is cold: routes are kept by their users.
func ParseTopicRoute(body []byte) (*TopicRoute, error) { return parseBody[TopicRoute](body) }

// AppendTopicRoute appends the body of an answer, for name servers of our own.
func AppendTopicRoute(dst []byte, r *TopicRoute) []byte { return appendBody(dst, r) }
