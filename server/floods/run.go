package floods

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// Call is a unary call that the victim answers.
type Call struct {
	Path    string // :path
	Request []byte // the message, without its prefix
}

// Attack is one flood.
type Attack struct {
	Name string
	CVE  string // or another name it goes by

	Bare  bool                       // the client does not say hello
	Begin func(c Call) []byte        // after the hello; nil: nothing
	Piece func(c Call, i int) []byte // the ith of what follows; nil: nothing
	Every time.Duration              // from one piece to the next; 0: as fast as the server takes them
	Max   int                        // pieces of one attack; 0: 20,000

	Within int             // pieces after which a server should have had enough
	By     time.Duration   // or, where that counts, the time
	Codes  []http2.ErrCode // what its GOAWAY should say
}

// piecesMax is how many pieces are sent to a server that does not mind.
const piecesMax = 20_000

func (a *Attack) max() int {
	switch {
	case a.Piece == nil:
		return 0
	case a.Max > 0:
		return a.Max
	case a.Every > 0:
		return int(a.By/a.Every) + 1
	}
	return piecesMax
}

// Slow tells whether it takes seconds even where it is thrown out.
func (a *Attack) Slow() bool { return a.By > 0 }

// Outcome is what came of an attack.
type Outcome struct {
	Pieces int           // sent until the end of the connection was noticed
	After  time.Duration // from connecting to that end
	Closed bool          // the server ended the connection
	GoAway bool          // with a GOAWAY of this code
	Code   http2.ErrCode

	Resets, Acks int // RST_STREAM, and acknowledgments of PING and SETTINGS, of the server
}

// String is a few words for a table.
func (o *Outcome) String() string {
	end := "stays open"
	switch {
	case o.GoAway:
		end = fmt.Sprintf("GOAWAY %d (%s)", o.Code, strings.ReplaceAll(o.Code.String(), "_", " "))
	case o.Closed:
		end = "closed"
	}
	var also []string
	if o.Resets > 0 {
		also = append(also, fmt.Sprintf("%d RST_STREAM", o.Resets))
	}
	if o.Acks > 2 {
		also = append(also, fmt.Sprintf("%d acknowledged", o.Acks))
	}
	if len(also) > 0 && !o.Closed {
		end += ", " + strings.Join(also, ", ")
	}
	return end
}

// ThrownOut tells whether the server ended it with a code that says why.
func (a *Attack) ThrownOut(o *Outcome) bool {
	return o.Closed && (o.GoAway && slices.Contains(a.Codes, o.Code) || !o.GoAway && slices.Contains(a.Codes, http2.ErrCodeNo))
}

// batchPieces are written together; between two batches the server gets time to say something.
const (
	batchPieces = 10
	batchPause  = 200 * time.Microsecond
)

// settle is how long a server has, when all is sent, to end the connection.
const settle = 2 * time.Second

// Run plays the attack once, on a connection of its own that dial makes.
func (a *Attack) Run(dial func() (net.Conn, error), call Call) (*Outcome, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	begun := time.Now()
	_ = conn.SetDeadline(begun.Add(a.By + 60*time.Second))
	w := &watcher{conn: conn, over: make(chan struct{})}
	go w.watch()
	sent := a.send(conn, w.over, call)
	pause := time.NewTimer(max(settle, time.Until(begun.Add(a.By+settle))))
	defer pause.Stop()
	select {
	case <-w.over:
	case <-pause.C:
	}
	after := time.Since(begun)
	_ = conn.Close()
	<-w.over
	o := w.outcome
	o.Pieces, o.After = sent, after
	return &o, nil
}

// send sends until the connection ends.
func (a *Attack) send(conn net.Conn, over <-chan struct{}, call Call) (pieces int) {
	var b []byte
	if !a.Bare {
		b = hello()
	}
	if a.Begin != nil {
		b = append(b, a.Begin(call)...)
	}
	for i := range a.max() {
		b = append(b, a.Piece(call, i)...)
		if a.Every == 0 && (i+1)%batchPieces != 0 && i+1 != a.Within {
			continue
		}
		if _, err := conn.Write(b); err != nil {
			return i
		}
		b = b[:0]
		select {
		case <-over:
			return i + 1
		case <-time.After(max(a.Every, batchPause)):
		}
	}
	if len(b) > 0 {
		_, _ = conn.Write(b) // the watcher sees what comes of it
	}
	return a.max()
}

// watcher reads what the server says until the connection ends; its outcome is to be read then.
type watcher struct {
	conn    net.Conn
	over    chan struct{}
	outcome Outcome
}

func (w *watcher) watch() {
	defer close(w.over)
	var head [9]byte
	payload := make([]byte, 1<<14)
	for {
		if _, err := io.ReadFull(w.conn, head[:]); err != nil {
			w.end(err)
			return
		}
		n := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
		if n > len(payload) {
			payload = make([]byte, n)
		}
		if _, err := io.ReadFull(w.conn, payload[:n]); err != nil {
			w.end(err)
			return
		}
		w.hear(http2.FrameType(head[3]), http2.Flags(head[4]), payload[:n])
	}
}

// end tells by the error of a read whether it was the server that ended the connection.
func (w *watcher) end(err error) {
	w.outcome.Closed = !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded)
}

func (w *watcher) hear(kind http2.FrameType, flags http2.Flags, payload []byte) {
	o := &w.outcome
	const goAwayBytes = 8
	switch {
	case kind == http2.FrameGoAway && len(payload) >= goAwayBytes:
		o.GoAway, o.Code = true, http2.ErrCode(binary.BigEndian.Uint32(payload[4:]))
	case kind == http2.FrameRSTStream:
		o.Resets++
	case (kind == http2.FramePing || kind == http2.FrameSettings) && flags.Has(http2.FlagPingAck):
		o.Acks++
	}
}
