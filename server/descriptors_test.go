package server

import (
	"testing"

	"rocketmq-proxy/server/config"
)

// Clients get what is left, and at least half.
func TestKeptDescriptors(t *testing.T) {
	for _, test := range []struct {
		mode        config.Mode
		limit, kept int
	}{
		{config.ModeCluster, 1024, 128},
		{config.ModeCluster, 256, 128},
		{config.ModeCluster, 255, 127},
		{config.ModeLocal, 1024, 384},
		{config.ModeLocal, 768, 384},
		{config.ModeLocal, 160, 80},
	} {
		if kept := keptDescriptors(test.mode, test.limit); kept != test.kept {
			t.Errorf("%s, %d descriptors: %d are kept, want %d", test.mode, test.limit, kept, test.kept)
		}
	}
}
