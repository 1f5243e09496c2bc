package server

import (
	"bytes"

	"rocketmq-proxy/codec/apiv2"
	healthv1 "rocketmq-proxy/codec/health"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/health"
	"rocketmq-proxy/server/messaging"
	"rocketmq-proxy/server/reflection"
)

// beside are the services on the port that every gRPC server has, whatever else it serves.
type beside struct {
	health     *health.Service
	reflection *reflection.Service
}

func newBeside() (beside, error) {
	shown, err := reflection.New(apiv2.File_codec_apiv2_proto_service_proto, healthv1.File_codec_health_proto_health_proto)
	return beside{health: health.New(messaging.Name), reflection: shown}, err
}

var slash = []byte("/")

// openBeside begins a call to one of them, nil when it is to none.
func (w *witnessed) openBeside(s *h2.Stream) h2.Handler {
	path, rooted := bytes.CutPrefix(s.Path(), slash)
	if !rooted {
		return nil
	}
	service, method, _ := bytes.Cut(path, slash)
	switch string(service) {
	case health.Name:
		return w.server.beside.health.Open(string(method), w.link.Turn(), s)
	case reflection.Name, reflection.NameAlpha:
		return w.server.beside.reflection.Open(string(method), s)
	}
	return nil
}
