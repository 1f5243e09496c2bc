package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
)

// session is what a client has before its first real call: a Telemetry stream on which both
// sides have said their settings. It lives until end.
type session struct {
	*conn
	settings *apiv2.Settings // as the proxy answered them
	commands *io.PipeWriter
	cancel   context.CancelFunc
	done     chan struct{} // closed when nothing is read from the stream any more
	group    *apiv2.Resource
	kind     apiv2.ClientType
}

// open says settings and waits for the answer.
func (c *conn) open(ctx context.Context, kind apiv2.ClientType, settings *apiv2.Settings) (*session, error) {
	settings.ClientType = kind.Enum()
	settings.AccessPoint = c.endpoints()
	settings.RequestTimeout = durationpb.New(callTimeout)
	host, _ := os.Hostname()
	settings.UserAgent = &apiv2.UA{Language: apiv2.Language_GOLANG, Version: clientVersion, Platform: runtime.GOOS, Hostname: host}
	body, err := encode(&apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: settings}})
	if err != nil {
		return nil, err
	}
	streaming, cancel := context.WithCancel(ctx)
	impatient := time.AfterFunc(callTimeout, cancel)
	incoming, commands := io.Pipe()
	s := &session{conn: c, commands: commands, cancel: cancel, done: make(chan struct{}), group: settings.GetSubscription().GetGroup(), kind: kind}
	go func() { _, _ = commands.Write(body) }() // the stream's end ends the write
	answers, err := c.start(streaming, "Telemetry", incoming, 0)
	var answer apiv2.TelemetryCommand
	if err == nil {
		err = answers.next(&answer)
	}
	if err == nil {
		err = judge(answer.GetStatus())
	}
	if !impatient.Stop() && err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s did not answer our settings in %v", c.addr, callTimeout)
	}
	if err != nil {
		cancel()
		incoming.Close()
		if errors.Is(err, io.EOF) {
			err = errors.New("the proxy ended the Telemetry stream without a word")
		}
		return nil, err
	}
	s.settings = answer.GetSettings()
	go s.listen(answers)
	return s, nil
}

// listen reads what the proxy says later, so that the stream never stands still. We are no
// client that could answer: a transaction of ours would be asked for, and there is none.
func (s *session) listen(answers *stream) {
	defer close(s.done)
	defer answers.close()
	for {
		var command apiv2.TelemetryCommand
		if answers.next(&command) != nil {
			return
		}
	}
}

// beat tells the proxy, until ctx ends, that we are alive.
func (s *session) beat(ctx context.Context) {
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = s.call(ctx, "Heartbeat", &apiv2.HeartbeatRequest{Group: s.group, ClientType: s.kind}, new(apiv2.HeartbeatResponse))
		}
	}
}

// goodbyeTimeout is how long a polite end may take.
const goodbyeTimeout = 2 * time.Second

// end says goodbye, also when the work was interrupted.
func (s *session) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTimeout)
	defer cancel()
	_ = s.call(ctx, "NotifyClientTermination", &apiv2.NotifyClientTerminationRequest{Group: s.group}, new(apiv2.NotifyClientTerminationResponse))
	s.commands.Close()
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	s.cancel()
	s.close()
}

// queues asks for the queues of a topic that may be written or read.
func (c *conn) queues(ctx context.Context, topic string, write bool) ([]*apiv2.MessageQueue, error) {
	var route apiv2.QueryRouteResponse
	if err := c.call(ctx, "QueryRoute", &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: topic}, Endpoints: c.endpoints()}, &route); err != nil {
		return nil, err
	}
	var fit []*apiv2.MessageQueue
	for _, q := range route.GetMessageQueues() {
		p := q.GetPermission()
		wanted := p == apiv2.Permission_READ || write && p == apiv2.Permission_WRITE
		if write && p == apiv2.Permission_READ {
			wanted = false
		}
		if (wanted || p == apiv2.Permission_READ_WRITE) && q.GetBroker().GetId() == 0 {
			fit = append(fit, proto.CloneOf(q))
		}
	}
	if len(fit) == 0 {
		verb := "received from"
		if write {
			verb = "sent to"
		}
		return nil, fmt.Errorf("topic %s has no queue that may be %s", topic, verb)
	}
	return fit, nil
}
