package floods

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Neighbour is an honest client of the victim: one call at a time on one connection of the standard
// library's HTTP/2.
type Neighbour struct {
	http *http.Client
	url  string
	call Call
}

// answerMax is how long a neighbour waits for an answer.
const answerMax = 10 * time.Second

// NewNeighbour returns a neighbour that has not connected yet.
func NewNeighbour(addr string, secure bool, call Call) *Neighbour {
	client, url := HTTPClient(addr, secure)
	client.Timeout = answerMax
	return &Neighbour{http: client, url: url + call.Path, call: call}
}

// HTTPClient is a client that speaks HTTP/2 with addr, whoever that is, and the URL without a path.
func HTTPClient(addr string, secure bool) (client *http.Client, url string) {
	anybody := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // who it is does not matter here
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: anybody}
	transport.Protocols.SetHTTP2(secure)
	transport.Protocols.SetUnencryptedHTTP2(!secure)
	if secure {
		return &http.Client{Transport: transport}, "https://" + addr
	}
	return &http.Client{Transport: transport}, "http://" + addr
}

// Close ends its connection.
func (n *Neighbour) Close() { n.http.CloseIdleConnections() }

// pause is from an answer to the next call: a neighbour that never rests would measure itself.
const pause = 500 * time.Microsecond

// CallUntil calls until ctx is over, and returns how long each answer took, the quickest first.
func (n *Neighbour) CallUntil(ctx context.Context) ([]time.Duration, error) {
	var took []time.Duration
	for ctx.Err() == nil {
		begun := time.Now()
		if err := n.Call(); err != nil {
			return took, err
		}
		took = append(took, time.Since(begun))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	slices.Sort(took)
	return took, nil
}

// CallFor is CallUntil d has passed.
func (n *Neighbour) CallFor(d time.Duration) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return n.CallUntil(ctx)
}

// Call makes one call, whose gRPC status must be OK.
func (n *Neighbour) Call() error {
	post, err := http.NewRequest(http.MethodPost, n.url, bytes.NewReader(n.call.message()))
	if err != nil {
		return err
	}
	post.Header.Set("Content-Type", "application/grpc")
	post.Header.Set("TE", "trailers")
	post.Header.Set("X-Mq-Client-Id", "neighbour")
	post.Header.Set("X-Mq-Language", "GO")
	post.Header.Set("X-Mq-Client-Version", "5.0.5")
	answer, err := n.http.Do(post)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if status := answer.Trailer.Get("Grpc-Status"); status != "0" {
		return fmt.Errorf("grpc-status %q, %v %v", status, answer.Header, answer.Trailer)
	}
	return nil
}

// Quantile of latencies in order; p is 0.99 for the 99th percentile.
func Quantile(took []time.Duration, p float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	return took[min(int(p*float64(len(took))), len(took)-1)]
}

// comeAgain is how soon the next attacker of a siege comes when one was thrown out.
const comeAgain = 20 * time.Millisecond

// Siege plays an attack again and again, from one connection after the other, for as long as d, while n
// calls.
func (a *Attack) Siege(d time.Duration, n *Neighbour, once func() (*Outcome, error)) (first *Outcome, plays int, took []time.Duration, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	type calls struct {
		took []time.Duration
		err  error
	}
	called := make(chan calls, 1)
	go func() {
		took, err := n.CallUntil(ctx)
		called <- calls{took, err}
	}()
	for begun := time.Now(); plays == 0 || time.Since(begun) < d; plays++ {
		outcome, failed := once()
		if failed != nil {
			err = failed
			break
		}
		if first == nil {
			first = outcome
		}
		time.Sleep(comeAgain)
	}
	cancel()
	c := <-called
	return first, plays, c.took, errors.Join(err, c.err)
}
