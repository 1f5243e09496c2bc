// Command benchpage draws runs of the bench, JSON documents as in bench/results, as one HTML page,
// and its plots as SVG files.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
	"rocketmq-proxy/bench/report/plot"
)

func main() {
	out := flag.String("o", "", "the page; standard output when nothing is said, unless there is -svg")
	svg := flag.String("svg", "", "a folder for each plot as a file of its own")
	ours := flag.String("ours", peer.Proxy, "the peer that ratios are of")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: benchpage [flags] RUN.json ...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Args(), *out, *svg, *ours, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchpage:", err)
		os.Exit(1)
	}
}

func run(files []string, out, svg, ours string, stdout io.Writer) error {
	var documents []*report.Document
	for _, file := range files {
		d, err := read(file)
		if err != nil {
			return err
		}
		documents = append(documents, d)
	}
	if svg != "" {
		if err := draw(documents, svg); err != nil || out == "" {
			return err
		}
	}
	if out == "" {
		return report.Page(stdout, documents, ours)
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	return errors.Join(report.Page(f, documents, ours), f.Close())
}

func read(file string) (*report.Document, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var d report.Document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &d, nil
}

func draw(documents []*report.Document, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var plots []plot.Plot
	for _, d := range documents {
		plots = append(plots, d.Plots()...)
	}
	if len(plots) == 0 {
		return report.ErrEmpty
	}
	for i, name := range report.FileNames(plots) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(plots[i].SVG(true)+"\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}
