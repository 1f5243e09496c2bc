package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "rocketmq-proxy"

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string   `json:"ImportPath"`
	Dir        string   `json:"Dir"`
	GoFiles    []string `json:"GoFiles"`
	Imports    []string `json:"Imports"`
	Deps       []string `json:"Deps"`
}

func (p *pkg) name() string { return ours(p.ImportPath) }

// ours is the name of a package of this module without the module's; others stay as they are.
func ours(path string) string { return strings.TrimPrefix(path, module+"/") }

func isOurs(path string) bool { return strings.HasPrefix(path, module+"/") }

func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !isOurs(path)
}

// fits tells whether name is meant by pattern; "x/*" means x and everything below it.
func fits(pattern, name string) bool {
	if pattern == "*" {
		return true
	}
	if root, ok := strings.CutSuffix(pattern, "/*"); ok {
		return name == root || strings.HasPrefix(name, root+"/")
	}
	return pattern == name
}

func fitsAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, name) })
}

func layerOf(name string) (layer, bool) {
	i := slices.IndexFunc(layers, func(l layer) bool { return fits(l.of, name) })
	if i < 0 {
		return layer{}, false
	}
	return layers[i], true
}

func TestLayers(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, fault := range faultsOf(&p) {
			t.Error(fault)
		}
		if l, ok := layerOf(p.name()); ok {
			for _, fault := range faultsInSources(t, &p, l) {
				t.Error(fault)
			}
		}
	}
}

// faultsOf holds p against the table. It looks at nothing but p, so that the test can be tested.
func faultsOf(p *pkg) (faults []string) {
	name := p.name()
	l, ok := layerOf(name)
	if !ok {
		return []string{fmt.Sprintf("%s has no line in the table of layers: say in server/layers_rules_test.go what it may import, and why", name)}
	}
	blame := func(how, what, why string) {
		faults = append(faults, fmt.Sprintf("%s %s %s: %s", name, how, what, why))
	}
	for _, path := range p.Imports {
		switch imported := ours(path); {
		case path == netpoll && !fitsAny(netpollImporters, name):
			blame("imports", netpoll, "sockets are server/link's, and nobody else names netpoll")
		case isStandard(path):
			if l.pure && fitsAny(impure, path) {
				blame("imports", path, l.why)
			}
		case !fitsAny(l.may, imported):
			blame("imports", imported, l.why)
		}
	}
	for _, path := range p.Deps {
		dep := ours(path)
		switch {
		case fitsAny(l.never, dep):
			blame("reaches", dep, l.why)
		case path == netpoll && !fitsAny(netpollRooms, name):
			blame("reaches", netpoll, "sockets are server/link's, and machines never see one")
		case isOurs(path) && fits("bench/*", dep) && !fits("bench/*", name):
			blame("reaches", dep, "bench measures the house and is no part of it")
		}
	}
	return faults
}

// impure are the packages of the standard library through which the world gets in.
var impure = []string{"net", "os", "os/*", "log", "log/*", "crypto/tls", "net/http", "syscall", "context", "math/rand", "crypto/rand"}

// clock are the functions of package time that read or wait for the clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// given is what a pure package may name of math/rand/v2: a source that it is handed. All other
// names use the process's own randomness, which no test can repeat.
var given = []string{"Rand", "Source", "New"}

func faultsInSources(t *testing.T, p *pkg, l layer) (faults []string) {
	t.Helper()
	files := token.NewFileSet()
	for _, base := range p.GoFiles {
		source, err := os.ReadFile(filepath.Join(p.Dir, base))
		if err != nil {
			t.Fatal(err)
		}
		where := p.name() + "/" + base
		if l.pure {
			parsed, err := parser.ParseFile(files, where, source, parser.SkipObjectResolution)
			if err != nil {
				t.Errorf("%s cannot be parsed: %v", where, err)
				continue
			}
			for _, what := range impurities(parsed) {
				faults = append(faults, fmt.Sprintf("%s %s: %s", where, what, l.why))
			}
		}
		for _, word := range l.words {
			if saysWord(source, word) {
				faults = append(faults, fmt.Sprintf("%s says %q: %s", where, word, l.why))
			}
		}
	}
	return faults
}

