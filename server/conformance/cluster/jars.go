package cluster

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"rocketmq-proxy/server/conformance/cache"
)

//go:embed pom.xml
var pom []byte

// Missing names the first tool that is not on this machine, or nothing.
func Missing() string {
	for _, tool := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return tool
		}
	}
	return ""
}

// Jars returns a directory with the jars that a pom.xml asks for, from the
// cache or from Maven. What more there is to make of them and of the sources,
// make does, once, with the directory; it may be nil.
func Jars(ctx context.Context, name string, pom []byte, sources [][]byte, make func(dir string) error) (string, error) {
	return cache.Dir(name, append([][]byte{pom}, sources...), func(dir string) error {
		pomPath := filepath.Join(dir, "pom.xml")
		if err := os.WriteFile(pomPath, pom, 0o644); err != nil {
			return err
		}
		mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pomPath,
			"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+dir)
		if out, err := mvn.CombinedOutput(); err != nil {
			return fmt.Errorf("maven could not fetch %s: %w\n%s", name, err, out)
		}
		if make == nil {
			return nil
		}
		return make(dir)
	})
}
