package cluster

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"time"
)

// ProxyConfig is the rmq-proxy.json that the proxy under test and the Java
// proxy both start from, but for where they listen.
func ProxyConfig(namesrv string) map[string]any {
	return map[string]any{"rocketMQClusterName": "DefaultCluster", "namesrvAddr": namesrv, "proxyMode": "cluster"}
}

// StartReferenceProxy starts the Java proxy in front of the cluster and waits
// until it listens. config is its rmq-proxy.json, but for where it listens. The caller stops it.
func (c *Cluster) StartReferenceProxy(ctx context.Context, config map[string]any) (*Process, string, error) {
	grpcPort, err := freePort(0)
	if err != nil {
		return nil, "", err
	}
	config["localServeAddr"], config["grpcServerPort"], config["useEndpointPortFromRequest"] = "127.0.0.1", grpcPort, true
	if config["remotingListenPort"], err = freePort(0); err != nil {
		return nil, "", err
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(c.file("rmq-proxy.json"), text, 0o644); err != nil {
		return nil, "", err
	}
	p, err := StartProcess(c.dir, "reference-proxy", c.Java("900m", "org.apache.rocketmq.proxy.ProxyStartup", "-pc", c.file("rmq-proxy.json")))
	if err != nil {
		return nil, "", err
	}
	endpoint := loopback(grpcPort)
	err = p.Await(ctx, "listening", func(context.Context) error {
		conn, err := net.DialTimeout("tcp", endpoint, time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	})
	return p, endpoint, err
}
