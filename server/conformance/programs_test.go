package conformance

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"rocketmq-proxy/server/conformance/cache"
	"rocketmq-proxy/server/conformance/client"
	"rocketmq-proxy/server/conformance/cluster"
)

// builders make the program around each official client. What they fetch is pinned by a file beside
// the program and kept in the cache.
var builders = map[string]func(w *world, ctx context.Context) (client.Program, error){
	"go": (*world).buildGo, "java": (*world).buildJava, "node": (*world).buildNode, "python": (*world).buildPython, "rust": (*world).buildRust,
}

// leftOut is why a client cannot be had on this machine. That is no failure.
type leftOut struct{ reason string }

func (l leftOut) Error() string { return l.reason }

// buildPrograms makes all of them, side by side, and says in one line which are left out.
func (w *world) buildPrograms(ctx context.Context) error {
	var mu sync.Mutex
	var wait sync.WaitGroup
	var errs []error
	for language, build := range builders {
		wait.Go(func() {
			program, err := build(w, ctx)
			mu.Lock()
			defer mu.Unlock()
			if left := (leftOut{}); errors.As(err, &left) {
				fmt.Printf("conformance: the %s client is left out: %s\n", titles[language], left.reason)
			} else if err != nil {
				errs = append(errs, fmt.Errorf("the %s client's program: %w", titles[language], err))
			} else {
				w.clients[language] = program
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

func (w *world) buildGo(ctx context.Context) (client.Program, error) {
	program := filepath.Join(w.dir, "goclient")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, "./goclient")
	return client.Program{Args: []string{program}}, succeed(build)
}

//go:embed java/pom.xml
var javaPom []byte

func (w *world) buildJava(ctx context.Context) (client.Program, error) {
	if missing := cluster.Missing(); missing != "" {
		return client.Program{}, leftOut{missing + " is missing"}
	}
	paths, err := filepath.Glob("java/src/*.java")
	if err != nil {
		return client.Program{}, err
	}
	sources, err := read(paths...)
	if err != nil {
		return client.Program{}, err
	}
	jars, err := cluster.Jars(ctx, "java-client", javaPom, sources, func(dir string) error {
		return succeed(exec.CommandContext(ctx, "javac", append([]string{"-cp", filepath.Join(dir, "*"), "-d", dir}, paths...)...))
	})
	return client.Program{Args: []string{"java", "-Xmx600m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Duser.home=" + filepath.Join(w.dir, "java-home"), "-cp", jars + ":" + filepath.Join(jars, "*"), "Driver"}}, err
}

func (w *world) buildNode(ctx context.Context) (client.Program, error) {
	if err := needs("node", "npm"); err != nil {
		return client.Program{}, err
	}
	pins, err := read("node/package.json", "node/package-lock.json")
	if err != nil {
		return client.Program{}, err
	}
	dir, err := cache.Dir("node-client", pins, func(dir string) error {
		for i, name := range []string{"package.json", "package-lock.json"} {
			if err := os.WriteFile(filepath.Join(dir, name), pins[i], 0o644); err != nil {
				return err
			}
		}
		return install(exec.CommandContext(ctx, "npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund"))
	})
	if err != nil {
		return client.Program{}, err
	}
	program, err := filepath.Abs("node/main.js")
	return client.Program{Args: []string{"node", program}, Env: []string{"NODE_PATH=" + filepath.Join(dir, "node_modules")}}, err
}

func (w *world) buildPython(ctx context.Context) (client.Program, error) {
	bin, err := pythonPackages(ctx, "python-client", "python/requirements.txt")
	if err != nil {
		return client.Program{}, err
	}
	program, err := filepath.Abs("python/main.py")
	return client.Program{Args: []string{filepath.Join(bin, "python"), "-B", program}}, err
}

// pythonPackages installs the pinned packages of a requirements file into an environment of their own,
// and returns the directory of its programs.
func pythonPackages(ctx context.Context, name, requirements string) (bin string, err error) {
	if err := needs("python3"); err != nil {
		return "", err
	}
	pins, err := read(requirements)
	if err != nil {
		return "", err
	}
	dir, err := cache.Dir(name, pins, func(dir string) error {
		if err := install(exec.CommandContext(ctx, "python3", "-m", "venv", dir)); err != nil {
			return err
		}
		return install(exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet",
			"--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "-r", requirements))
	})
	return filepath.Join(dir, "bin"), err
}

// buildRust builds the client first, which may be more than this machine's compiler can do, and then
// our program, which may not fail.
func (w *world) buildRust(ctx context.Context) (client.Program, error) {
	if err := needs("cargo"); err != nil {
		return client.Program{}, err
	}
	pins, err := read("rust/Cargo.toml", "rust/Cargo.lock")
	if err != nil {
		return client.Program{}, err
	}
	cargo := func(dir string, args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "cargo", append([]string{"build", "--quiet", "--locked",
			"--manifest-path", "rust/Cargo.toml", "--target-dir", dir}, args...)...)
	}
	dir, err := cache.Dir("rust-client", pins, func(dir string) error { return install(cargo(dir, "--package", "rocketmq")) })
	if err != nil {
		return client.Program{}, err
	}
	if err := succeed(cargo(dir)); err != nil {
		return client.Program{}, err
	}
	// The cache may serve another tree next.
	built, err := os.ReadFile(filepath.Join(dir, "debug", "conformance-rust"))
	if err != nil {
		return client.Program{}, err
	}
	program := filepath.Join(w.dir, "rustclient")
	return client.Program{Args: []string{program}, Env: []string{"RUST_BACKTRACE=0"}}, os.WriteFile(program, built, 0o755)
}

// needs is nil when all tools are on this machine.
func needs(tools ...string) error {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return leftOut{tool + " is missing"}
		}
	}
	return nil
}

// install runs what fetches a client. That it cannot is no failure.
func install(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return leftOut{fmt.Sprintf("%s: %v: %s", filepath.Base(cmd.Path), err, lines[len(lines)-1])}
	}
	return nil
}

func succeed(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, bytes.TrimSpace(out))
	}
	return nil
}

func read(paths ...string) (texts [][]byte, err error) {
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}
