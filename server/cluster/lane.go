package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/turn"
)

// Machine is what a dialled socket runs; server/link has the same contract.
type Machine interface {
	Feed(now time.Time, in *pool.Chain) error
	Drain(out *pool.Chain)
	Tick(now time.Time)
	Due() time.Time
	Done() bool
	Close(cause error)
}

// Socket is a connected socket.
type Socket interface {
	// EndTurn drains the machine into the socket, on the lane's turn.
	EndTurn(now time.Time)
	// Close ends the socket from any goroutine.
	Close(cause error)
}

// Dialer connects to addr (host:port) and runs m on t with what arrives. It may block for up
// to timeout.
type Dialer func(addr string, timeout time.Duration, t *turn.Turn, m Machine) (Socket, error)

// lane joins a remoting.Lane, which holds no socket, with a turn, which outlives its sockets.
type lane struct {
	cluster *Cluster
	peer    *peer
	turn    *turn.Turn
	line    *remoting.Lane

	// the turn's
	attempt *attempt // the dial under way or the connection that came of it
	socket  Socket   // of attempt, once connected
}

func newLane(c *Cluster, p *peer, kind laneKind) *lane {
	l := &lane{cluster: c, peer: p}
	l.turn = turn.New(l)
	conn := remoting.Config{Addr: p.addr, Limits: c.config.Lanes, Counters: c.counters}
	if kind == clientLane {
		conn.OnRequest = func(head *command.Head, body *pool.Chain) { c.requested(l, head, body) }
	}
	l.line = remoting.NewLane(remoting.LaneConfig{
		Conn:   conn,
		Dial:   l.dial,
		Hangup: l.hangup,
		Rand:   newRand(),
	})
	return l
}

// attempt is one dial and the connection that comes of it. It is the machine that the socket
// knows; once the lane has hung up, it is nobody's.
type attempt struct{ lane *lane }

func (a *attempt) current() bool { return a.lane.attempt == a }

// Feed implements Machine.
func (a *attempt) Feed(now time.Time, in *pool.Chain) error {
	if !a.current() {
		in.Release()
		return nil
	}
	return a.lane.line.Feed(now, in)
}

// Drain implements Machine.
func (a *attempt) Drain(out *pool.Chain) {
	if a.current() {
		a.lane.line.Drain(out)
	}
}

// Tick implements Machine; the time of a lane is told to the lane itself.
func (a *attempt) Tick(time.Time) {}

// Due implements Machine.
func (a *attempt) Due() time.Time { return time.Time{} }

// Done implements Machine: it is the lane that hangs up.
func (a *attempt) Done() bool { return false }

// Close implements Machine.
func (a *attempt) Close(cause error) {
	if !a.current() {
		return
	}
	a.lane.attempt, a.lane.socket = nil, nil
	a.lane.cluster.report("connection lost", a.lane.line.Addr(), cause)
	a.lane.line.Close(cause)
}

// dial is the lane's wish for a connection.
func (l *lane) dial() {
	a := &attempt{lane: l}
	l.attempt, l.socket = a, nil
	addr, config := l.line.Addr(), l.cluster.config
	go func() {
		timeout := config.Lanes.ConnectTimeout
		if timeout <= 0 {
			timeout = remoting.DefaultLimits().ConnectTimeout
		}
		socket, err := config.Dial(addr, timeout, l.turn, a)
		l.turn.Post(&dialled{attempt: a, socket: socket, err: err})
	}()
}

// dialled is the event of a dial that has ended.
type dialled struct {
	attempt *attempt
	socket  Socket
	err     error
}

// OnTurn tells the lane, unless it has hung up meanwhile.
func (d *dialled) OnTurn(now time.Time) {
	l := d.attempt.lane
	switch {
	case d.err != nil && d.attempt.current():
		l.attempt = nil
		if !l.cluster.isNameServer(l.line.Addr()) { // of those the question reports
			l.cluster.report("connect failed", l.line.Addr(), d.err)
		}
		l.line.DialFailed(now, d.err)
	case d.err != nil:
	case !d.attempt.current():
		d.socket.Close(remoting.ErrEnded)
	default:
		l.socket = d.socket
		l.line.Connected(now)
	}
}

func (l *lane) hangup() {
	socket := l.socket
	l.attempt, l.socket = nil, nil
	if socket != nil {
		socket.Close(remoting.ErrEnded)
	}
}

// EndTurn implements turn.Owner.
func (l *lane) EndTurn(now time.Time) {
	if l.socket != nil {
		l.socket.EndTurn(now)
	}
}

// Tick implements turn.Owner.
func (l *lane) Tick(now time.Time) { l.line.Tick(now) }

// Due implements turn.Owner.
func (l *lane) Due() time.Time { return l.line.Due() }

// ending is the event that ends a lane.
type ending struct {
	lane  *lane
	cause error
}

// OnTurn ends the lane.
func (e *ending) OnTurn(time.Time) {
	e.lane.line.End(e.cause)
	e.lane.turn.Stop()
}
