package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"rocketmq-proxy/server/conformance/cluster"
	"rocketmq-proxy/server/conformance/proxy"
)

// target is one thing that speaks the protocol: every test has one source and runs against each
// of them.
type target struct {
	name       string // local, cluster or given
	endpoint   string // host:port of the gRPC server
	brokerName string
	proxy      *proxy.Proxy     // nil when the endpoint is not the proxy of this tree
	cluster    *cluster.Cluster // nil: Local mode, which needs none
	store      string           // of Local mode
	shared     map[kind]func() (*sharedClient, error)
}

// localTarget is the name of Local mode, where tests say what honestly differs there.
const localTarget = "local"

func (g *target) local() bool { return g.name == localTarget }

// makeTopic makes a topic that accepts one type of message.
func (g *target) makeTopic(t *testing.T, messageType string, queues int) string {
	t.Helper()
	name := freshName(t)
	ctx, cancel := context.WithTimeout(t.Context(), callPatience)
	defer cancel()
	if err := g.createTopic(ctx, name, messageType, queues); err != nil {
		t.Fatal(err)
	}
	return name
}

func (g *target) createTopic(ctx context.Context, name, messageType string, queues int) error {
	if g.cluster != nil {
		return g.cluster.CreateTopic(ctx, name, messageType, queues)
	}
	return put(ctx, g.store, "topics", map[string]any{
		"name": name, "readQueues": queues, "writeQueues": queues, "attributes": "+message.type=" + messageType,
	})
}

// makeGroup makes a consumer group.
func (g *target) makeGroup(t *testing.T, settings cluster.Group) string {
	t.Helper()
	name := freshName(t)
	ctx, cancel := context.WithTimeout(t.Context(), callPatience)
	defer cancel()
	if err := g.createGroup(ctx, name, settings); err != nil {
		t.Fatal(err)
	}
	return name
}

func (g *target) createGroup(ctx context.Context, name string, settings cluster.Group) error {
	if g.cluster != nil {
		return g.cluster.CreateGroup(ctx, name, settings)
	}
	change := map[string]any{"name": name, "orderly": settings.Orderly, "retryMax": settings.RetryMax}
	if policy := settings.RetryPolicy(); policy != nil {
		change["retryPolicy"] = policy
	}
	for key, value := range settings.Attributes() {
		change["attributes"] = key + "=" + value
	}
	return put(ctx, g.store, "groups", change)
}

// put is `rocketmq-proxy topic create` and `group create` in the words of the socket that they
// talk through.
func put(ctx context.Context, store, what string, change map[string]any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://local/v1/"+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(store, "admin.sock"))
	}}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		return fmt.Errorf("creating %s: %s: %s", body, answer.Status, text)
	}
	return nil
}
