// Package nsdomain asks an HTTP server which name servers there are, again and again (Remoting
// specification 5.2). The answer is a line of text, as namesrvAddr would have it; what it means is
// for others to know.
package nsdomain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Config is whom to ask, and who hears of it.
type Config struct {
	Domain   string // host or host:port of the HTTP server; the port is 8080 where there is none
	Subgroup string // the last part of the path

	// Found hears of a list, once each time it changes.
	Found func(list string)
	// Failed hears, with an error, that no list could be had, and with nil that one can again:
	// once each time. What was found before is still good.
	Failed func(err error)

	// Again is the pause after the first question and after one that failed, Every the pause after
	// all others. The reference's 10 s and 2 min where they are 0.
	Again, Every time.Duration
}

// The reference's bounds.
const (
	portDefault    = "8080"
	timeout        = 3 * time.Second
	againDefault   = 10 * time.Second
	everyDefault   = 2 * time.Minute
	answerBytesMax = 64 << 10
)

// URL is what is asked of a domain. The Java proxy leaves a blank subgroup blank.
func URL(domain, subgroup string) string {
	if _, _, err := net.SplitHostPort(domain); err != nil {
		domain = net.JoinHostPort(strings.Trim(domain, "[]"), portDefault)
	}
	return "http://" + domain + "/rocketmq/" + subgroup
}

// Watch goes on asking until it is closed.
type Watch struct {
	config  Config
	url     string
	client  http.Client
	stop    context.CancelFunc
	stopped sync.WaitGroup

	// the asking goroutine's
	list   string
	failed bool
}

// Start asks once, which takes 3 s at most, and goes on behind the scenes.
func Start(config Config) *Watch {
	if config.Again <= 0 {
		config.Again = againDefault
	}
	if config.Every <= 0 {
		config.Every = everyDefault
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &Watch{
		config: config, url: URL(config.Domain, config.Subgroup), stop: stop,
		// A connection every two minutes is not worth keeping; and the Java proxy looks at no
		// HTTP_PROXY either.
		client: http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	w.ask(ctx)
	w.stopped.Go(func() { w.run(ctx) })
	return w
}

// Close ends the asking; nobody hears of anything afterwards.
func (w *Watch) Close() {
	w.stop()
	w.stopped.Wait()
}

func (w *Watch) run(ctx context.Context) {
	pause := time.NewTimer(w.config.Again)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		w.ask(ctx)
		next := w.config.Every
		if w.failed {
			next = w.config.Again
		}
		pause.Reset(next)
	}
}

func (w *Watch) ask(ctx context.Context) {
	list, err := w.fetch(ctx)
	if ctx.Err() != nil {
		return
	}
	if failed := err != nil; failed != w.failed {
		w.failed = failed
		w.config.Failed(err)
	}
	if err == nil && list != w.list {
		w.list = list
		w.config.Found(list)
	}
}

func (w *Watch) fetch(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, http.NoBody)
	if err != nil {
		return "", err
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", w.url, answer.Status)
	}
	line, err := bufio.NewReader(io.LimitReader(answer.Body, answerBytesMax)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("%s answered nothing", w.url)
	}
	return line, nil
}
