package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// crowd is connections with these ids. The one whose id is silent never answers.
type crowd struct {
	ids    []uint64
	silent uint64
}

func (c *crowd) Live() []uint64 { return slices.Clone(c.ids) }
func (c *crowd) Totals() Totals { return Totals{Live: len(c.ids), Accepted: 70, Refused: 2} }
func (c *crowd) Look(ctx context.Context, ids []uint64) (all []Connection) {
	for _, id := range ids {
		one := Connection{ID: id, State: Open, Activity: &Activity{CallsOpen: 3}}
		if id == c.silent {
			<-ctx.Done()
			one = Connection{ID: id, State: Busy}
		}
		all = append(all, one)
	}
	return all
}

// some is n ids, none of which is in its place, and some between them are missing.
func some(n int) (ids []uint64) {
	for i := range n {
		ids = append(ids, uint64(3*(n-i)))
	}
	return ids
}

func connectionsOf(t *testing.T, c Connections) *Server {
	t.Helper()
	from := sources()
	from.Connections = c
	s, err := Listen("127.0.0.1:0", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (p *connectionsPage) ids() (all []uint64) {
	for _, c := range p.Connections {
		all = append(all, c.ID)
	}
	return all
}

func getPage(t *testing.T, s *Server, query string) (page connectionsPage) {
	t.Helper()
	code, body := get(t, s, "/debug/connections"+query)
	if code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, code, body)
	}
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatalf("%s: %v: %s", query, err, body)
	}
	return page
}

// TestConnectionsPages: whoever follows next sees each connection once, in order.
func TestConnectionsPages(t *testing.T) {
	s := connectionsOf(t, &crowd{ids: some(10)})
	for _, test := range []struct {
		query string
		want  []uint64
		next  uint64
	}{
		{"", []uint64{3, 6, 9, 12, 15, 18, 21, 24, 27, 30}, 0},
		{"?max=4", []uint64{3, 6, 9, 12}, 15},
		{"?start=15&max=4", []uint64{15, 18, 21, 24}, 27},
		{"?start=27&max=4", []uint64{27, 30}, 0},
		{"?start=4&max=1", []uint64{6}, 9},                   // 4 has ended
		{"?start=18&max=5", []uint64{18, 21, 24, 27, 30}, 0}, // exactly all that are left
		{"?start=31", nil, 0},
		{"?start=18446744073709551615", nil, 0},
		{"?start=0&max=1000", []uint64{3, 6, 9, 12, 15, 18, 21, 24, 27, 30}, 0},
	} {
		page := getPage(t, s, test.query)
		if !slices.Equal(page.ids(), test.want) || page.Next != test.next || page.End != (test.next == 0) {
			t.Errorf("%s: %v, next %d, end %v; want %v, next %d", test.query, page.ids(), page.Next, page.End, test.want, test.next)
		}
		if want := (Totals{Live: 10, Accepted: 70, Refused: 2}); page.Totals != want {
			t.Errorf("%s: %+v, want %+v", test.query, page.Totals, want)
		}
	}
}

// TestConnectionsPageSizes: nobody gets more than was asked for, nor megabytes without asking.
func TestConnectionsPageSizes(t *testing.T) {
	s := connectionsOf(t, &crowd{ids: some(20_000)})
	for query, want := range map[string]int{"": pageUsual, "?max=1": 1, "?max=1000": pageMax} {
		if page := getPage(t, s, query); len(page.Connections) != want || page.End {
			t.Errorf("%s: %d connections, end %v", query, len(page.Connections), page.End)
		}
	}
}

// TestConnectionsEmpty: a list of none is a list all the same.
func TestConnectionsEmpty(t *testing.T) {
	s := connectionsOf(t, &crowd{})
	if _, body := get(t, s, "/debug/connections"); !strings.HasPrefix(string(body), `{"connections":[],"end":true,"totals":`) {
		t.Errorf("%s", body)
	}
}

// TestConnectionsBusy: one that does not answer holds the page up for a second, and is on it without
// what only it knows.
func TestConnectionsBusy(t *testing.T) {
	s := connectionsOf(t, &crowd{ids: []uint64{1, 2, 3}, silent: 2})
	begun := time.Now()
	_, body := get(t, s, "/debug/connections")
	if took := time.Since(begun); took < answerTime {
		t.Errorf("answered after %v", took)
	}
	var page struct{ Connections []map[string]any }
	if err := json.Unmarshal(body, &page); err != nil || len(page.Connections) != 3 {
		t.Fatalf("%v: %s", err, body)
	}
	for i, want := range []State{Open, Busy, Open} {
		_, says := page.Connections[i]["callsOpen"]
		if state := page.Connections[i]["state"]; state != string(want) || says != (want == Open) {
			t.Errorf("connection %d is %v, says its calls: %v", i+1, state, says)
		}
	}
}

// TestConnectionsBadParameters: what cannot be meant is refused, and the answer says what can.
func TestConnectionsBadParameters(t *testing.T) {
	s := connectionsOf(t, &crowd{ids: some(10)})
	for query, want := range map[string]string{
		"start=first":                `start is "first": expected the id of a connection, a whole number of 0 or more`,
		"start=-1":                   `start is "-1": expected the id`,
		"start=":                     `start is "": expected the id`,
		"start=18446744073709551616": "expected the id",
		"max=0":                      `max is "0": expected a whole number from 1 to 1000`,
		"max=1001":                   `max is "1001": expected a whole number from 1 to 1000`,
		"max=-5":                     "expected a whole number from 1 to 1000",
		"max=all":                    "expected a whole number from 1 to 1000",
		"start=1&max=x":              "expected a whole number from 1 to 1000",
		"page=2":                     `"page" is no parameter of this page: start=ID and max=N are`,
		"start=%zz":                  "invalid URL escape",
	} {
		code, body := get(t, s, "/debug/connections?"+query)
		if code != http.StatusBadRequest || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %q, want 400 with %q", query, code, body, want)
		}
	}
	response, err := http.PostForm("http://"+s.Addr()+"/debug/connections", url.Values{"max": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", response.StatusCode)
	}
}