// impurities finds goroutines and looks at the clock.
func impurities(file *ast.File) (found []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "starts a goroutine")
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			if x.Name == "time" && slices.Contains(clock, n.Sel.Name) || x.Name == "rand" && !slices.Contains(given, n.Sel.Name) {
				found = append(found, "uses "+x.Name+"."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

// ourImport is an import of a package of ours, whose path holds words that count as said otherwise.
var ourImport = regexp.MustCompile(`"` + module + `/[^"]*"`)

func saysWord(source []byte, word string) bool {
	text := strings.ToLower(ourImport.ReplaceAllString(string(source), `""`))
	return regexp.MustCompile(`\b` + strings.ToLower(word) + `\b`).MatchString(text)
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	// -e: a package that does not compile is somebody else's failure, and its imports still count.
	cmd := exec.CommandContext(t.Context(), "go", "list", "-pgo=off", "-e", "-json=ImportPath,Dir,GoFiles,Imports,Deps", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(out); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("go list found no package of " + module)
	}
	return all
}

// TestLayersRefuse shows the table its own violations: a test that never failed proves nothing.
func TestLayersRefuse(t *testing.T) {
	for _, test := range []struct {
		pkg  pkg
		want string // a part of the only fault; empty for none
	}{
		{pkg{ImportPath: "rocketmq-proxy/codec/frame", Imports: []string{"rocketmq-proxy/pool", "encoding/binary"}}, ""},
		{pkg{ImportPath: "rocketmq-proxy/codec/frame", Imports: []string{"rocketmq-proxy/server/link"}}, "codec/frame imports server/link: codecs are pure functions of bytes"},
		{pkg{ImportPath: "rocketmq-proxy/codec/grpc", Imports: []string{"rocketmq-proxy/codec/frame"}}, "codec/grpc imports codec/frame: codecs are pure"},
		{pkg{ImportPath: "rocketmq-proxy/h2", Imports: []string{"log/slog"}}, "h2 imports log/slog"},
		{pkg{ImportPath: "rocketmq-proxy/server/messaging", Deps: []string{"rocketmq-proxy/remoting"}}, "server/messaging reaches remoting: messaging answers clients"},
		{pkg{ImportPath: "rocketmq-proxy/server/cluster", Deps: []string{netpoll}}, "reaches " + netpoll},
		{pkg{ImportPath: "rocketmq-proxy/server", Imports: []string{netpoll}}, "server imports " + netpoll},
		{pkg{ImportPath: "rocketmq-proxy/server/link", Imports: []string{netpoll, "net"}, Deps: []string{netpoll}}, ""},
		{pkg{ImportPath: "rocketmq-proxy/server", Deps: []string{"rocketmq-proxy/bench/load"}}, "server reaches bench/load"},
		{pkg{ImportPath: "rocketmq-proxy/bench/load", Imports: []string{netpoll, "rocketmq-proxy/h2"}}, ""},
		{pkg{ImportPath: "rocketmq-proxy/util"}, "util has no line in the table of layers"},
	} {
		got := faultsOf(&test.pkg)
		switch {
		case test.want == "" && len(got) > 0:
			t.Errorf("%s: unexpected %q", test.pkg.ImportPath, got)
		case test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)):
			t.Errorf("%s: got %q, want one fault with %q", test.pkg.ImportPath, got, test.want)
		}
	}
}

func TestSaysWord(t *testing.T) {
	for source, want := range map[string]bool{
		`import "rocketmq-proxy/codec/grpc"`: false,
		`// the gRPC way`:                    true,
		`x := grpc.Parse(b)`:                 true,
		`const grpcish = 1`:                  false,
	} {
		if got := saysWord([]byte(source), "grpc"); got != want {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
	}
}
