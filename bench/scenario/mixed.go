package scenario

import "rocketmq-proxy/bench/load"

// mixed is applications that live together: of two connections one sends, the other receives and
// acknowledges. A message is what either of them counts.
type mixed struct {
	load.Scenario
	kinds []string
	first int // of the connection's own kinds
}

func newMixed(p Params, conn, workers int) *mixed {
	sends, receives := newSend(p, conn, workers), newReceiveAck(p, workers)
	m := &mixed{Scenario: sends, kinds: append(sends.Kinds(), receives.Kinds()...)}
	if conn%2 == 1 {
		m.Scenario, m.first = receives, len(sends.Kinds())
	}
	return m
}

func (m *mixed) Kinds() []string { return m.kinds }

func (m *mixed) Setup(r *load.Request) bool {
	ok := m.Scenario.Setup(r)
	r.Kind += m.first
	return ok
}

func (m *mixed) Begin(w int, r *load.Request) {
	m.Scenario.Begin(w, r)
	r.Kind += m.first
}

func (m *mixed) Message(w, kind int, message load.Message) error {
	return m.Scenario.Message(w, kind-m.first, message)
}

func (m *mixed) End(w, kind int, r *load.Request) (messages int, more bool, err error) {
	messages, more, err = m.Scenario.End(w, kind-m.first, r)
	if more {
		r.Kind += m.first
	}
	return messages, more, err
}
