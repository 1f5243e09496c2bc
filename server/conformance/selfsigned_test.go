package conformance

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/proxy"
)

// TestSelfSignedCertificate: where no certificate is configured the proxy makes one, and clients that
// do not ask who signed it talk to it.
func TestSelfSignedCertificate(t *testing.T) {
	const feature = "TLS without a certificate configured"
	t.Parallel()
	if !wanted(localTarget) {
		t.SkipNow()
	}
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	p, err := proxy.Make(the.program, dir, "self-signed", localConfig(store))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	g := &target{name: localTarget, endpoint: p.Endpoint, proxy: p, store: store}
	for _, k := range kinds {
		if !k.tls {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			the.table.enter(t, feature, g.name, k.String())
			k.must(t, feature, []ability{selfSigned})
			sendSmall(startClient(t, g, k), g.makeTopic(t, "NORMAL", 4), 1)
		})
	}
}
