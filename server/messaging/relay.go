package messaging

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// Questions of operators go to a client's telemetry stream and come back on it, tied together by
// a nonce (gRPC specification 5.3).
//
//	ask ──► posted ──OnTurn──► on the stream ──answer──► (home)
//	          │ no stream             │ RelayTimeout, or the stream ends
//	          └───────────────────────┴──► (home, with a fault)

// relaysMax bounds the questions that are open, of all clients.
const relaysMax = 1024

// question is what is asked, and whom its answer goes to.
type question interface {
	// command is what the client is told; nil when it cannot be.
	command(nonce string, now time.Time) *apiv2.TelemetryCommand
	// answered takes the client's answer home.
	answered(answer *apiv2.TelemetryCommand)
	// failed tells that there is none.
	failed(f backend.Fault)
}

// relays are the questions that are open. Whoever takes one out ends it.
type relays struct {
	mu    sync.Mutex
	next  uint64
	open  map[string]*relayed
	ended bool
}

// relayed is one question.
type relayed struct {
	service  *Service
	who      *session.Session // the only one whose answer counts
	stream   *telemetry
	nonce    string
	question question
	late     *time.Timer
}

// notConnected is the fault of a question for which there is nobody.
func notConnected(clientID, group string) backend.Fault {
	return backend.Fault{Kind: backend.Internal, Text: "the client " + clientID + " of group " + group + " is not connected to this proxy"}
}

// consumer finds a consumer of a group with an open stream.
func (svc *Service) consumer(clientID, group string) (who *session.Session, stream *telemetry) {
	who = svc.Sessions.Find([]byte(clientID))
	if who == nil || who.Settings().GetSubscription().GetGroup().GetName() != group {
		return nil, nil
	}
	stream, _ = who.Stream().(*telemetry)
	return who, stream
}

// relay asks a client.
func (svc *Service) relay(who *session.Session, stream *telemetry, q question) {
	r := &relayed{service: svc, who: who, stream: stream, question: q}
	if !svc.relays.add(r, svc.RelayTimeout) {
		q.failed(backend.Fault{Kind: backend.Busy, Text: "too many questions to clients are open, max is " + strconv.Itoa(relaysMax)})
		return
	}
	stream.client.turn.Post(r)
}

// add gives the question a nonce and its time.
func (s *relays) add(r *relayed, timeout time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.open) >= relaysMax {
		return false
	}
	if s.open == nil {
		s.open = make(map[string]*relayed)
	}
	r.nonce = s.count()
	s.open[r.nonce] = r
	r.late = time.AfterFunc(timeout, func() { r.fail(backend.Fault{Kind: backend.Timeout, Text: "call remote timeout"}) })
	return true
}

// nonce is for a command that nobody answers.
func (s *relays) nonce() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count()
}

// count is the next nonce. The lock is held.
func (s *relays) count() string {
	n := s.next
	s.next++
	return strconv.FormatUint(n, 10)
}

// take closes a question that this client was asked, and returns it, nil when there is none.
func (s *relays) take(nonce string, who *session.Session) *relayed {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.open[nonce]
	if r == nil || r.who != who {
		return nil
	}
	delete(s.open, nonce)
	r.late.Stop()
	return r
}

// of lists the questions that wait for a stream; nil is for all.
func (s *relays) of(stream *telemetry) (all []*relayed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.open {
		if stream == nil || r.stream == stream {
			all = append(all, r)
		}
	}
	return all
}

// end lets all open questions fail, and all later ones.
func (s *relays) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	for _, r := range s.of(nil) {
		r.fail(backend.Fault{Kind: backend.Internal, Text: "the proxy is shutting down"})
	}
}

// fail ends the question, unless somebody else has.
func (r *relayed) fail(f backend.Fault) {
	if r.service.relays.take(r.nonce, r.who) == r {
		r.question.failed(f)
	}
}

// OnTurn puts the question on the client's stream.
func (r *relayed) OnTurn(now time.Time) {
	m := r.stream
	s := m.stream()
	if s == nil {
		r.fail(notConnected(r.who.ID, r.who.Settings().GetSubscription().GetGroup().GetName()))
		return
	}
	m.client.now = now
	command := r.question.command(r.nonce, now)
	if command == nil {
		r.fail(backend.Fault{Kind: backend.Internal, Text: "the message cannot be read"})
		return
	}
	m.write(s, command)
}

// answer is what a client says about a question. One that nobody asked it, or not any more, is
// let be.
func (m *telemetry) answer(nonce string, answer *apiv2.TelemetryCommand) {
	if m.session == nil {
		return
	}
	if r := m.client.service.relays.take(nonce, m.session); r != nil {
		r.question.answered(answer)
	}
}

// threadsBytesMax is how much of what a client says of its threads goes to the operator.
const threadsBytesMax = 1 << 20

