package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"rocketmq-proxy/h2/h2spec"
)

// h2specPatience is what a whole run may take; against the Java proxy it never ends.
const h2specPatience = time.Minute

// TestH2spec runs every case of h2spec, strict ones too, on the program that ships. Most of them
// send what is not gRPC, and see how that is answered.
func TestH2spec(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	program, err := h2spec.Build(ctx, t.TempDir())
	if errors.Is(err, h2spec.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range the.targets {
		if g.proxy == nil {
			continue
		}
		for name, flags := range map[string][]string{"raw-cleartext": nil, "raw-tls": {"--tls", "--insecure"}} {
			t.Run(g.name+"/"+name, func(t *testing.T) {
				the.table.enter(t, "h2spec, strict", g.name, name)
				ctx, cancel := context.WithTimeout(ctx, h2specPatience)
				defer cancel()
				begun := time.Now()
				report, err := h2spec.Run(ctx, program, g.endpoint, flags...)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d of %d passed in %v", report.Passed, report.Tests, time.Since(begun).Round(time.Millisecond))
				if report != (h2spec.Report{Tests: h2spec.Tests, Passed: h2spec.Tests}) {
					t.Errorf("%d skipped, %d failed:\n%s", report.Skipped, report.Failed, report.Failures)
				}
			})
		}
	}
}
