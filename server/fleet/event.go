package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/server/backend"
)

// event is one message of the topic, in the words of the Java proxy (gRPC specification 5.5).
type event struct {
	Kind             string                 `json:"heartbeatType"`
	ClientID         string                 `json:"clientId"`
	Language         string                 `json:"language"` // a LanguageCode of Remoting
	Version          int                    `json:"version"`
	Updated          int64                  `json:"lastUpdateTimestamp"` // ms since 1970
	Subscriptions    []command.Subscription `json:"subscriptionDataSet,omitempty"`
	Group            string                 `json:"group"`
	ConsumeType      string                 `json:"consumeType,omitempty"`
	MessageModel     string                 `json:"messageModel,omitempty"`
	ConsumeFromWhere string                 `json:"consumeFromWhere,omitempty"`
	Proxy            string                 `json:"localProxyId"`
	Channel          string                 `json:"channelData"` // a channel as JSON
}

// The kinds of event.
const (
	kindRegister   = "REGISTER"
	kindUnregister = "UNREGISTER"
)

// channel says where a client is connected. Together the first four fields name it.
type channel struct {
	ProxyAddr string `json:"remoteProxyIp"`
	Remote    string `json:"remoteAddress"`
	Local     string `json:"localAddress"`
	Protocol  string `json:"type"`
	Extension string `json:"extendAttribute,omitempty"` // the client's settings as JSON
}

// protocolGRPC is a channel of our protocol; consumers of Remoting are nobody's here.
const protocolGRPC = "GRPC_V2"

// languages are the names that Remoting has for ours, where they differ.
var languages = map[apiv2.Language]string{
	apiv2.Language_GOLANG: "GO", apiv2.Language_DOT_NET: "DOTNET", apiv2.Language_LANGUAGE_UNSPECIFIED: "OTHER",
	apiv2.Language_JAVA: "JAVA", apiv2.Language_CPP: "CPP", apiv2.Language_PYTHON: "PYTHON", apiv2.Language_RUST: "RUST",
	apiv2.Language_NODE_JS: "NODE_JS", apiv2.Language_RUBY: "RUBY", apiv2.Language_OBJECTIVE_C: "OTHER",
	apiv2.Language_DART: "OTHER", apiv2.Language_KOTLIN: "JAVA",
}

// encode leaves in out what is said of a consumer. extension is its settings as JSON.
func encode(out *bytes.Buffer, kind, clientID string, settings *apiv2.Settings, where channel, extension, proxy string, now time.Time) error {
	where.Protocol, where.Extension = protocolGRPC, extension
	if err := rewrite(out, where); err != nil {
		return err
	}
	e := event{
		Kind: kind, ClientID: clientID, Language: languages[settings.GetUserAgent().GetLanguage()], Version: command.Version,
		Updated: now.UnixMilli(), Group: settings.GetSubscription().GetGroup().GetName(), Proxy: proxy, Channel: out.String(),
	}
	if e.Language == "" {
		e.Language = languages[apiv2.Language_LANGUAGE_UNSPECIFIED]
	}
	if kind == kindRegister {
		e.ConsumeType, e.MessageModel, e.ConsumeFromWhere = "CONSUME_PASSIVELY", "CLUSTERING", "CONSUME_FROM_LAST_OFFSET"
		switch settings.GetClientType() {
		case apiv2.ClientType_SIMPLE_CONSUMER, apiv2.ClientType_PULL_CONSUMER:
			e.ConsumeType = "CONSUME_ACTIVELY"
		case apiv2.ClientType_LITE_PUSH_CONSUMER:
			e.MessageModel = "LITE_SELECTIVE"
		}
		e.Subscriptions = subscriptions(settings, now)
	}
	return rewrite(out, &e)
}

// rewrite leaves v as JSON in out.
func rewrite(out *bytes.Buffer, v any) error {
	out.Reset()
	err := json.NewEncoder(out).Encode(v)
	out.Truncate(max(out.Len()-1, 0)) // the line break
	return err
}

// subscriptions puts what a consumer wants into the words of Remoting.
func subscriptions(settings *apiv2.Settings, now time.Time) (all []command.Subscription) {
	for _, entry := range settings.GetSubscription().GetSubscriptions() {
		s := backend.Subscription{
			Topic: entry.GetTopic().GetName(), Expression: entry.GetExpression().GetExpression(),
			SQL: entry.GetExpression().GetType() == apiv2.FilterType_SQL,
		}
		data := command.Subscription{Topic: s.Topic, Expression: s.Expression, ExpressionType: "TAG", Version: now.UnixMilli()}
		if s.SQL {
			data.ExpressionType = "SQL92"
		}
		for _, tag := range s.Tags() {
			data.Tags = append(data.Tags, tag)
			data.TagHashes = append(data.TagHashes, message.HashCode(tag))
		}
		all = append(all, data)
	}
	return all
}

// mark is how a message of this proxy says whose it is, as encode writes it. Inside a string of
// another's message the quotes would be escaped.
func mark(proxy string) []byte {
	name, err := json.Marshal(proxy)
	if err != nil {
		panic(err) // every string can be written
	}
	return append([]byte(`"localProxyId":`), name...)
}

// decode reads what another proxy says. settings are nil for a consumer of another protocol, and
// for one that has gone.
func decode(body []byte) (e event, settings *apiv2.Settings, err error) {
	if err := json.Unmarshal(body, &e); err != nil {
		return e, nil, err
	}
	var where channel
	if err := json.Unmarshal([]byte(e.Channel), &where); err != nil {
		return e, nil, fmt.Errorf("channelData: %w", err)
	}
	if e.ClientID == "" || e.Proxy == "" {
		return e, nil, fmt.Errorf("neither clientId nor localProxyId may be empty")
	}
	if where.Protocol != protocolGRPC || e.Kind != kindRegister || where.Extension == "" {
		return e, nil, nil
	}
	settings = &apiv2.Settings{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(where.Extension), settings); err != nil {
		return e, nil, fmt.Errorf("extendAttribute: %w", err)
	}
	return e, settings, nil
}
