package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/local/catalog"
	"rocketmq-proxy/server/local/door"
)

// What topic and group have in common: the way to the store, and tables.

const storeHelp = `Which store:

  -store DIR            its directory; default: where a proxy in Local mode would have it
  -pc FILE, -bc FILE    the rmq-proxy.json or broker.conf that says so
  -json                 print JSON instead of a table

A running proxy is asked through admin.sock in the store's directory, which lets in the user who
runs it and root; when none runs, the store itself is opened.
`

// place is which store is meant, and how to print.
type place struct {
	store, proxyConfig, brokerConfig string
	json                             bool
}

func (p *place) flags(f *flags) {
	f.text(&p.store, "store", "storePathRootDir")
	f.text(&p.proxyConfig, "pc", "proxyConfigPath")
	f.text(&p.brokerConfig, "bc", "brokerConfigPath")
	f.BoolVar(&p.json, "json", false, "")
}

// of mqadmin that say where and are of no use here, or say what is always so.
func (p *place) ignored(f *flags, names ...string) {
	for _, name := range names {
		f.String(name, "", "")
	}
}

// open finds the store: through the process that has it, else by itself. mayMake tells whether
// one is made where there is none.
func (p *place) open(w *World, mayMake bool) (catalog.Store, error) {
	c, _, err := config.Resolve([]string{"-pm", "local", "-store", p.store, "-pc", p.proxyConfig, "-bc", p.brokerConfig}, w.Environment)
	if err != nil {
		return nil, fmt.Errorf("the configuration is wrong\n%w", err)
	}
	dir := c.Local.StorePath
	client, err := door.Dial(dir)
	if err == nil {
		return client, nil
	}
	if !errors.Is(err, door.ErrNobody) {
		return nil, err
	}
	if !mayMake && empty(dir) {
		return nil, fmt.Errorf("there is no store in %s: start a proxy in Local mode, or say with -store where its messages are. "+
			"The topics and groups of a cluster are its brokers': use mqadmin for them", dir)
	}
	store, err := w.OpenStore(c)
	if err != nil {
		return nil, fmt.Errorf("no proxy runs on %s, and its store cannot be opened: %w", dir, err)
	}
	return store, nil
}

func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0
}

// verb is what is done to topics or groups.
type verb struct {
	name string
	run  func(args []string, w *World) error
}

// runVerb runs the verb that args begin with.
func runVerb(command, help string, verbs []verb, args []string, w *World) error {
	f := newFlags(command, help)
	if len(args) == 0 {
		return f.wrong("wants one of %s", verbNames(verbs))
	}
	for _, v := range verbs {
		if v.name == args[0] {
			return v.run(args[1:], w)
		}
	}
	if _, err := f.parse(args[:1]); err != nil {
		return err
	}
	return f.wrong("there is no %q, there is %s", args[0], verbNames(verbs))
}

func verbNames(verbs []verb) string {
	var b strings.Builder
	for i, v := range verbs {
		switch {
		case i == len(verbs)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(v.name)
	}
	return b.String()
}

// name is the one topic or group of a command line: a word, or the flag that mqadmin has for it.
func (f *flags) name(words []string, flagged, what string) (string, error) {
	switch {
	case len(words) == 0 && flagged != "":
		return flagged, nil
	case len(words) == 1 && (flagged == "" || flagged == words[0]):
		return words[0], nil
	case len(words) == 0:
		return "", f.wrong("wants the name of a %s", what)
	}
	return "", f.wrong("wants the name of one %s", what)
}

// isSystem tells topics that a group has made for itself, other than its dead letters.
func isSystem(topic string) bool { return strings.HasPrefix(topic, catalog.RetryPrefix) }

// table writes rows in columns.
func table(out io.Writer, rows [][]any) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func writeJSON(out io.Writer, value any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

// outcomeLine says what a create did.
func outcomeLine(what, name string, o catalog.Outcome) string {
	if o == catalog.Unchanged {
		return fmt.Sprintf("%s %s is as it was", what, name)
	}
	return fmt.Sprintf("%s %s %s", what, name, o)
}
