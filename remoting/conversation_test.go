package remoting

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
)

var update = flag.Bool("update", false, "write what happened into testdata")

// TestConversations plays testdata/*.txt. A file is a list of exchanges: lines that say what
// happens, "----", and lines that say what comes of it. The first line makes the machine:
//
//	conn [inflight=N] [outbox=N] [head=N] [deaf]
//	lane [queue=N] [backoff=DURATION]
//
// What happens:
//
//	call NAME [code=N] [timeout=DURATION] [body=N] [oneway] [lapses]
//	feed response|request opaque=N [code=N] [body=N] [remark=TEXT] [json] [oneway]
//	feed raw HEX
//	respond opaque=N [code=N] [body=N]
//	tick DURATION          the clock goes on and Tick runs
//	later DURATION         the clock goes on, and nobody ticks
//	close REASON           the link is gone
//	connected, dialfailed REASON, end REASON
//	status                 prints what the machine says about itself
//	drain                  what was sent so far counts as possibly delivered
//
// What comes of it: send (a frame for the peer, seen at a drain; each exchange ends with one
// unless it says "hold"), done, request, error, dial, hangup.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			checkNoLeak(t)
			playFile(t, file)
		})
	}
}

func playFile(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	longest := 0
	whole := play(string(text), func(n int) []int {
		longest = max(longest, n)
		return nil
	})
	if *update {
		if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := string(text)
	if *update {
		want = whole
	}
	compare(t, "whole", whole, want)
	compare(t, "byte by byte", play(want, bytewise), want)
	for cut := 1; cut < longest; cut++ {
		compare(t, fmt.Sprint("cut at ", cut), play(want, func(int) []int { return []int{cut} }), want)
	}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		compare(t, fmt.Sprint("pieces of seed ", seed), play(want, func(n int) []int {
			var pieces []int
			for sum := 0; sum < n; sum += pieces[len(pieces)-1] {
				pieces = append(pieces, 1+rng.IntN(40))
			}
			return pieces
		}), want)
	}
}

// bytewise cuts n bytes into n pieces.
func bytewise(n int) []int {
	pieces := make([]int, n)
	for i := range pieces {
		pieces[i] = 1
	}
	return pieces
}

func compare(t *testing.T, how, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s, line %d: got %q\n%s", how, i+1, g[i], got)
		}
	}
	t.Fatalf("%s: fewer lines than wanted\n%s", how, got)
}

// play runs a conversation and returns it with what came of it.
func play(text string, chop func(n int) []int) string {
	s := &stage{chop: chop, now: epoch}
	var result strings.Builder
	for i, exchange := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if i > 0 {
			result.WriteString("\n")
		}
		s.log, s.hold = nil, false
		does, _, _ := strings.Cut(exchange+"\n", "----\n")
		for line := range strings.Lines(does) {
			result.WriteString(line)
			s.does(strings.TrimSpace(line))
		}
		if !s.hold {
			s.drain()
		}
		result.WriteString("----\n")
		for _, line := range s.log {
			result.WriteString(line + "\n")
		}
	}
	s.strike()
	return result.String()
}

// stage is a machine with everything around it.
type stage struct {
	m    machine
	conn *Conn
	lane *Lane
	chop func(n int) []int
	now  time.Time
	log  []string
	hold bool
}

func (s *stage) say(format string, args ...any) { s.log = append(s.log, fmt.Sprintf(format, args...)) }

func (s *stage) strike() {
	if s.m == nil {
		return
	}
	s.m.Close(errors.New("over"))
	if s.lane != nil {
		s.lane.End(nil)
	}
	if n := s.m.Inflight(); n != 0 {
		panic(fmt.Sprint(n, " calls were never done"))
	}
}

func (s *stage) does(line string) {
	if line == "" || line[0] == '#' {
		return
	}
	words := strings.Fields(line)
	args := arguments(words[1:])
	rest := strings.Join(words[1:], " ")
	switch words[0] {
	case "conn":
		cfg := s.config(args)
		s.conn = NewConn(&cfg, s.now)
		s.m = s.conn
	case "lane":
		s.lane = NewLane(LaneConfig{
			Conn: s.config(args), Dial: func() { s.say("dial") }, Hangup: func() { s.say("hangup") },
		})
		s.m = s.lane
	case "call":
		s.call(words[1], args)
	case "feed":
		s.feed(words, args)
	case "respond":
		var body pool.Chain
		body.Write(make([]byte, args.number("body", 0)))
		s.conn.Respond(int32(args.number("opaque", 0)), int32(args.number("code", 0)), "", nil, &body)
		body.Release()
	case "tick":
		s.now = s.now.Add(duration(words[1]))
		s.m.Tick(s.now)
	case "later":
		s.now = s.now.Add(duration(words[1]))
	case "close":
		s.m.Close(errors.New(rest))
	case "connected":
		s.say("accepted %v", s.lane.Connected(s.now))
	case "dialfailed":
		s.lane.DialFailed(s.now, errors.New(rest))
	case "end":
		s.lane.End(errors.New(rest))
	case "status":
		s.status()
	case "drain":
		s.drain()
	case "hold":
		s.hold = true
	default:
		panic("no such line: " + line)
	}
}

