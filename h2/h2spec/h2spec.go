// Package h2spec runs h2spec, the conformance test of HTTP/2 servers, for the tests of this
// repository. The program is a tool of the module in the folder program, so that what it needs
// is in nobody else's go.mod.
package h2spec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Tests is how many cases a strict run has.
const Tests = 146

// ErrUnavailable says that the program cannot be fetched here. Tests leave themselves out then.
var ErrUnavailable = errors.New("h2spec cannot be fetched")

const pkg = "github.com/summerwind/h2spec/cmd/h2spec"

// Build compiles the program into dir and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	here, err := output(ctx, "", "go", "list", "-f", "{{.Dir}}", "rocketmq-proxy/h2/h2spec")
	if err != nil {
		return "", err
	}
	module := filepath.Join(strings.TrimSpace(here), "program")
	if _, err := output(ctx, module, "go", "mod", "download"); err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	program := filepath.Join(dir, "h2spec")
	_, err = output(ctx, module, "go", "build", "-buildvcs=false", "-o", program, pkg)
	return program, err
}

// Report is how a run ended.
type Report struct {
	Tests, Passed, Skipped, Failed int
	Failures                       string // in the program's words
}

// Run tests the server at addr with every case, strict ones too. flags are added to the
// program's, as "--tls" and "--insecure". That cases fail is no error.
func Run(ctx context.Context, program, addr string, flags ...string) (Report, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return Report{}, err
	}
	arguments := append([]string{"--strict", "--timeout", "2", "--host", host, "--port", port}, flags...)
	text, err := output(ctx, "", program, arguments...)
	report, summed := parse(text)
	if !summed {
		return report, fmt.Errorf("h2spec came to no end: %w\n%s", err, text)
	}
	return report, nil
}

var summary = regexp.MustCompile(`(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed`)

// parse reads what the program prints; false: it was stopped before its last line.
func parse(text string) (r Report, summed bool) {
	found := summary.FindStringSubmatch(text)
	if found == nil {
		return r, false
	}
	for i, n := range []*int{&r.Tests, &r.Passed, &r.Skipped, &r.Failed} {
		*n, _ = strconv.Atoi(found[1+i])
	}
	if _, failures, some := strings.Cut(text, "Failures:"); some {
		r.Failures = failures
	}
	return r, true
}

// output is what a command prints, in a directory; "": this one. An error holds what it
// complained of.
func output(ctx context.Context, dir, name string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off")
	text, err := command.Output()
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		err = fmt.Errorf("%s: %w: %s", filepath.Base(name), err, exit.Stderr)
	}
	return string(text), err
}
