package differential

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// callPatience bounds a call of which a row says nothing else, and is what the proxy is told.
const callPatience = 15 * time.Second

// run is a row on its way through one side.
type run struct {
	side *Side
	conn *grpc.ClientConn
	row  *Row
	ctx  context.Context
	now  time.Time // the row's beginning, the same on every side

	vars   map[string]string
	times  map[int64]string // the names of times that requests spoke of, by their milliseconds
	client string           // the name of the client who speaks
	stream grpc.ClientStream

	step       int
	transcript Transcript
}

// Run takes a row through a side. now is the row's beginning. An error is the row's own failure: it
// says nothing about the proxy, and compares with nothing.
func (row *Row) Run(ctx context.Context, side *Side, now time.Time) (Transcript, error) {
	// A connection of its own, which takes the telemetry streams along: clients do not reset them.
	conn, err := grpc.NewClient("passthrough:///"+side.Endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	r := &run{
		side: side, conn: conn, row: row, ctx: ctx, now: noWholeSecond(now), client: "client",
		vars: map[string]string{"broker": side.Broker}, times: map[int64]string{},
	}
	for i, step := range row.Steps {
		r.step = i + 1
		if err := step.take(r); err != nil {
			return nil, fmt.Errorf("%s, step %d: %w", side.Name, r.step, err)
		}
	}
	return r.transcript, nil
}

// variable is what a placeholder stands for. Names of topics, groups and clients are made when they
// are first asked for.
func (r *run) variable(name string) (string, error) {
	if value, known := r.vars[name]; known {
		return value, nil
	}
	value, err := r.make(name)
	if err == nil {
		r.vars[name] = value
	}
	return value, err
}

func (r *run) make(name string) (string, error) {
	switch name {
	case "own":
		return r.own()
	case "group":
		return r.group()
	case "missing", "othergroup", "client", "other": // names that nothing is made for
		return freshName(), nil
	}
	if strings.HasPrefix(name, "message") { // of message1, message2 and so on
		return "01" + freshName(), nil
	}
	if due, is := strings.CutPrefix(name, "recall at "); is { // a handle of nothing that was sent
		return base64.URLEncoding.EncodeToString([]byte("v1 t " + r.side.Broker + " " + due + " x")), nil
	}
	if sharedTopics[name] == "" {
		return "", fmt.Errorf("there is no variable %q", name)
	}
	return r.side.shared(r.ctx, name)
}

// own is a topic of one queue, so that offsets say the same on every side.
func (r *run) own() (string, error) {
	kind := r.row.Own
	if kind == "" {
		kind = "NORMAL"
	}
	name := freshName()
	return name, r.side.MakeTopic(r.ctx, name, kind, 1)
}

// group is one that nobody made, unless the row says how it is to be.
func (r *run) group() (string, error) {
	name := freshName()
	if r.row.Group == nil {
		return name, nil
	}
	settings := *r.row.Group
	var err error
	if settings.LiteOf, err = r.fillText(settings.LiteOf); err != nil {
		return "", err
	}
	return name, r.side.MakeGroup(r.ctx, name, settings)
}

// noWholeSecond is now in milliseconds, and in none that a recall handle's rounded time could meet.
func noWholeSecond(now time.Time) time.Time {
	now = now.Truncate(time.Millisecond)
	if now.Equal(now.Truncate(time.Second)) {
		now = now.Add(time.Millisecond)
	}
	return now
}

// freshName is a name that nothing has, and that cannot be met by chance in a longer text.
func freshName() string { return "D" + strconv.FormatUint(rand.Uint64()|1<<63, 36) }
