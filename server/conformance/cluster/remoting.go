package cluster

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// The few Remoting request codes that preparing a cluster takes.
const (
	codeUpdateAndCreateTopic = 17
	codeGetRouteInfoByTopic  = 105
	codeUpdateAndCreateGroup = 200
	codeGetTopicConfig       = 351

	codeSuccess       = 0
	codeTopicNotExist = 17
)

// head is a Remoting header in its JSON form.
type head struct {
	Code     int               `json:"code"`
	Language string            `json:"language"`
	Version  int               `json:"version"`
	Opaque   int               `json:"opaque"`
	Flag     int               `json:"flag"`
	Remark   string            `json:"remark,omitempty"`
	Ext      map[string]string `json:"extFields,omitempty"`
}

const frameBytesMax = 16 << 20

// callPatience bounds one question, so that who polls can ask again.
const callPatience = 5 * time.Second

// call asks one question on a connection of its own.
func call(ctx context.Context, address string, code int, ext map[string]string, body ...byte) (head, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return head{}, nil, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return head{}, nil, err
	}
	// Version 513 is new enough for standard JSON in route answers.
	frame, err := appendFrame(nil, head{Code: code, Language: "GO", Version: 513, Opaque: 1, Ext: ext}, body)
	if err != nil {
		return head{}, nil, err
	}
	if _, err := conn.Write(frame); err != nil {
		return head{}, nil, err
	}
	return readFrame(conn)
}

// appendFrame: length of the rest, length of the header with the serialize
// type 0 (JSON) in its top byte, header, body.
func appendFrame(dst []byte, h head, body []byte) ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(4+len(text)+len(body)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(text)))
	return append(append(dst, text...), body...), nil
}

func readFrame(r io.Reader) (h head, body []byte, err error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return head{}, nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n < 4 || n > frameBytesMax {
		return head{}, nil, fmt.Errorf("remoting: frame of %d bytes", n)
	}
	rest := make([]byte, n)
	if _, err := io.ReadFull(r, rest); err != nil {
		return head{}, nil, err
	}
	word := binary.BigEndian.Uint32(rest)
	kind, headBytes := word>>24, word&(1<<24-1)
	if kind != 0 || headBytes > n-4 {
		return head{}, nil, fmt.Errorf("remoting: header of type %d with %d of %d bytes", kind, headBytes, n)
	}
	err = json.Unmarshal(rest[4:4+headBytes], &h)
	return h, rest[4+headBytes:], err
}

// CreateTopic makes a topic and waits until the name server knows where it is.
// messageType is the topic's message.type, such as NORMAL or FIFO.
func (c *Cluster) CreateTopic(ctx context.Context, topic, messageType string, queues int) error {
	answer, _, err := call(ctx, c.Broker, codeUpdateAndCreateTopic, map[string]string{
		"topic":           topic,
		"defaultTopic":    "TBW102",
		"readQueueNums":   strconv.Itoa(queues),
		"writeQueueNums":  strconv.Itoa(queues),
		"perm":            "6",
		"topicFilterType": "SINGLE_TAG",
		"topicSysFlag":    "0",
		"order":           "false",
		"attributes":      "+message.type=" + messageType,
	})
	if err != nil {
		return fmt.Errorf("creating topic %s: %w", topic, err)
	}
	if answer.Code != codeSuccess {
		return fmt.Errorf("creating topic %s: broker answers %d, %s", topic, answer.Code, answer.Remark)
	}
	return c.AwaitRoute(ctx, topic)
}

// Group is what a consumer group is made with.
type Group struct {
	Orderly  bool
	RetryMax int
	RestsMs  []int64 // between attempts; nil: RocketMQ's own table

	Attributes map[string]string
}

// CreateGroup makes a consumer group.
func (c *Cluster) CreateGroup(ctx context.Context, name string, g Group) error {
	config := map[string]any{
		"groupName": name, "consumeEnable": true, "consumeFromMinEnable": true, "consumeBroadcastEnable": true,
		"consumeMessageOrderly": g.Orderly, "retryQueueNums": 1, "retryMaxTimes": g.RetryMax, "brokerId": 0,
		"whichBrokerWhenConsumeSlowly": 1, "notifyConsumerIdsChangedEnable": true,
	}
	if g.RestsMs != nil {
		config["groupRetryPolicy"] = map[string]any{
			"type": "CUSTOMIZED", "customizedRetryPolicy": map[string]any{"next": g.RestsMs},
		}
	}
	if len(g.Attributes) > 0 {
		added := map[string]string{}
		for key, value := range g.Attributes {
			added["+"+key] = value
		}
		config["attributes"] = added
	}
	body, err := json.Marshal(config)
	if err != nil {
		return err
	}
	answer, _, err := call(ctx, c.Broker, codeUpdateAndCreateGroup, nil, body...)
	if err != nil {
		return fmt.Errorf("creating group %s: %w", name, err)
	}
	if answer.Code != codeSuccess {
		return fmt.Errorf("creating group %s: broker answers %d, %s", name, answer.Code, answer.Remark)
	}
	return nil
}

// AwaitRoute waits until the name server knows where a topic is.
func (c *Cluster) AwaitRoute(ctx context.Context, topic string) error {
	return c.await(ctx, "the route of "+topic, func(ctx context.Context) error { return c.routed(ctx, topic) })
}

// Routed tells whether the name server knows where a topic is.
func (c *Cluster) Routed(ctx context.Context, topic string) bool { return c.routed(ctx, topic) == nil }

// routed is nil when the name server has a broker for the topic.
func (c *Cluster) routed(ctx context.Context, topic string) error {
	answer, body, err := call(ctx, c.Namesrv, codeGetRouteInfoByTopic, map[string]string{"topic": topic})
	if err != nil {
		return err
	}
	if answer.Code != codeSuccess {
		return fmt.Errorf("name server answers %d, %s", answer.Code, answer.Remark)
	}
	var route struct {
		BrokerDatas []struct{ BrokerName string }
		QueueDatas  []struct{ BrokerName string }
	}
	if err := json.Unmarshal(body, &route); err != nil {
		return err
	}
	if len(route.BrokerDatas) == 0 || len(route.QueueDatas) == 0 {
		return fmt.Errorf("route of %s is empty", topic)
	}
	return nil
}

// answers is nil when whoever listens answers a request, even with a no.
func answers(ctx context.Context, address string, code int, topic string) error {
	answer, _, err := call(ctx, address, code, map[string]string{"topic": topic})
	if err != nil {
		return err
	}
	if answer.Code != codeSuccess && answer.Code != codeTopicNotExist {
		return fmt.Errorf("%s answers %d, %s", address, answer.Code, answer.Remark)
	}
	return nil
}