// RunningInfo implements backend.Clients: what the client said in its settings, and with Stack
// what it says when it is asked.
func (svc *Service) RunningInfo(op *backend.RunningInfo) {
	who, stream := svc.consumer(op.ClientID, op.Group)
	if who == nil || stream == nil {
		op.End(notConnected(op.ClientID, op.Group))
		return
	}
	settings := who.Settings()
	op.Version, op.Pushes = clientVersion(settings), pushes(settings)
	op.Orderly = settings.GetSubscription().GetFifo()
	for _, entry := range settings.GetSubscription().GetSubscriptions() {
		op.Subscriptions = append(op.Subscriptions, backend.Subscription{
			Topic: entry.GetTopic().GetName(), Expression: entry.GetExpression().GetExpression(),
			SQL: entry.GetExpression().GetType() == apiv2.FilterType_SQL,
		})
	}
	if !op.Stack {
		op.End(backend.Fault{})
		return
	}
	svc.relay(who, stream, threadsQuestion{op})
}

// clientVersion is language and version of a client, as it says itself.
func clientVersion(settings *apiv2.Settings) string {
	return settings.GetUserAgent().GetLanguage().String() + " " + settings.GetUserAgent().GetVersion()
}

// pushes tells whether a client is handed messages as they come.
func pushes(settings *apiv2.Settings) bool {
	t := settings.GetClientType()
	return t == apiv2.ClientType_PUSH_CONSUMER || t == apiv2.ClientType_LITE_PUSH_CONSUMER
}

// Consumers implements backend.Clients.
func (svc *Service) Consumers(group string) (all []backend.Consumer) {
	for _, s := range svc.Sessions.Consumers(group) {
		settings := s.Settings()
		all = append(all, backend.Consumer{ID: s.ID, Version: clientVersion(settings), Pushes: pushes(settings)})
	}
	return all
}

// threadsQuestion asks a client what its threads do.
type threadsQuestion struct{ op *backend.RunningInfo }

func (q threadsQuestion) command(nonce string, _ time.Time) *apiv2.TelemetryCommand {
	return &apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_PrintThreadStackTraceCommand{
		PrintThreadStackTraceCommand: &apiv2.PrintThreadStackTraceCommand{Nonce: nonce},
	}}
}

func (q threadsQuestion) answered(answer *apiv2.TelemetryCommand) {
	switch code := answer.GetStatus().GetCode(); {
	case code == apiv2.Code_OK && answer.GetThreadStackTrace() != nil:
		text := answer.GetThreadStackTrace().GetThreadStackTrace()
		q.op.Threads = strings.ToValidUTF8(text[:min(len(text), threadsBytesMax)], "")
		q.op.End(backend.Fault{})
	case code == apiv2.Code_VERIFY_FIFO_MESSAGE_UNSUPPORTED:
		q.op.End(backend.Fault{Kind: backend.NotSupported, Text: "forbidden to verify message"})
	default:
		q.op.End(backend.Fault{Kind: backend.Internal, Text: because("verify message failed", answer.GetStatus())})
	}
}

func (q threadsQuestion) failed(f backend.Fault) { q.op.End(f) }

// because appends what the client says about it.
func because(text string, status *apiv2.Status) string {
	if status.GetMessage() == "" {
		return text
	}
	return text + ": " + status.GetMessage()
}

// ConsumeDirectly implements backend.Clients.
func (svc *Service) ConsumeDirectly(op *backend.ConsumeDirectly) {
	q := &verifyQuestion{op}
	who, stream := svc.consumer(op.ClientID, op.Group)
	if who == nil || stream == nil {
		q.failed(notConnected(op.ClientID, op.Group))
		return
	}
	svc.relay(who, stream, q)
}

// verifyQuestion has a client consume a message.
type verifyQuestion struct{ op *backend.ConsumeDirectly }

func (q *verifyQuestion) command(nonce string, now time.Time) *apiv2.TelemetryCommand {
	m := showRecord(&q.op.Record, &q.op.Body, now)
	if m == nil {
		return nil
	}
	return &apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_VerifyMessageCommand{
		VerifyMessageCommand: &apiv2.VerifyMessageCommand{Nonce: nonce, Message: m},
	}}
}

// consumed says what became of a message (gRPC specification 5.3).
var consumed = map[apiv2.Code]backend.Consumed{
	apiv2.Code_OK:                        backend.ConsumedWell,
	apiv2.Code_FAILED_TO_CONSUME_MESSAGE: backend.ConsumedLater,
	apiv2.Code_MESSAGE_CORRUPTED:         backend.ConsumedCorrupted,
}

func (q *verifyQuestion) answered(answer *apiv2.TelemetryCommand) {
	outcome, known := consumed[answer.GetStatus().GetCode()]
	if !known || answer.GetVerifyMessageResult() == nil {
		outcome = backend.ConsumedFailed
	}
	q.op.Outcome, q.op.Remark = outcome, because("from gRPC client", answer.GetStatus())
	q.end(backend.Fault{})
}

func (q *verifyQuestion) failed(f backend.Fault) { q.end(f) }

func (q *verifyQuestion) end(f backend.Fault) {
	q.op.Body.Release()
	q.op.End(f)
}

// showRecord is a stored message as a client is shown it outside of a receive: it goes through
// the bytes of one, so that there is one way in which messages are shown.
func showRecord(r *message.Record, body *pool.Chain, now time.Time) *apiv2.Message {
	var v shown
	var element pool.Chain
	defer element.Release()
	v.convert(r.Topic, r, body, now)
	v.appendTo(&element, r.BodyOffset, r.BodyLen, body)
	response := &apiv2.ReceiveMessageResponse{}
	if unmarshal(&element, response) != nil {
		return nil
	}
	return response.GetMessage()
}
