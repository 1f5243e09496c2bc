package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// peer is a client of nothing but generated stubs: it says exactly what a test
// lets it say, and hears the exact Status.
type peer struct {
	*testing.T
	*target
	v2.MessagingServiceClient
	conn *grpc.ClientConn
	id   string // its x-mq-client-id
}

var transports = map[string]credentials.TransportCredentials{
	"raw-cleartext": insecure.NewCredentials(),
	"raw-tls":       credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}), // nothing is configured, so the certificate is self-signed
}

// eachTransport runs a test of a feature on each target over cleartext and over TLS.
func eachTransport(t *testing.T, feature string, conversation func(p peer)) {
	t.Parallel()
	for _, g := range the.targets {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for name, secret := range transports {
				t.Run(name, func(t *testing.T) {
					the.table.enter(t, feature, g.name, name)
					t.Parallel()
					conversation(dial(t, g, secret))
				})
			}
		})
	}
}

func dial(t *testing.T, g *target, secret credentials.TransportCredentials) peer {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+g.endpoint, grpc.WithTransportCredentials(secret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return peer{T: t, target: g, MessagingServiceClient: v2.NewMessagingServiceClient(conn), conn: conn, id: freshName(t)}
}

// topic makes a topic of a test's own.
func (p peer) topic(messageType string) string {
	p.Helper()
	return p.makeTopic(p.T, messageType, 4)
}

// another is a second client on the same connection.
func (p peer) another() peer {
	p.id = freshName(p.T)
	return p
}

// header is what clients send with each call. Pairs replace or add; an empty
// value leaves one out.
func (p peer) header(pairs ...string) metadata.MD {
	md := metadata.Pairs("x-mq-client-id", p.id, "x-mq-language", "GO", "x-mq-client-version", "5.1.4", "x-mq-protocol", "v2")
	for i := 0; i+1 < len(pairs); i += 2 {
		if md.Delete(pairs[i]); pairs[i+1] != "" {
			md.Set(pairs[i], pairs[i+1])
		}
	}
	return md
}

// with is the context of a call with this header, for a unary call's time.
func (p peer) with(pairs ...string) context.Context {
	ctx, cancel := context.WithTimeout(p.Context(), 10*time.Second)
	p.Cleanup(cancel)
	return metadata.NewOutgoingContext(ctx, p.header(pairs...))
}

// in is the context of a call within another one.
func (p peer) in(ctx context.Context) context.Context {
	return metadata.NewOutgoingContext(ctx, p.header())
}

// endpoints are the proxy's address, as a client puts it.
func (g *target) endpoints() *v2.Endpoints {
	host, text, _ := net.SplitHostPort(g.endpoint)
	port, _ := strconv.Atoi(text)
	return &v2.Endpoints{Scheme: v2.AddressScheme_IPv4, Addresses: []*v2.Address{{Host: host, Port: int32(port)}}}
}

func resource(name string) *v2.Resource { return &v2.Resource{Name: name} }

// message is a message that every check lets pass; change makes it worse.
func message(topic string, change ...func(*v2.Message)) *v2.Message {
	tag := "red"
	m := &v2.Message{
		Topic:          resource(topic),
		Body:           []byte("ten apples"),
		UserProperties: map[string]string{"colour": "green"},
		SystemProperties: &v2.SystemProperties{
			Tag:           &tag,
			Keys:          []string{"k1", "k2"},
			MessageId:     "01" + suffix() + suffix() + suffix() + suffix(),
			BornTimestamp: timestamppb.Now(),
			BornHost:      "here",
			BodyEncoding:  v2.Encoding_IDENTITY,
			MessageType:   v2.MessageType_NORMAL,
		},
	}
	for _, f := range change {
		f(m)
	}
	return m
}

// sends sends one message that must go through.
func (p peer) sends(m *v2.Message) *v2.SendResultEntry {
	p.Helper()
	answer, err := p.SendMessage(p.with(), &v2.SendMessageRequest{Messages: []*v2.Message{m}})
	if err != nil {
		p.Fatal(err)
	}
	if answer.GetStatus().GetCode() != v2.Code_OK || len(answer.GetEntries()) != 1 {
		p.Fatalf("send: %v", answer)
	}
	return answer.GetEntries()[0]
}

// polled is what one ReceiveMessage streamed.
type polled struct {
	elements  []string // status, message or delivery_timestamp, in their order
	status    *v2.Status
	messages  []*v2.Message
	delivered *timestamppb.Timestamp
}

// polls receives to the end of the stream.
func (p peer) polls(ctx context.Context, request *v2.ReceiveMessageRequest) (polled, error) {
	var got polled
	stream, err := p.ReceiveMessage(ctx, request)
	if err != nil {
		return got, err
	}
	for {
		element, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		switch c := element.GetContent().(type) {
		case *v2.ReceiveMessageResponse_Status:
			got.elements = append(got.elements, "status")
			got.status = c.Status
		case *v2.ReceiveMessageResponse_Message:
			got.elements = append(got.elements, "message")
			got.messages = append(got.messages, c.Message)
		case *v2.ReceiveMessageResponse_DeliveryTimestamp:
			got.elements = append(got.elements, "delivery_timestamp")
			got.delivered = c.DeliveryTimestamp
		}
	}
}

// receiveRequest is what a simple consumer asks with.
func receiveRequest(topic, group string, change ...func(*v2.ReceiveMessageRequest)) *v2.ReceiveMessageRequest {
	r := &v2.ReceiveMessageRequest{
		Group:              resource(group),
		MessageQueue:       &v2.MessageQueue{Topic: resource(topic), Id: -1},
		FilterExpression:   &v2.FilterExpression{Type: v2.FilterType_TAG, Expression: "*"},
		BatchSize:          1,
		InvisibleDuration:  durationpb.New(30 * time.Second),
		LongPollingTimeout: durationpb.New(5 * time.Second),
	}
	for _, f := range change {
		f(r)
	}
	return r
}

// gets polls until a message comes.
func (p peer) gets(topic, group string) *v2.Message {
	p.Helper()
	for range 4 {
		got, err := p.polls(p.with(), receiveRequest(topic, group))
		if err != nil {
			p.Fatal(err)
		}
		if len(got.messages) > 0 {
			return got.messages[0]
		}
	}
	p.Fatal("no message came in four polls")
	return nil
}
