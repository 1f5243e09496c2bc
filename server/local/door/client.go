package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"rocketmq-proxy/server/local/catalog"
)

// ErrNobody says that no process serves the store.
var ErrNobody = errors.New("no proxy serves this store")

// callTimeout bounds one call: a delete of many messages takes its time.
const callTimeout = time.Minute

// Client is a catalog.Catalog behind a door.
type Client struct {
	dir  string
	http *http.Client
}

// Dial finds the door of the proxy that serves the store in dir; the error is ErrNobody when
// there is none. A socket that nobody listens on any more counts as none.
func Dial(dir string) (*Client, error) {
	first, err := connect(context.Background(), dir)
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOTDIR):
		return nil, ErrNobody
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s in %s is another user's: run this as the user who runs the proxy, or as root", Name, dir)
	case err != nil:
		return nil, err
	}
	connections := make(chan net.Conn, 1) // the first call takes the one that was made here
	connections <- first
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			select {
			case c := <-connections:
				return c, nil
			default:
				return connect(ctx, dir)
			}
		},
		MaxIdleConns: 1, IdleConnTimeout: callTimeout,
	}
	return &Client{dir: dir, http: &http.Client{Transport: transport, Timeout: callTimeout}}, nil
}

func connect(ctx context.Context, dir string) (conn net.Conn, err error) {
	err = reach(dir, Name, func(path string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", path)
		return err
	})
	return conn, err
}

// Close implements catalog.Store.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// CreateTopic implements catalog.Catalog.
func (c *Client) CreateTopic(change catalog.TopicChange) (catalog.Outcome, error) {
	done, err := call[outcome](c, http.MethodPut, pathTopics, change)
	return done.Outcome, err
}

// Topics implements catalog.Catalog.
func (c *Client) Topics() ([]catalog.TopicInfo, error) {
	return call[[]catalog.TopicInfo](c, http.MethodGet, pathTopics, nil)
}

// Topic implements catalog.Catalog.
func (c *Client) Topic(name string) (catalog.TopicInfo, error) {
	return call[catalog.TopicInfo](c, http.MethodGet, under(pathTopics, name), nil)
}

// DeleteTopic implements catalog.Catalog.
func (c *Client) DeleteTopic(name string) error {
	_, err := call[struct{}](c, http.MethodDelete, under(pathTopics, name), nil)
	return err
}

// CreateGroup implements catalog.Catalog.
func (c *Client) CreateGroup(change catalog.GroupChange) (catalog.Outcome, error) {
	done, err := call[outcome](c, http.MethodPut, pathGroups, change)
	return done.Outcome, err
}

// Groups implements catalog.Catalog.
func (c *Client) Groups() ([]catalog.GroupInfo, error) {
	return call[[]catalog.GroupInfo](c, http.MethodGet, pathGroups, nil)
}

// Group implements catalog.Catalog.
func (c *Client) Group(name string) (catalog.GroupInfo, error) {
	return call[catalog.GroupInfo](c, http.MethodGet, under(pathGroups, name), nil)
}

// Threads implements catalog.Catalog.
func (c *Client) Threads(group, clientID string) (string, error) {
	said, err := call[threads](c, http.MethodGet, pathOfThreads(group, clientID), nil)
	return said.Threads, err
}

// DeleteGroup implements catalog.Catalog.
func (c *Client) DeleteGroup(name string) error {
	_, err := call[struct{}](c, http.MethodDelete, under(pathGroups, name), nil)
	return err
}

// call asks and reads what is answered as an A.
func call[A any](c *Client, method, path string, body any) (answered A, err error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answered, err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, "http://rocketmq-proxy"+path, sent) //nolint:gosec // G704: whatever the path, it goes to our socket
	if err != nil {
		return answered, err
	}
	response, err := c.http.Do(request) //nolint:gosec // the same
	if err != nil {
		return answered, catalog.Errorf(catalog.Unavailable, "the proxy that serves %s did not answer: %v", c.dir, errors.Unwrap(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, bodyBytesMax+1))
	switch {
	case err != nil:
		return answered, catalog.Errorf(catalog.Unavailable, "the answer of the proxy that serves %s broke off: %v", c.dir, err)
	case len(text) > bodyBytesMax:
		return answered, catalog.Errorf(catalog.Internal, "the answer is longer than %d bytes", bodyBytesMax)
	case response.StatusCode != http.StatusOK:
		failure := new(catalog.Error)
		if json.Unmarshal(text, failure) != nil || failure.Message == "" {
			failure = catalog.Errorf(catalog.Internal, "the proxy that serves %s answered %s", c.dir, response.Status)
		}
		return answered, failure
	}
	if err := json.Unmarshal(text, &answered); err != nil {
		return answered, catalog.Errorf(catalog.Internal, "the answer of the proxy that serves %s makes no sense: %v", c.dir, err)
	}
	return answered, nil
}
