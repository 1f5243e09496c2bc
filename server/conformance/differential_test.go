package conformance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
	"rocketmq-proxy/server/conformance/differential"
	"rocketmq-proxy/server/conformance/proxy"
)

// reference is the side that the others are held against.
const reference = "java"

// TestDifferential sends one table of requests to the Java proxy and to this one in both modes. It
// does not run beside other tests: what it looks at takes time, and theirs is measured.
func TestDifferential(t *testing.T) {
	sides := differentialSides(t)
	d := &differences{allowed: readAllowed(t), sides: sides, counts: map[string]*differenceCount{}}
	for _, side := range sides[1:] {
		d.counts[side.Name] = &differenceCount{}
	}
	rows := differential.Rows()
	t.Run("rows", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.Name, func(t *testing.T) {
				t.Parallel()
				d.compare(t, row)
			})
		}
	})
	d.print(sides)
	if d.rows < len(rows) {
		return // some were left out, so nothing can be said of what was not met
	}
	var names []string
	for _, side := range sides[1:] {
		names = append(names, side.Name)
	}
	for _, unused := range d.allowed.Unused(names...) {
		t.Errorf("%s: %s", allowedList, unused)
	}
}

const allowedList = "testdata/differences.txt"

func readAllowed(t *testing.T) *differential.Allowed {
	t.Helper()
	file, err := os.Open(allowedList)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	allowed, err := differential.ReadAllowed(file)
	if err != nil {
		t.Fatalf("%s: %v", allowedList, err)
	}
	return allowed
}

// TestEveryDifferenceHasAReason: the headings of the list are those of the page, and its rows are
// in the table.
func TestEveryDifferenceHasAReason(t *testing.T) {
	page, err := os.ReadFile("../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(page), "\n")
	allowed := readAllowed(t)
	for _, heading := range allowed.Headings() {
		if !slices.Contains(lines, "## "+heading) {
			t.Errorf("server/docs/differences.md has no heading %q", heading)
		}
	}
	var rows []string
	for _, row := range differential.Rows() {
		rows = append(rows, row.Name)
	}
	for _, row := range allowed.Rows() {
		if !slices.Contains(rows, row) {
			t.Errorf("the table has no row %q", row)
		}
	}
}

// differenceCount is what was found out about one mode.
type differenceCount struct{ equal, explained, unexplained int }

// differences are the rows on their way through all sides.
type differences struct {
	allowed *differential.Allowed
	sides   []*differential.Side // the reference first

	mu     sync.Mutex
	rows   int
	counts map[string]*differenceCount
}

// compare takes a row through every side at once, and holds what they say against the reference.
func (d *differences) compare(t *testing.T, row differential.Row) {
	said := make([]differential.Transcript, len(d.sides))
	failed := make([]error, len(d.sides))
	now := time.Now()
	var all sync.WaitGroup
	for i, side := range d.sides {
		all.Go(func() { said[i], failed[i] = row.Run(t.Context(), side, now) })
	}
	all.Wait()
	for _, err := range failed {
		if err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		return
	}
	for i, side := range d.sides[1:] {
		theirs := said[0]
		if side.Stored == nil {
			theirs = theirs.WithoutStored()
		}
		d.explain(t, side.Name, row.Name, differential.Diff(theirs, said[i+1]))
	}
	d.mu.Lock()
	d.rows++
	d.mu.Unlock()
}

func (d *differences) explain(t *testing.T, side, row string, hunks []differential.Hunk) {
	unexplained := 0
	for _, hunk := range hunks {
		if !d.allowed.Explain(side, row, hunk) {
			unexplained++
			t.Errorf("unexplained, in the words of %s:\n%s [%s]\n%s", allowedList, row, side, hunk)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch count := d.counts[side]; {
	case unexplained > 0:
		count.unexplained++
	case len(hunks) > 0:
		count.explained++
	default:
		count.equal++
	}
}

func (d *differences) print(sides []*differential.Side) {
	fmt.Printf("differential: %d rows against the Java proxy\n", d.rows)
	for _, side := range sides[1:] {
		c := d.counts[side.Name]
		fmt.Printf("differential: %-7s %d equal, %d explained differences, %d unexplained\n", side.Name, c.equal, c.explained, c.unexplained)
	}
}

// differentialSides are the Java proxy and this one in front of one cluster, and Local mode.
func differentialSides(t *testing.T) []*differential.Side {
	var g *target
	for _, other := range the.targets {
		if other.name == "cluster" && other.proxy != nil {
			g = other
		}
	}
	if g == nil {
		t.Skip("there is no cluster for the Java proxy")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	java, endpoint, err := g.cluster.StartReferenceProxy(ctx, cluster.ProxyConfig(g.cluster.Namesrv))
	if java != nil {
		t.Cleanup(java.Kill)
	}
	if err != nil {
		t.Fatal(err)
	}
	sides := []*differential.Side{clusterSide(reference, g, endpoint), clusterSide(g.name, g, g.endpoint)}
	if wanted(localTarget) {
		sides = append(sides, localSide(ctx, t))
	}
	return sides
}

// making lets the broker make one topic after the other: each is written down with all the others.
var making sync.Mutex

func clusterSide(name string, g *target, endpoint string) *differential.Side {
	return &differential.Side{
		Name: name, Broker: g.brokerName, Endpoint: endpoint,
		MakeTopic: func(ctx context.Context, name, messageType string, queues int) error {
			making.Lock()
			defer making.Unlock()
			return g.cluster.CreateTopic(ctx, name, messageType, queues)
		},
		MakeGroup: g.cluster.CreateGroup, Stored: g.cluster.ViewMessage,
	}
}

// localSide is a Local mode of the test's own. Like the cluster it has no topic that nobody made: in
// a cluster it is the name server that does not know it.
func localSide(ctx context.Context, t *testing.T) *differential.Side {
	store := filepath.Join(the.dir, "differential-store")
	config := localConfig(store)
	config["autoCreateTopicEnable"] = false
	p, err := proxy.Make(the.program, the.dir, "differential", config)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	g := &target{name: localTarget, endpoint: p.Endpoint, brokerName: "local", store: store}
	return &differential.Side{
		Name: localTarget, Broker: g.brokerName, Endpoint: p.Endpoint,
		MakeTopic: g.createTopic, MakeGroup: g.createGroup,
	}
}
