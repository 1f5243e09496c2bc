package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Remoting request codes.
const (
	codeRoute       = 105
	codeSend        = 310
	codeTopicConfig = 351
	codeGroupConfig = 352
	codePop         = 200050
	codeAck         = 200051
)

const (
	metadataTimeout = 3 * time.Second
	callTimeout     = 2 * time.Second
	cacheTTL        = 20 * time.Second
	permRead        = 4
	permWrite       = 2
)

type brokerData struct {
	BrokerAddrs map[string]string `json:"brokerAddrs"`
	BrokerName  string            `json:"brokerName"`
}

type queueData struct {
	BrokerName     string `json:"brokerName"`
	Perm           int    `json:"perm"`
	ReadQueueNums  int    `json:"readQueueNums"`
	WriteQueueNums int    `json:"writeQueueNums"`
}

// routeData is what a name server says about a topic.
type routeData struct {
	BrokerDatas []brokerData `json:"brokerDatas"`
	QueueDatas  []queueData  `json:"queueDatas"`
}

func (r *routeData) master(broker string) string {
	for _, b := range r.BrokerDatas {
		if b.BrokerName == broker {
			return b.BrokerAddrs["0"]
		}
	}
	return ""
}

type writeQueue struct {
	broker, addr string
	id           int
}

// topicInfo is a topic's route and type, as cached.
type topicInfo struct {
	route   routeData
	queues  []writeQueue
	kind    string // message.type
	turn    atomic.Uint32
	fetched time.Time
}

func (t *topicInfo) nextQueue() writeQueue {
	return t.queues[int(t.turn.Add(1))%len(t.queues)]
}

type groupConfig struct {
	ConsumeMessageOrderly bool `json:"consumeMessageOrderly"`
	RetryMaxTimes         int  `json:"retryMaxTimes"`
}

// cluster asks name servers and brokers and caches what seldom changes.
type cluster struct {
	nameServer string
	client     *remotingClient

	mu     sync.RWMutex
	topics map[string]*topicInfo
}

func newCluster(nameServer string) *cluster {
	return &cluster{nameServer: nameServer, client: &remotingClient{conns: map[string]*remotingConn{}},
		topics: map[string]*topicInfo{}}
}

func (c *cluster) topic(ctx context.Context, name string) (*topicInfo, error) {
	c.mu.RLock()
	info := c.topics[name]
	c.mu.RUnlock()
	if info != nil && time.Since(info.fetched) < cacheTTL {
		return info, nil
	}
	fresh, err := c.fetchTopic(ctx, name)
	if err != nil {
		if info != nil {
			return info, nil
		}
		return nil, err
	}
	c.mu.Lock()
	c.topics[name] = fresh
	c.mu.Unlock()
	return fresh, nil
}

func (c *cluster) fetchTopic(ctx context.Context, name string) (*topicInfo, error) {
	info := &topicInfo{fetched: time.Now()}
	answer, err := c.client.call(ctx, c.nameServer, newCommand(codeRoute, map[string]string{"topic": name}, nil), metadataTimeout)
	if err != nil {
		return nil, err
	}
	if answer.Code != 0 {
		return nil, &brokerError{answer.Code, answer.Remark}
	}
	if err := json.Unmarshal(answer.Body, &info.route); err != nil {
		return nil, err
	}
	for _, q := range info.route.QueueDatas {
		addr := info.route.master(q.BrokerName)
		for id := 0; q.Perm&permWrite != 0 && addr != "" && id < q.WriteQueueNums; id++ {
			info.queues = append(info.queues, writeQueue{q.BrokerName, addr, id})
		}
	}
	info.kind = c.topicType(ctx, name, &info.route)
	return info, nil
}

func (c *cluster) topicType(ctx context.Context, name string, route *routeData) string {
	if len(route.BrokerDatas) == 0 {
		return "UNSPECIFIED"
	}
	addr := route.BrokerDatas[0].BrokerAddrs["0"]
	answer, err := c.client.call(ctx, addr, newCommand(codeTopicConfig, map[string]string{"topic": name}, nil), metadataTimeout)
	if err != nil || answer.Code != 0 {
		return "UNSPECIFIED"
	}
	var config struct {
		Attributes map[string]string `json:"attributes"`
	}
	if json.Unmarshal(answer.Body, &config) != nil {
		return "UNSPECIFIED"
	}
	if kind := config.Attributes["message.type"]; kind != "" {
		return kind
	}
	return "NORMAL"
}

func (c *cluster) group(ctx context.Context, topic, group string) (groupConfig, error) {
	var config groupConfig
	info, err := c.topic(ctx, topic)
	if err != nil {
		return config, err
	}
	if len(info.queues) == 0 {
		return config, fmt.Errorf("no broker for topic %s", topic)
	}
	answer, err := c.client.call(ctx, info.queues[0].addr, newCommand(codeGroupConfig, map[string]string{"group": group}, nil), metadataTimeout)
	if err != nil {
		return config, err
	}
	if answer.Code != 0 {
		return config, &brokerError{answer.Code, answer.Remark}
	}
	err = json.Unmarshal(answer.Body, &config)
	return config, err
}

// brokerAddr finds a broker by name: its name is a topic too.
func (c *cluster) brokerAddr(ctx context.Context, broker string) (string, error) {
	info, err := c.topic(ctx, broker)
	if err != nil {
		return "", err
	}
	if addr := info.route.master(broker); addr != "" {
		return addr, nil
	}
	return "", fmt.Errorf("cannot find broker %s", broker)
}

// brokerError is an answer with a code other than 0.
type brokerError struct {
	code   int
	remark string
}

func (e *brokerError) Error() string { return fmt.Sprintf("CODE: %d  DESC: %s", e.code, e.remark) }
