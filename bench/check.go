package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
	"rocketmq-proxy/bench/scenario"
)

// CheckWorkloads are what two builds of the proxy are compared on.
func CheckWorkloads() []Workload {
	return []Workload{
		{Scenario: "send", Conns: 4, Streams: 16, Params: scenario.Default()},
		{Scenario: "receive_ack", Conns: 4, Streams: 16, Params: scenario.Default()},
	}
}

// sameFromSame has the same sources make the same binary, wherever they are.
const sameFromSame = "-buildvcs=false"

// NewCheck builds the proxy of a commit, as peer.Base, and that of the tree, as peer.Tree. Root is
// the folder bench. The commit's sources are gone when it returns.
func NewCheck(ctx context.Context, o Options, root, commit string) (*Suite, error) {
	o.Peers, o.WarmUp, o.Uncounted = []string{peer.Base, peer.Tree}, checkWarmUp, true
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	s := &Suite{Options: o, binaries: peer.Binaries{}, dir: dir}
	if err = s.build(ctx, root, peer.Stub); err == nil {
		if err = s.build(ctx, root, peer.Tree, sameFromSame); err == nil {
			err = s.buildCommit(ctx, root, commit)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// buildCommit builds the base from a copy of what was committed.
func (s *Suite) buildCommit(ctx context.Context, root, commit string) error {
	sources := filepath.Join(s.dir, "sources")
	if err := os.Mkdir(sources, 0o700); err != nil {
		return err
	}
	err := extract(ctx, filepath.Join(root, ".."), commit, sources)
	if err == nil {
		err = s.build(ctx, filepath.Join(sources, "bench"), peer.Base, sameFromSame)
	}
	return errors.Join(err, os.RemoveAll(sources))
}

// extract writes the files of a commit of the repository into a directory.
func extract(ctx context.Context, repository, commit, dir string) error {
	git := func(args ...string) (string, error) {
		text, err := exec.CommandContext(ctx, "git", append([]string{"-C", repository}, args...)...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("git %s: %w\n%s", args[0], err, text)
		}
		return strings.TrimSpace(string(text)), nil
	}
	hash, err := git("rev-parse", "--verify", "--end-of-options", commit+"^{commit}")
	if err != nil {
		return fmt.Errorf("%q is no commit: %w", commit, err)
	}
	archive := filepath.Join(dir, "commit.tar")
	if _, err := git("archive", "--format=tar", "--output="+archive, hash); err != nil {
		return err
	}
	if text, err := exec.CommandContext(ctx, "tar", "-xf", archive, "-C", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("tar: %w\n%s", err, text)
	}
	return nil
}

// CheckTurns is how many windows of each build a pair of processes is measured in.
const CheckTurns = 4

// checkWarmUp comes before each window but the first of a process, which has a window for it.
const checkWarmUp = 100 * time.Millisecond

// Compare measures one workload on both builds, in pairs of processes: where the memory of a process
// comes to lie is worth some per cent for as long as it lives, and has to be part of the noise.
// Each pair has CheckTurns rounds, and each begins with the build that the one before has ended with:
// noise of this machine is slow, so many short windows see the same of it on both sides where long
// ones do not.
func (s *Suite) Compare(ctx context.Context, w Workload, pairs int) (*report.Case, error) {
	c := newCase(w, w.Name(), s.Options.Peers)
	stub, err := s.binaries.StartStub(w.Params.BodyBytes, s.Options.Brokers)
	if err != nil {
		return nil, err
	}
	defer stub.Stop()
	for range pairs {
		if err := s.pair(ctx, c, w, stub); err != nil {
			return nil, err
		}
	}
	s.Cases = append(s.Cases, c)
	return c, nil
}

// pair starts both builds, warms them, and measures them in turn.
func (s *Suite) pair(ctx context.Context, c *report.Case, w Workload, stub *peer.Process) error {
	var builds []*peer.Process
	defer func() {
		for _, p := range builds {
			p.Stop()
		}
	}()
	for _, name := range s.Options.Peers {
		p, err := s.binaries.Start(name, stub, s.dir)
		if err != nil {
			return err
		}
		builds = append(builds, p)
		if _, err := s.measure(ctx, w, p.Name, p, stub); err != nil {
			return fmt.Errorf("%s is warmed: %w", name, err)
		}
	}
	for range CheckTurns {
		for _, p := range builds {
			if err := s.round(ctx, c, w, p.Name, p, stub); err != nil {
				return err
			}
		}
		slices.Reverse(builds)
	}
	return nil
}
