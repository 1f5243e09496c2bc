// Package relay moves bytes between a client and one upstream address, and
// does nothing else: the floor under the cost of any proxy on netpoll.
package relay

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/cloudwego/netpoll"
)

const dialTimeout = 3 * time.Second

type peerKey struct{}

// Relay is a running relay.
type Relay struct {
	Addr string

	loop   netpoll.EventLoop
	served chan error
}

// Start listens on a loopback port of its own choosing and relays every
// connection to a new connection to upstream.
func Start(upstream string) (*Relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	connect := func(ctx context.Context, client netpoll.Connection) context.Context {
		server, err := dial(upstream, client)
		if err != nil {
			client.Close()
			return ctx
		}
		return context.WithValue(ctx, peerKey{}, server)
	}
	loop, err := netpoll.NewEventLoop(fromClient, netpoll.WithOnConnect(connect))
	if err != nil {
		l.Close()
		return nil, err
	}
	r := &Relay{Addr: l.Addr().String(), loop: loop, served: make(chan error, 1)}
	go func() { r.served <- loop.Serve(l) }()
	return r, nil
}

// Close stops the relay and waits until it has stopped.
func (r *Relay) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	err := r.loop.Shutdown(ctx)
	return errors.Join(err, <-r.served)
}

func dial(upstream string, client netpoll.Connection) (netpoll.Connection, error) {
	server, err := netpoll.DialConnection("tcp", upstream, dialTimeout)
	if err != nil {
		return nil, err
	}
	client.AddCloseCallback(func(netpoll.Connection) error { return server.Close() })
	server.AddCloseCallback(func(netpoll.Connection) error { return client.Close() })
	return server, server.SetOnRequest(func(_ context.Context, c netpoll.Connection) error {
		return move(c, client)
	})
}

func fromClient(ctx context.Context, client netpoll.Connection) error {
	server, ok := ctx.Value(peerKey{}).(netpoll.Connection)
	if !ok {
		return client.Close()
	}
	return move(client, server)
}

// move hands everything that has arrived on one side to the other. Flush
// returns when the kernel has the bytes, so the views can go right after it.
func move(from, to netpoll.Connection) error {
	r := from.Reader()
	b, err := r.Next(r.Len())
	if err != nil {
		return err
	}
	if _, err = to.Writer().WriteBinary(b); err == nil {
		err = to.Writer().Flush()
	}
	r.Release()
	if err != nil {
		from.Close()
	}
	return err
}
