package main_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/floods"
)

const servicePath = "/apache.rocketmq.v2.MessagingService/"

// honestClient calls and reads the answers, on one connection of the standard library's HTTP/2.
type honestClient struct {
	http *http.Client
	url  string
}

func dialHonest(addr string, secure bool) *honestClient {
	client, url := floods.HTTPClient(addr, secure)
	client.Timeout = patience
	return &honestClient{http: client, url: url}
}

func (c *honestClient) close() { c.http.CloseIdleConnections() }

func (c *honestClient) queryRoute(tb testing.TB) {
	tb.Helper()
	var answer apiv2.QueryRouteResponse
	c.call(tb, "QueryRoute", &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "flood"}}, &answer)
	if answer.GetStatus().GetCode() != apiv2.Code_OK {
		tb.Fatalf("QueryRoute: %v", answer.GetStatus())
	}
}

func (c *honestClient) sendMessage(tb testing.TB) {
	tb.Helper()
	c.sendTo(tb, "flood")
}

func (c *honestClient) sendTo(tb testing.TB, topic string) {
	tb.Helper()
	request := floodMessage()
	request.Messages[0].Topic.Name = topic
	var answer apiv2.SendMessageResponse
	c.call(tb, "SendMessage", request, &answer)
	if answer.GetStatus().GetCode() != apiv2.Code_OK {
		tb.Fatalf("SendMessage: %v", answer.GetStatus())
	}
}

func (c *honestClient) call(tb testing.TB, method string, request, answer proto.Message) {
	tb.Helper()
	if err := c.try(method, bytes.NewReader(grpcMessage(request)), answer); err != nil {
		tb.Fatal(err)
	}
}

// try makes a call and reads all that is answered, and the first message of it into answer.
func (c *honestClient) try(method string, request io.Reader, answer proto.Message) error {
	post, err := http.NewRequest(http.MethodPost, c.url+servicePath+method, request)
	if err != nil {
		return err
	}
	post.Header.Set("Content-Type", "application/grpc")
	post.Header.Set("TE", "trailers")
	post.Header.Set("X-Mq-Client-Id", "honest")
	response, err := c.http.Do(post)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	const prefix = 5
	if err != nil || len(body) < prefix {
		return fmt.Errorf("%s: %d bytes, %w, %v %v", method, len(body), err, response.Header, response.Trailer)
	}
	first := body[prefix:]
	return proto.Unmarshal(first[:binary.BigEndian.Uint32(body[1:prefix])], answer)
}
