package conformance

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sslyzePatience is what one scan may take; it needs a second.
const sslyzePatience = 2 * time.Minute

// TestMozillaIntermediate: sslyze finds the program that ships compliant with Mozilla's intermediate
// profile (https://wiki.mozilla.org/Security/Server_Side_TLS), with a certificate of either kind that
// the profile has: versions, cipher suites, curves, the certificate itself, and the known
// vulnerabilities of TLS.
func TestMozillaIntermediate(t *testing.T) {
	t.Parallel()
	bin, err := pythonPackages(t.Context(), "sslyze", "sslyze/requirements.txt")
	if left := (leftOut{}); errors.As(err, &left) {
		fmt.Printf("conformance: sslyze is left out: %s\n", left.reason)
		t.Skip(left.reason)
	}
	if err != nil {
		t.Fatal(err)
	}
	sslyze := filepath.Join(bin, "sslyze")
	for name, newKey := range map[string]func() (crypto.Signer, error){"RSA-2048": keyRSA2048, "P-256": keyP256} {
		t.Run(name, func(t *testing.T) {
			the.table.enter(t, "TLS: Mozilla's intermediate profile, "+name, localTarget, "raw-tls")
			shown, err := newCertificate(t.TempDir(), newKey)
			if err != nil {
				t.Fatal(err)
			}
			g := ownLocal(t, shown.config(map[string]any{}))
			if said := scan(t, sslyze, "intermediate", shown.roots, g.endpoint); said != "OK - Compliant." {
				t.Error(said)
			}
			// A judge who never says no proves nothing: the modern profile has no TLS 1.2.
			if said := scan(t, sslyze, "modern", shown.roots, g.endpoint); !strings.Contains(said, "FAILED") || !strings.Contains(said, "tls_versions") {
				t.Errorf("the modern profile: %s", said)
			}
		})
	}
}

// scan is what sslyze says of a server and a profile: that it is compliant, or why not, a line each.
func scan(t *testing.T, sslyze, profile, roots, endpoint string) (said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), sslyzePatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, sslyze, "--mozilla_config="+profile, "--certinfo_ca_file", roots, endpoint).Output()
	_, verdict, found := strings.Cut(string(out), "COMPLIANCE AGAINST TLS CONFIGURATION")
	_, said, judged := strings.Cut(verdict, endpoint+": ")
	if !found || !judged {
		t.Fatalf("sslyze did not come to a verdict: %v\n%s", err, out)
	}
	return strings.TrimSpace(said)
}
