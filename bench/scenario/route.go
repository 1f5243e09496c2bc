package scenario

import (
	"errors"

	"rocketmq-proxy/bench/load"
)

var errNoQueues = errors.New("route: OK, but no queues")

// route is QueryRoute for one topic.
type route struct {
	request []byte
}

func newRoute(p Params) *route {
	m := appendBytes(nil, 1, resource(p.Topic))
	return &route{request: appendBytes(m, 2, p.endpoints())}
}

func (s *route) Kinds() []string { return []string{"route"} }

func (s *route) Setup(*load.Request) bool { return false }

func (s *route) Begin(_ int, r *load.Request) {
	r.Kind, r.Path, r.Timeout, r.Open = 0, service+"QueryRoute", requestTimeout, false
	r.Body = append(r.Body, s.request...)
}

func (s *route) Message(_, _ int, m load.Message) error {
	if err := checkStatus("route", m.Body); err != nil {
		return err
	}
	if bytesField(m.Body, 2) == nil {
		return errNoQueues
	}
	return nil
}

func (s *route) End(int, int, *load.Request) (int, bool, error) { return 1, false, nil }
