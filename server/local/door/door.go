// Package door is how a person reaches the catalog of a running proxy: a Unix socket in the
// store's directory, which nobody but the store's owner may open. [Open] serves a
// [catalog.Catalog] there, and [Dial] is a catalog.Catalog that asks through it.
//
// It has no password because the system keeps strangers out (mode 0600), and no business but
// the catalog's.
package door

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"rocketmq-proxy/server/local/catalog"
)

// Door is an open door.
type Door struct {
	dir    string
	server *http.Server
}

// Open serves c in dir until Close. Call it only while holding the store in dir: a socket that
// is there already is then left over from a process that fell, and is replaced.
func Open(dir string, c catalog.Catalog) (*Door, error) {
	listener, err := listen(dir)
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", Name, dir, err)
	}
	d := &Door{dir: dir, server: &http.Server{
		Handler: routes(c), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute,
	}}
	go func() { _ = d.server.Serve(listener) }()
	return d, nil
}

// listen makes the socket under another name, so that there is no moment at which it can be
// found and has the wrong mode.
func listen(dir string) (listener *net.UnixListener, err error) {
	const unready = Name + ".new"
	if err := os.Remove(filepath.Join(dir, unready)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	err = reach(dir, unready, func(path string) (err error) {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // it will have another name
	err = os.Chmod(filepath.Join(dir, unready), 0o600)
	if err == nil {
		err = os.Rename(filepath.Join(dir, unready), filepath.Join(dir, Name))
	}
	if err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// Close ends the calls that are in it and removes the socket.
func (d *Door) Close() {
	if d == nil {
		return
	}
	_ = os.Remove(filepath.Join(d.dir, Name))
	_ = d.server.Close()
}

func routes(c catalog.Catalog) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathTopics, func(w http.ResponseWriter, _ *http.Request) {
		topics, err := c.Topics()
		answer(w, topics, err)
	})
	mux.HandleFunc("GET "+pathTopics+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		topic, err := c.Topic(r.PathValue("name"))
		answer(w, topic, err)
	})
	mux.HandleFunc("PUT "+pathTopics, func(w http.ResponseWriter, r *http.Request) {
		put(w, r, c.CreateTopic)
	})
	mux.HandleFunc("DELETE "+pathTopics+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, c.DeleteTopic(r.PathValue("name")))
	})
	mux.HandleFunc("GET "+pathGroups, func(w http.ResponseWriter, _ *http.Request) {
		groups, err := c.Groups()
		answer(w, groups, err)
	})
	mux.HandleFunc("GET "+pathGroups+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		group, err := c.Group(r.PathValue("name"))
		answer(w, group, err)
	})
	mux.HandleFunc("GET "+pathGroups+"/{name}/members/{client}/threads", func(w http.ResponseWriter, r *http.Request) {
		text, err := c.Threads(r.PathValue("name"), r.PathValue("client"))
		answer(w, threads{text}, err)
	})
	mux.HandleFunc("PUT "+pathGroups, func(w http.ResponseWriter, r *http.Request) {
		put(w, r, c.CreateGroup)
	})
	mux.HandleFunc("DELETE "+pathGroups+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, c.DeleteGroup(r.PathValue("name")))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, nil, catalog.Errorf(catalog.Invalid, "this proxy does not know %s %s: is the command of another version?", r.Method, r.URL.Path))
	})
	return mux
}

func put[C any](w http.ResponseWriter, r *http.Request, create func(C) (catalog.Outcome, error)) {
	var change C
	if err := json.NewDecoder(io.LimitReader(r.Body, bodyBytesMax)).Decode(&change); err != nil {
		answer(w, nil, catalog.Errorf(catalog.Invalid, "the request is no JSON of its kind: %v", err))
		return
	}
	done, err := create(change)
	answer(w, outcome{done}, err)
}

func answer(w http.ResponseWriter, body any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		e := catalog.AsError(err)
		status, known := statuses[e.Kind]
		if !known {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		body = e
	}
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // the catalog's own types; who asked may be gone
}
