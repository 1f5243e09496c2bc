package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rocketmq-proxy/h2"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/link"
	"rocketmq-proxy/server/metrics"
)

// limitRow is a row of the tables of docs/limits.md.
type limitRow struct {
	key, value string
	counted    []string // words in backticks
	tests      []string
}

var backticks = regexp.MustCompile("`([^`]+)`")

func words(cell string) (all []string) {
	for _, m := range backticks.FindAllStringSubmatch(cell, -1) {
		all = append(all, m[1])
	}
	return all
}

func limitRows(t *testing.T) (rows []limitRow) {
	t.Helper()
	text, err := os.ReadFile("docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| ") || strings.Contains(line, "what is bounded") {
			continue
		}
		if len(cells) != 7 {
			t.Errorf("%d cells: %s", len(cells), line)
			continue
		}
		row := limitRow{key: strings.Trim(cells[1], " `"), value: strings.TrimSpace(cells[2]), counted: words(cells[4]), tests: words(cells[6])}
		if strings.TrimSpace(cells[0]) == "" || strings.TrimSpace(cells[3]) == "" || strings.TrimSpace(cells[5]) == "" {
			t.Errorf("an empty cell: %s", line)
		}
		rows = append(rows, row)
	}
	return rows
}

// The page has a row for each limit, with the default that it has.
func TestLimitsPageHasEveryKey(t *testing.T) {
	c := config.Default(config.Environment{})
	var defaults map[string]any
	decoder := json.NewDecoder(strings.NewReader(c.String()))
	decoder.UseNumber()
	if err := decoder.Decode(&defaults); err != nil {
		t.Fatal(err)
	}
	rows := limitRows(t)
	var listed []string
	for _, row := range rows {
		if row.key == "fixed" {
			continue
		}
		if slices.Contains(listed, row.key) {
			t.Errorf("%s has two rows", row.key)
		}
		listed = append(listed, row.key)
		if got, known := defaults[row.key]; !known || fmt.Sprint(got) != row.value {
			t.Errorf("%s: the default is %v, the page says %s", row.key, got, row.value)
		}
	}
	for field := range reflect.TypeFor[config.Limits]().Fields() {
		if key, _, _ := strings.Cut(field.Tag.Get("key"), ","); !slices.Contains(listed, key) {
			t.Errorf("%s has no row", key)
		}
	}
	for _, key := range []string{
		"grpcMaxConcurrentCallsPerConnection", "grpcMaxInboundMessageSize", "grpcClientIdleTimeMills",
		"grpcKeepAliveIntervalMillis", "grpcKeepAliveTimeoutMillis", "grpcMaxConnectionAgeSeconds", "grpcMaxConnectionAgeGraceSeconds",
	} {
		if !slices.Contains(listed, key) {
			t.Errorf("%s has no row", key)
		}
	}
}

// The page names what grows on /metrics, all of it that is of limits.
func TestLimitsPageNamesTheMetrics(t *testing.T) {
	var text bytes.Buffer
	sources := metrics.Sources{Link: new(link.Counters), H2: new(h2.Counters), Remoting: new(remoting.Counters)}
	if err := sources.Write(&text); err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, row := range limitRows(t) {
		for _, word := range row.counted {
			named = append(named, word)
			if !strings.Contains(text.String(), "\n"+word+" ") && !strings.Contains(text.String(), `{kind="`+word+`"}`) && !strings.Contains(text.String(), `{reason="`+word+`"}`) {
				t.Errorf("%s: nothing on /metrics is called %s", row.key, word)
			}
		}
	}
	for v := range h2.Violation(h2.Violations) {
		if !slices.Contains(named, v.String()) {
			t.Errorf("the kind %s is of no row", v)
		}
	}
}

// The tests that the page names are there.
func TestLimitsPageNamesTests(t *testing.T) {
	sources := testSources(t)
	for _, row := range limitRows(t) {
		if len(row.tests) == 0 {
			t.Errorf("%s has no test", row.key)
		}
		for _, name := range row.tests {
			top, sub, _ := strings.Cut(name, "/")
			if !slices.ContainsFunc(sources, func(text string) bool {
				return strings.Contains(text, "func "+top+"(") && (sub == "" || strings.Contains(text, `"`+sub+`"`))
			}) {
				t.Errorf("%s: there is no %s", row.key, name)
			}
		}
	}
}

// testSources are the tests of the packages that have limits.
func testSources(t *testing.T) (texts []string) {
	t.Helper()
	for _, pattern := range []string{"*_test.go", "link/*_test.go", "messaging/*_test.go", "pressure/*_test.go", "cmd/rocketmq-proxy/*_test.go", "../h2/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(text))
		}
	}
	return texts
}
