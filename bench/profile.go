package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"rocketmq-proxy/bench/peer"
)

// profile records what processor time of this project's proxy is spent on for so long from now, into
// a file of Options.Profiles named after the workload. Wait for it before the proxy is stopped.
// Without Options.Profiles, and of other peers, there is nothing to wait for.
func (s *Suite) profile(ctx context.Context, w Workload, p *peer.Process, length time.Duration) (wait func() error) {
	if s.Options.Profiles == "" || p.Name != peer.Proxy {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() {
		file := filepath.Join(s.Options.Profiles, strings.ReplaceAll(w.Name(), "/", "-")+".pprof")
		done <- fetchProfile(ctx, p.Addrs["admin"], max(1, int(length.Seconds())), file)
	}()
	return func() error { return <-done }
}

func fetchProfile(ctx context.Context, admin string, seconds int, file string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, seconds), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: %s", response.Status)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	profile, err := gunzip(response.Body)
	if err != nil {
		return err
	}
	if profile, err = withoutPaths(profile); err != nil {
		return err
	}
	return os.WriteFile(file, profile, 0o644) // pprof and the compiler read it without gzip too
}

func gunzip(from io.Reader) ([]byte, error) {
	r, err := gzip.NewReader(from)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// stringTable is the field of a profile that holds all its strings (profile.proto of google/pprof).
const stringTable = 6

// withoutPaths is a profile that does not say where on this machine its files were. Who reads it
// afterwards goes by the names of functions, and lines within them.
func withoutPaths(profile []byte) (clean []byte, err error) {
	for len(profile) > 0 {
		field, kind, n := protowire.ConsumeTag(profile)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		whole := n + protowire.ConsumeFieldValue(field, kind, profile[n:])
		if whole < n {
			return nil, protowire.ParseError(whole - n)
		}
		text, _ := protowire.ConsumeBytes(profile[n:])
		if field == stringTable && bytes.HasPrefix(text, []byte{filepath.Separator}) {
			clean = protowire.AppendBytes(append(clean, profile[:n]...), nil)
		} else {
			clean = append(clean, profile[:whole]...)
		}
		profile = profile[whole:]
	}
	return clean, nil
}
