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

// StartReferenceProxy starts the Java proxy in front of the cluster with a
// configuration that lacks where to listen, and waits until it does. The caller
// stops it.
func (c *Cluster) StartReferenceProxy(ctx context.Context, config map[string]any) (*Process, string, error) {
	return c.startReference(ctx, config, frugal, "900m")
}

// proxyHeap is what RocketMQ's users give a proxy of two cores.
const proxyHeap = "1g"

// StartMeasured starts the Java proxy, in dir, in front of somebody else's name server, and waits until it
// listens. It is there to be measured, so nothing is held back. The caller stops it.
func StartMeasured(ctx context.Context, dir, namesrv string) (p *Process, endpoint string, err error) {
	c := &Cluster{dir: dir, Namesrv: namesrv}
	if c.jars, err = Jars(ctx, "cluster", pom, nil, nil); err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(c.file("tmp"), 0o755); err != nil {
		return nil, "", err
	}
	return c.startReference(ctx, ProxyConfig(namesrv), swift, proxyHeap)
}

// startReference starts the Java proxy with a rmq-proxy.json, but for where it listens.
func (c *Cluster) startReference(ctx context.Context, config map[string]any, machine []string, heap string) (*Process, string, error) {
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
	p, err := StartProcess(c.dir, "reference-proxy", c.java(machine, heap, "org.apache.rocketmq.proxy.ProxyStartup", "-pc", c.file("rmq-proxy.json")))
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
