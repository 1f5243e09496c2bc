package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
)

// target is where and how to reach a proxy.
type target struct {
	addr     string
	tls      bool
	insecure bool   // take any certificate
	ca       string // PEM file of who may have signed it
}

const targetHelp = `  -addr HOST:PORT       the proxy; default 127.0.0.1:8081
  -plaintext            without TLS, which is the default
  -tls                  with TLS, and a certificate that this machine trusts
  -ca FILE              with TLS, and a certificate that is signed as this PEM file says
  -insecure             with TLS, and any certificate, as the self-signed one of a proxy that
                        has none configured
`

func (t *target) flags(f *flags) {
	t.addr = "127.0.0.1:8081"
	f.text(&t.addr, "addr")
	f.text(&t.ca, "ca")
	f.BoolVar(&t.tls, "tls", false, "")
	f.BoolVar(&t.insecure, "insecure", false, "")
	f.Bool("plaintext", true, "")
}

// check completes a target that was read from flags.
func (t *target) check(f *flags) error {
	if _, _, err := net.SplitHostPort(t.addr); err != nil {
		return f.wrong("-addr %s is not host:port", t.addr)
	}
	plain := false
	f.Visit(func(one *flag.Flag) { plain = plain || one.Name == "plaintext" && one.Value.String() == "true" })
	if plain && (t.tls || t.insecure || t.ca != "") {
		return f.wrong("-plaintext is the opposite of -tls, -ca and -insecure")
	}
	t.tls = t.tls || t.insecure || t.ca != ""
	return nil
}

// conn is gRPC over one HTTP/2 connection.
type conn struct {
	target
	transport *http.Transport
	clientID  string
}

// callTimeout bounds a call that has no reason to wait.
const callTimeout = 10 * time.Second

// clientVersion is what we say we are. Servers compare it as a text with that of old clients.
const clientVersion = "5.1.0"

func dial(t target) (*conn, error) {
	transport := &http.Transport{
		Protocols:          new(http.Protocols),
		DialContext:        (&net.Dialer{Timeout: callTimeout}).DialContext,
		DisableCompression: true,
	}
	transport.Protocols.SetHTTP2(t.tls)
	transport.Protocols.SetUnencryptedHTTP2(!t.tls)
	if t.tls {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: t.insecure} //nolint:gosec // who says -insecure wants it
		transport.TLSHandshakeTimeout = callTimeout
	}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, fmt.Errorf("-ca: %w", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-ca: %s holds no certificate in PEM", t.ca)
		}
	}
	return &conn{target: t, transport: transport, clientID: newClientID()}, nil
}

func (c *conn) close() { c.transport.CloseIdleConnections() }

// newClientID is unlike any other client's: host, process and chance.
func newClientID() string {
	var chance [6]byte
	_, _ = rand.Read(chance[:]) // it never fails
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s@%d@%s", host, os.Getpid(), hex.EncodeToString(chance[:]))
}

// endpoints are the proxy as we dialled it.
func (t *target) endpoints() *apiv2.Endpoints {
	host, digits, _ := net.SplitHostPort(t.addr)
	port, _ := strconv.Atoi(digits)
	scheme := apiv2.AddressScheme_DOMAIN_NAME
	if ip := net.ParseIP(host); ip != nil {
		scheme = apiv2.AddressScheme_IPv6
		if ip.To4() != nil {
			scheme = apiv2.AddressScheme_IPv4
		}
	}
	return &apiv2.Endpoints{Scheme: scheme, Addresses: []*apiv2.Address{{Host: host, Port: int32(port)}}}
}

// callError is a call that did not end well, below the Status of its answer.
type callError struct {
	method string
	status grpc.Status
}

func (e *callError) Error() string { return fmt.Sprintf("%s: %v", e.method, e.status) }

// stream is the answer to a call, message by message.
type stream struct {
	method   string
	response *http.Response
}

// start makes a call. body is the messages of the request with their prefixes.
func (c *conn) start(ctx context.Context, method string, body io.Reader, timeout time.Duration) (*stream, error) {
	scheme := "http://"
	if c.tls {
		scheme = "https://"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+c.addr+"/apache.rocketmq.v2.MessagingService/"+method, body)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Content-Type": "application/grpc", "Te": "trailers", "User-Agent": "rocketmq-proxy-cli",
		"X-Mq-Client-Id": c.clientID, "X-Mq-Language": "GO", "X-Mq-Client-Version": clientVersion, "X-Mq-Protocol": "v2",
		"X-Mq-Date-Time": time.Now().UTC().Format("20060102T150405Z"),
	} {
		request.Header.Set(name, value)
	}
	if timeout > 0 {
		request.Header.Set("Grpc-Timeout", strconv.FormatInt(timeout.Milliseconds(), 10)+"m")
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s answered HTTP %s: is it a RocketMQ proxy's gRPC port?", c.addr, response.Status)
	}
	return &stream{method, response}, nil
}