func (s *stage) config(args argumentList) Config {
	cfg := Config{Addr: "broker:10911", Limits: Limits{
		InflightMax: args.number("inflight", 0), OutboxBytesMax: args.number("outbox", 0),
		HeadBytesMax: args.number("head", 0), QueueMax: args.number("queue", 0),
	}}
	if _, deaf := args["deaf"]; !deaf {
		cfg.OnRequest = func(head *command.Head, body *pool.Chain) {
			s.say("request code=%d opaque=%d%s body=%d", head.Code, head.Opaque, oneway(head), body.Len())
		}
	}
	return cfg
}

func oneway(head *command.Head) string {
	if head.IsOneway() {
		return " oneway"
	}
	return ""
}

func (s *stage) call(name string, args argumentList) {
	r := &testRequest{code: int32(args.number("code", 310)), body: make([]byte, args.number("body", 0))}
	r.Request = r
	if timeout := args["timeout"]; timeout != "" {
		r.Deadline = s.now.Add(duration(timeout))
	}
	_, r.Oneway = args["oneway"]
	_, r.Lapses = args["lapses"]
	r.onEnd = func(reply *Reply, err error) {
		var failed *CallError
		switch {
		case errors.As(err, &failed):
			s.say("done %s %v sent=%v: %v", name, failed.Kind, failed.Sent, err)
		case reply == nil:
			s.say("done %s oneway", name)
		default:
			s.say("done %s code=%d body=%d remark=%q", name, reply.Head.Code, reply.Body.Len(), reply.Head.Remark)
		}
	}
	s.m.Call(s.now, &r.Call)
}

func (s *stage) feed(words []string, args argumentList) {
	var frame []byte
	opaque, code := int32(args.number("opaque", 0)), int32(args.number("code", 0))
	body := make([]byte, args.number("body", 0))
	_, json := args["json"]
	switch {
	case words[1] == "raw":
		frame, _ = hex.DecodeString(words[2])
	case words[1] == "response" && json:
		frame = command.AppendResponse(nil, opaque, code, args["remark"], nil, len(body))
		frame = append(frame, body...)
	case words[1] == "response":
		frame = appendFrame(nil, code, opaque, command.FlagResponse, args["remark"], body)
	default:
		flag := int32(0)
		if _, oneway := args["oneway"]; oneway {
			flag = command.FlagOneway
		}
		frame = appendFrame(nil, code, opaque, flag, "", body)
	}
	if err := feed(s.m, s.now, frame, s.chop(len(frame))...); err != nil {
		s.say("error %v", err)
	}
}

func (s *stage) drain() {
	var head command.Head
	for b := drain(s.m); len(b) > 0; {
		headLen, bodyLen, kind, err := command.SplitFrame(b)
		if err != nil {
			panic(err)
		}
		if err := command.ParseHead(&head, kind, b[command.PrefixBytes:][:headLen]); err != nil {
			panic(err)
		}
		what := "send"
		if head.IsResponse() {
			what = "send response"
		}
		s.say("%s opaque=%d code=%d%s body=%d", what, head.Opaque, head.Code, oneway(&head), bodyLen)
		b = b[command.PrefixBytes+headLen+bodyLen:]
	}
}

func (s *stage) status() {
	due := "never"
	if d := s.m.Due(); !d.IsZero() {
		due = d.Sub(s.now).String()
	}
	if s.lane != nil {
		s.say("state=%s inflight=%d due=%s", s.lane.State(), s.lane.Inflight(), due)
		return
	}
	s.say("inflight=%d unsent=%d silence=%v due=%s unclaimed=%d", s.conn.Inflight(), s.conn.Unsent(),
		s.conn.Silence(s.now), due, s.conn.counters.Unclaimed.Load()+s.conn.unclaimedNew)
}

// argumentList is the key=value words of a line; a word without a value is there with "".
type argumentList map[string]string

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

func arguments(words []string) argumentList {
	args := argumentList{}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		args[key] = value
	}
	return args
}

func (a argumentList) number(key string, otherwise int) int {
	if a[key] == "" {
		return otherwise
	}
	n, err := strconv.Atoi(a[key])
	if err != nil {
		panic(err)
	}
	return n
}
