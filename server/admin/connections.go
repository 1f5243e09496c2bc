package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Connections are those of clients. Its methods may be called from any goroutine.
type Connections interface {
	// Live are the ids of those that live now, in any order. An id is never used twice, and a later
	// connection has a higher one.
	Live() []uint64
	// Look tells how those with the ids stand, in their order. It leaves out those that have ended
	// meanwhile, and is back when all have answered or ctx is over.
	Look(ctx context.Context, ids []uint64) []Connection
	// Totals are of all connections.
	Totals() Totals
}

// Connection is how one connection stands. server/docs/connections.md tells people what the fields mean.
type Connection struct {
	ID         uint64    `json:"id"`
	State      State     `json:"state"`
	Remote     string    `json:"remote"`              // host:port of the client
	Local      string    `json:"local"`               // host:port that it dialled
	Relay      string    `json:"relay,omitempty"`     // host:port of the load balancer that it is behind
	RelaySaid  string    `json:"relaySaid,omitempty"` // what else that said
	Since      time.Time `json:"since"`               // it was accepted
	AgeSeconds float64   `json:"ageSeconds"`
	TLS        *TLS      `json:"tls,omitempty"`    // nil: cleartext
	Socket     *Socket   `json:"socket,omitempty"` // nil: it has just been closed
	*Activity            // nil: busy
}

// State says what can be expected of a connection.
type State string

// The states.
const (
	Open    State = "open"
	Leaving State = "leaving" // GOAWAY was sent
	Busy    State = "busy"    // it did not answer in time
)

// Activity is what a connection itself says.
type Activity struct {
	LastHeard   time.Time `json:"lastHeard"`
	CallsOpen   int       `json:"callsOpen"`
	CallsBegun  int       `json:"callsBegun"`
	UnsentBytes int       `json:"unsentBytes"` // of answers, behind the client's HTTP/2 windows
	ClientIDs   []string  `json:"clientIds"`   // not nil
}

// TLS is what was agreed on in the handshake.
type TLS struct {
	Version     string `json:"version"`
	Cipher      string `json:"cipher"`
	Curve       string `json:"curve"`
	ALPN        string `json:"alpn"` // "": the client offered none
	Resumed     bool   `json:"resumed"`
	Certificate string `json:"certificate,omitempty"` // the subject of the client's, verified
}

// Socket is what the kernel says.
type Socket struct {
	ReceivedBytes   uint64 `json:"receivedBytes"`
	SentBytes       uint64 `json:"sentBytes"`
	ResentBytes     uint64 `json:"resentBytes"`
	UnsentBytes     uint32 `json:"unsentBytes"`
	RoundTripMicros int64  `json:"roundTripMicros"`
}

// Totals are of the whole process.
type Totals struct {
	Live       int    `json:"live"`     // in the list, on all pages together
	Opening    int64  `json:"opening"`  // not in it yet: their protocol is not known, or TLS is in its handshake
	Accepted   uint64 `json:"accepted"` // since the start
	Refused    uint64 `json:"refused"`  // of them
	CallsBegun uint64 `json:"callsBegun"`
}

// connectionsPage is the answer.
type connectionsPage struct {
	Connections []Connection `json:"connections"`
	End         bool         `json:"end"`            // there are no later ones
	Next        uint64       `json:"next,omitempty"` // else, where the next page starts
	Totals      Totals       `json:"totals"`
}

// How many connections a page has: where nobody says, and at most.
const (
	pageUsual = 100
	pageMax   = 1000
)

// answerTime is how long connections have to answer.
const answerTime = time.Second

// connections serves one page. Its parameters are those of channelz' GetServerSockets
// (github.com/grpc/grpc-proto, grpc/channelz/v1/channelz.proto: start_socket_id, max_results).
func connections(from Connections) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start, most, err := pageAsked(r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		page := connectionsPage{Connections: []Connection{}, Totals: from.Totals()}
		ids, next := cutPage(from.Live(), start, most)
		page.End, page.Next = next == 0, next
		page.Connections = append(page.Connections, from.Look(ctx, ids)...)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(page)
	}
}

// pageAsked reads the parameters.
func pageAsked(query string) (start uint64, most int, err error) {
	given, err := url.ParseQuery(query)
	if err != nil {
		return 0, 0, err
	}
	most = pageUsual
	for name, values := range given {
		value := values[len(values)-1]
		switch name {
		case "start":
			if start, err = strconv.ParseUint(value, 10, 64); err != nil {
				return 0, 0, fmt.Errorf("start is %q: expected the id of a connection, a whole number of 0 or more", value)
			}
		case "max":
			if most, err = strconv.Atoi(value); err != nil || most < 1 || most > pageMax {
				return 0, 0, fmt.Errorf("max is %q: expected a whole number from 1 to %d", value, pageMax)
			}
		default:
			return 0, 0, fmt.Errorf("%q is no parameter of this page: start=ID and max=N are", name)
		}
	}
	return start, most, nil
}

// cutPage is the first ids from start on, in order, and the one behind them: 0 when there is none.
func cutPage(live []uint64, start uint64, most int) (ids []uint64, next uint64) {
	slices.Sort(live)
	first, _ := slices.BinarySearch(live, start)
	ids = live[first:]
	if len(ids) > most {
		return ids[:most], ids[most]
	}
	return ids, 0
}
