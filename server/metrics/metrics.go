// Package metrics writes what the parts of a proxy count in Prometheus' text format, version 0.0.4. It
// reads counters when it is asked, and keeps nothing.
package metrics

import (
	"io"
	"strconv"

	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/link"
)

// Sources are what is read. All but the budgets and Memory must be there.
type Sources struct {
	Link     *link.Counters     // connections of clients
	H2       *h2.Counters       // what they say
	Remoting *remoting.Counters // calls to brokers and name servers

	Requests *pool.Budget // bytes of requests that are not complete
	Sends    *pool.Budget // bytes of sends that wait for a broker
	Polls    *pool.Budget // receives and pulls that wait

	Memory *pool.Pressure // what is not taken for want of it
}

// Write writes everything.
func (s *Sources) Write(w io.Writer) error {
	var p page
	p.link(s.Link)
	p.h2(s.H2)
	p.held(s)
	p.memory(s.Memory)
	p.remoting(s.Remoting)
	_, err := w.Write(p)
	return err
}

// page is the text so far. A family of samples begins with what it is.
type page []byte

func (p *page) family(name, kind, help string) {
	*p = append(*p, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

func (p *page) sample(name string, n int64) {
	*p = append(append(*p, name+" "+strconv.FormatInt(n, 10)...), '\n')
}

// labelled is a sample with one label, whose value needs no escapes.
func (p *page) labelled(name, label, value string, n int64) {
	p.sample(name+"{"+label+`="`+value+`"}`, n)
}

func (p *page) counter(name, help string, n uint64) {
	p.family(name, "counter", help)
	p.sample(name, int64(n))
}

func (p *page) gauge(name, help string, n int64) {
	p.family(name, "gauge", help)
	p.sample(name, n)
}

func (p *page) link(c *link.Counters) {
	p.counter("rmqproxy_connections_accepted_total", "Client connections that were accepted.", c.Accepted.Load())
	p.gauge("rmqproxy_connections_open", "Client connections that are open now.", c.Open.Load())
	p.gauge("rmqproxy_tls_handshakes_open", "TLS handshakes that go on now.", c.Handshaking.Load())
	const refused = "rmqproxy_connections_refused_total"
	p.family(refused, "counter", "Client connections that ended before the first HTTP/2 frame, by reason.")
	for r := range link.Refusal(link.Refusals) {
		p.labelled(refused, "reason", r.String(), int64(c.Refused[r].Load()))
	}
	p.counter("rmqproxy_connections_slow_total", "Client connections that ended because the client did not read for writeTimeoutMillis.", c.SlowPeers.Load())
}

func (p *page) h2(c *h2.Counters) {
	p.counter("rmqproxy_h2_connection_errors_total", "Connections that ended with a GOAWAY that has an error.", c.ConnErrors.Load())
	p.counter("rmqproxy_h2_connections_idle_total", "Connections that were sent away after grpcClientIdleTimeMills without a call.", c.ConnsIdle.Load())
	p.counter("rmqproxy_h2_streams_opened_total", "Calls that were begun.", c.StreamsOpened.Load())
	p.counter("rmqproxy_h2_streams_canceled_total", "Calls that ended before they were answered in full.", c.StreamsCanceled.Load())
	p.counter("rmqproxy_h2_resets_received_total", "RST_STREAM frames of clients.", c.ResetsReceived.Load())
	p.counter("rmqproxy_h2_resets_sent_total", "RST_STREAM frames to clients.", c.ResetsSent.Load())
	const violation = "rmqproxy_h2_violation_total"
	p.family(violation, "counter", "What used up a part of an allowance, or met a limit, by kind; server/docs/limits.md has the limits.")
	for v := range h2.Violation(h2.Violations) {
		p.labelled(violation, "kind", v.String(), int64(c.Violations[v].Load()))
	}
}

func (p *page) held(s *Sources) {
	p.gauge("rmqproxy_requests_held_bytes", "Bytes of requests that are not complete.", int64(s.Requests.Used()))
	p.gauge("rmqproxy_sends_held_bytes", "Bytes of sends that wait for a broker, 4 KiB for each included.", int64(s.Sends.Used()))
	p.counter("rmqproxy_sends_refused_total", "Sends beyond inflightBytesMax.", s.Sends.Refused())
	p.gauge("rmqproxy_long_polls_open", "Receives and pulls that wait now.", int64(s.Polls.Used()))
	p.counter("rmqproxy_long_polls_refused_total", "Receives and pulls beyond longPollsMax.", s.Polls.Refused())
}

func (p *page) memory(m *pool.Pressure) {
	used, limit := m.Bytes()
	p.gauge("rmqproxy_memory_used_bytes", "Memory in use, as it is held against GOMEMLIMIT; 0 without one.", used)
	p.gauge("rmqproxy_memory_limit_bytes", "GOMEMLIMIT; 0 without one.", limit)
	p.gauge("rmqproxy_memory_level", "What is not taken for want of memory: 0 nothing, 1 long polls, 2 calls, 3 connections.", int64(m.Level()))
	p.counter("rmqproxy_memory_long_polls_refused_total", "Receives and pulls that were refused for want of memory.", m.Refused(pool.NoPolls))
	p.counter("rmqproxy_memory_calls_refused_total", "Calls that were refused for want of memory.", m.Refused(pool.NoCalls))
}

func (p *page) remoting(c *remoting.Counters) {
	count := func(name, help string, n int64) {
		p.counter("rmqproxy_remoting_"+name+"_total", help, uint64(n))
	}
	count("calls", "Calls that were put on a connection to a broker or name server, oneways among them.", c.Calls.Load())
	count("oneways", "Those of the calls that expect no answer.", c.Oneways.Load())
	count("answers", "Answers that ended a call.", c.Answers.Load())
	count("timeouts", "Calls that ended by their deadline.", c.Timeouts.Load())
	count("lapses", "Calls that ended by a deadline that says nothing of the peer.", c.Lapses.Load())
	count("refused", "Calls that a limit ended: in flight, outbox, queue, encoding.", c.Refused.Load())
	count("lost", "Calls that ended with their connection or with a failed dial.", c.Lost.Load())
	count("resent", "Calls that were sent a second time, after a GO_AWAY.", c.Resent.Load())
	count("goaways", "Answers with the code GO_AWAY.", c.GoAways.Load())
	count("unclaimed", "Answers that nobody waited for.", c.Unclaimed.Load())
	count("requests", "Requests of brokers and name servers.", c.Requests.Load())
	count("requests_ignored", "Those of the requests that nobody handles.", c.RequestsIgnored.Load())
	count("bad_frames", "Frames that ended their connection.", c.FramesBad.Load())
	count("received_bytes", "Bytes from brokers and name servers.", c.BytesIn.Load())
	count("sent_bytes", "Bytes to brokers and name servers.", c.BytesOut.Load())
	p.gauge("rmqproxy_remoting_inflight", "Calls that wait for an answer now.", c.Inflight.Load())
	count("dials", "Connections that were asked for.", c.Dials.Load())
	count("dial_failures", "Dials that failed or took too long.", c.DialFails.Load())
	count("connects", "Connections that came up.", c.Connects.Load())
	count("losses", "Connections that ended and were wanted.", c.Losses.Load())
	count("silences", "Connections that were given up because the peer owed answers and was silent.", c.Silences.Load())
}