// unreachable says what a person can do about err.
func (c *conn) unreachable(err error) error {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, foreign := errors.AsType[x509.HostnameError](err)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on %s: is the proxy running? Start it with \"%s\", or say with -addr where it is", c.addr, program)
	case unknown || foreign:
		return fmt.Errorf("%s shows a certificate that is not trusted here (%w): a proxy that has none configured makes its own; -insecure takes it, -ca FILE trusts its signer", c.addr, errors.Unwrap(err))
	case noTLS:
		return fmt.Errorf("%s does not speak TLS: is it a RocketMQ proxy's gRPC port? (%w)", c.addr, err)
	}
	return fmt.Errorf("cannot call %s: %w", c.addr, err)
}

// messageBytesMax is more than a proxy sends in one message, in bytes.
const messageBytesMax = 256 << 20

// next reads a message; io.EOF says that the call ended well.
func (s *stream) next(into proto.Message) error {
	var prefix [grpc.PrefixBytes]byte
	switch _, err := io.ReadFull(s.response.Body, prefix[:]); {
	case errors.Is(err, io.EOF):
		return s.end()
	case err != nil:
		return fmt.Errorf("%s: the answer broke off: %w", s.method, err)
	}
	head := grpc.ParsePrefix(prefix[:])
	if head.Flag != 0 || head.Length > messageBytesMax {
		return fmt.Errorf("%s: the answer is no gRPC that is understood here", s.method)
	}
	var message bytes.Buffer // grows with what comes, not with what is announced
	if n, err := io.CopyN(&message, s.response.Body, int64(head.Length)); err != nil {
		return fmt.Errorf("%s: the answer broke off after %d bytes of %d: %w", s.method, n, head.Length, err)
	}
	if err := proto.Unmarshal(message.Bytes(), into); err != nil {
		return fmt.Errorf("%s: the answer makes no sense: %w", s.method, err)
	}
	return nil
}

// end is how the call ended: io.EOF when well.
func (s *stream) end() error {
	where := s.response.Trailer
	if where.Get("Grpc-Status") == "" {
		where = s.response.Header // an answer without messages has no trailers
	}
	code, err := strconv.ParseUint(where.Get("Grpc-Status"), 10, 32)
	switch {
	case err != nil:
		return fmt.Errorf("%s: the answer has no grpc-status: is it a RocketMQ proxy's gRPC port?", s.method)
	case code == uint64(grpc.OK):
		return io.EOF
	}
	return &callError{s.method, grpc.Status{Code: grpc.Code(code), Message: grpc.DecodeMessage([]byte(where.Get("Grpc-Message")))}}
}

func (s *stream) close() { s.response.Body.Close() }

func encode(m proto.Message) ([]byte, error) {
	encoded, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	return append(grpc.AppendPrefix(make([]byte, 0, grpc.PrefixBytes+len(encoded)), len(encoded)), encoded...), nil
}

// answered is a message that carries the Status of a call.
type answered interface {
	proto.Message
	GetStatus() *apiv2.Status
}

// call makes a call with one answer. A Status that is not OK is an error, a *statusError.
func (c *conn) call(ctx context.Context, method string, request proto.Message, answer answered) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := encode(request)
	if err != nil {
		return err
	}
	s, err := c.start(ctx, method, bytes.NewReader(body), callTimeout)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.next(answer); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: the answer is empty", method)
		}
		return err
	}
	return judge(answer.GetStatus())
}

// statusError is a Status that says no.
type statusError struct {
	code    apiv2.Code
	message string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the proxy says %v (%d): %s", e.code, int32(e.code), e.message)
	if hint := hints[e.code]; hint != "" {
		text += "\n" + hint
	}
	return text
}

// hints are what can be done about a Status.
var hints = map[apiv2.Code]string{
	apiv2.Code_TOPIC_NOT_FOUND:                     "Make the topic first, with \"" + program + " topic create\" in Local mode or with mqadmin updateTopic for a cluster.",
	apiv2.Code_CONSUMER_GROUP_NOT_FOUND:            "Make the group first, with \"" + program + " group create\" in Local mode or with mqadmin updateSubGroup for a cluster.",
	apiv2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE: "The topic takes another type of message: -message-group sends FIFO, -delay DELAY, -priority PRIORITY, -lite-topic LITE ones.",
	apiv2.Code_TOO_MANY_REQUESTS:                   "The proxy has as much to do as it may have: try again.",
}

func judge(s *apiv2.Status) error {
	if s.GetCode() == apiv2.Code_OK {
		return nil
	}
	return &statusError{s.GetCode(), s.GetMessage()}
}
