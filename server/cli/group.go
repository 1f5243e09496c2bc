package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rocketmq-proxy/server/local/catalog"
)

const groupHelp = `rocketmq-proxy group looks after the consumer groups of a proxy in Local mode, running or not.

Usage:

  rocketmq-proxy group create [flags] GROUP     make a group, or change it
  rocketmq-proxy group list                     all groups, and how far behind they are
  rocketmq-proxy group describe GROUP           one group, topic by topic and queue by queue
  rocketmq-proxy group threads GROUP CLIENT     what the threads of a client of the group do
  rocketmq-proxy group delete [-yes] GROUP      forget a group and what it has consumed;
                                                -yes: though clients are connected or messages
                                                in flight

Groups need not be created: they are on first use.

Flags of create, with mqadmin's spellings; what is not said stays as it is:

  -o, -orderly, -consumeMessageOrderly true|false
                        consume the messages of one message group in order
  -r, -retryMaxTimes N  deliveries beyond the first, before a message is a dead letter; 16
  -retry RESTS          how long a failed message rests, as 1s,5s,1m; the last repeats
  -p, -groupRetryPolicy JSON
                        the same as RocketMQ has it
  -lite TOPIC           make it a lite group of this topic: -a +lite.bind.topic=TOPIC
  -a, -attributes CHANGES
                        as +key=value,-key: lite.bind.topic, lite.sub.client.quota and more of
                        lite.sub, priority.factor
  -g, -groupName GROUP  the group, as mqadmin has it; -n, -b, -c, -s, -m, -d, -q, -i and
                        -w of mqadmin are passed over

` + storeHelp + `
Example:

  rocketmq-proxy group create -o true -r 5 billing
  rocketmq-proxy group describe billing

Exit code: 0 done, 1 not done, 2 wrong command line.
`

var groupVerbs = []verb{{"create", groupCreate}, {"list", groupList}, {"describe", groupDescribe}, {"threads", groupThreads}, {"delete", groupDelete}}

func runGroup(_ context.Context, args []string, w *World) error {
	return runVerb("group", groupHelp, groupVerbs, args, w)
}

// mqadminGroup are flags of mqadmin updateSubGroup and deleteSubGroup that say where the
// cluster is, or what pop consumers do not have.
var mqadminGroup = []string{
	"n", "namesrvAddr", "b", "brokerAddr", "c", "clusterName", "m", "consumeFromMinEnable", "d", "consumeBroadcastEnable",
	"q", "retryQueueNums", "i", "brokerId", "w", "whichBrokerWhenConsumeSlowly",
}

// groupFlags are what all verbs take.
func groupFlags(verb string) (f *flags, p *place, name *string) {
	f, p, name = newFlags("group "+verb, groupHelp), &place{}, new(string)
	p.flags(f)
	p.ignored(f, mqadminGroup...)
	f.text(name, "g", "groupName")
	return f, p, name
}

func groupCreate(args []string, w *World) error {
	f, p, flagged := groupFlags("create")
	var change catalog.GroupChange
	var retryMax, rests, policy, lite string
	orderly := func(value string) error {
		b := strings.EqualFold(value, "true")
		if !b && !strings.EqualFold(value, "false") {
			return errors.New("expected true or false")
		}
		change.Orderly = &b
		return nil
	}
	for _, name := range []string{"o", "orderly", "consumeMessageOrderly"} {
		f.Func(name, "", orderly)
	}
	for _, name := range []string{"s", "consumeEnable"} { // of mqadmin; every group may consume
		f.Func(name, "", func(value string) error {
			if !strings.EqualFold(value, "true") {
				return errors.New("a group cannot be kept from consuming here")
			}
			return nil
		})
	}
	f.text(&retryMax, "r", "retryMaxTimes")
	f.text(&rests, "retry")
	f.text(&policy, "p", "groupRetryPolicy")
	f.text(&lite, "lite")
	f.text(&change.Attributes, "a", "attributes")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	if change.Name, err = f.name(words, *flagged, "group"); err != nil {
		return err
	}
	if retryMax != "" {
		n, err := strconv.Atoi(retryMax)
		if err != nil {
			return f.wrong("-r %s is no number", retryMax)
		}
		change.RetryMax = &n
	}
	switch {
	case rests != "" && policy != "":
		return f.wrong("-retry and -p are two ways to say one thing: choose one")
	case rests != "":
		if change.Retry, err = parseRests(rests); err != nil {
			return f.wrong("-retry %s: %v", rests, err)
		}
	case policy != "":
		change.Retry = new(catalog.RetryPolicy)
		if err := json.Unmarshal([]byte(policy), change.Retry); err != nil {
			return f.wrong("-p %s: %v", policy, err)
		}
	}
	if lite != "" {
		change.Attributes = joinAttributes(change.Attributes, "+"+catalog.AttributeLiteBindTopic+"="+lite)
	}
	store, err := p.open(w, true)
	if err != nil {
		return err
	}
	defer store.Close()
	outcome, err := store.CreateGroup(change)
	if err != nil {
		return err
	}
	if p.json {
		info, err := store.Group(change.Name)
		if err != nil {
			return err
		}
		return writeJSON(w.Stdout, info)
	}
	_, err = fmt.Fprintln(w.Stdout, outcomeLine("group", change.Name, outcome))
	return err
}

func parseRests(text string) (*catalog.RetryPolicy, error) {
	table := &catalog.CustomizedRetry{}
	for part := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		table.NextMs = append(table.NextMs, d.Milliseconds())
	}
	return &catalog.RetryPolicy{Type: catalog.RetryCustomized, Customized: table}, nil
}

func groupList(args []string, w *World) error {
	f, p, flagged := groupFlags("list")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	if len(words) > 0 || *flagged != "" {
		return f.wrong("lists all groups; group describe NAME shows one")
	}
	store, err := p.open(w, false)
	if err != nil {
		return err
	}
	defer store.Close()
	groups, err := store.Groups()
	if err != nil {
		return err
	}
	if p.json {
		return writeJSON(w.Stdout, groups)
	}
	rows := [][]any{{"GROUP", "ORDER", "RETRIES", "CLIENTS", "LAG", "IN FLIGHT"}}
	for _, g := range groups {
		rows = append(rows, []any{g.Name, orderWord(g.Group), g.RetryMax, g.Clients, g.Lag, g.InFlight})
	}
	return table(w.Stdout, rows)
}

func orderWord(g catalog.Group) string {
	if g.Orderly {
		return "FIFO"
	}
	return "any"
}

func groupDescribe(args []string, w *World) error {
	f, p, flagged := groupFlags("describe")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	name, err := f.name(words, *flagged, "group")
	if err != nil {
		return err
	}
	store, err := p.open(w, false)
	if err != nil {
		return err
	}
	defer store.Close()
	info, err := store.Group(name)
	if err != nil {
		return err
	}
	if p.json {
		return writeJSON(w.Stdout, info)
	}
	rows := [][]any{
		{"group", info.Name}, {"order", orderWord(info.Group)}, {"retries", info.RetryMax}, {"retry after", retryWords(info.Retry)},
		{"clients", info.Clients}, {"lag", info.Lag}, {"in flight", info.InFlight},
	}
	rows = append(rows, attributeRows(info.Attributes)...)
	if err := table(w.Stdout, rows); err != nil {
		return err
	}
	fmt.Fprintln(w.Stdout)
	rows = [][]any{{"TOPIC", "QUEUE", "OFFSET", "MAX OFFSET", "LAG", "IN FLIGHT"}}
	for _, q := range info.Queues {
		rows = append(rows, []any{q.Topic, q.ID, q.Offset, q.Max, q.Lag, q.InFlight})
	}
	if err := table(w.Stdout, rows); err != nil || len(info.Members) == 0 {
		return err
	}
	fmt.Fprintln(w.Stdout)
	rows = [][]any{{"CLIENT", "KIND", "VERSION"}}
	for _, m := range info.Members {
		kind := "simple"
		if m.Pushes {
			kind = "push"
		}
		rows = append(rows, []any{m.ID, kind, m.Version})
	}
	return table(w.Stdout, rows)
}

func groupThreads(args []string, w *World) error {
	f, p, flagged := groupFlags("threads")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	if *flagged != "" {
		words = append([]string{*flagged}, words...)
	}
	if len(words) != 2 {
		return f.wrong("takes a group and a client; group describe GROUP lists the clients")
	}
	store, err := p.open(w, false)
	if err != nil {
		return err
	}
	defer store.Close()
	text, err := store.Threads(words[0], words[1])
	if err != nil {
		return err
	}
	if p.json {
		return writeJSON(w.Stdout, map[string]string{"threads": text})
	}
	_, err = fmt.Fprintln(w.Stdout, text)
	return err
}

// retryWords is a retry policy for a person.
func retryWords(p *catalog.RetryPolicy) string {
	ms := func(n int64) string { return (time.Duration(n) * time.Millisecond).String() }
	switch {
	case p != nil && p.Customized != nil:
		words := make([]string, len(p.Customized.NextMs))
		for i, n := range p.Customized.NextMs {
			words[i] = ms(n)
		}
		return strings.Join(words, " ")
	case p != nil && p.Exponential != nil:
		e := p.Exponential
		return fmt.Sprintf("%s, each time %d times as long, up to %s", ms(e.InitialMs), e.Multiplier, ms(e.MaxMs))
	case p != nil && p.Type == catalog.RetryExponential:
		return "5s, each time 2 times as long, up to 2h0m0s"
	}
	return "1s 5s 10s 30s 1m 2m ... 10m 20m 30m 1h 2h"
}

func groupDelete(args []string, w *World) error {
	f, p, flagged := groupFlags("delete")
	yes := f.Bool("yes", false, "")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	name, err := f.name(words, *flagged, "group")
	if err != nil {
		return err
	}
	store, err := p.open(w, false)
	if err != nil {
		return err
	}
	defer store.Close()
	info, err := store.Group(name)
	switch {
	case err != nil:
		return err
	case !*yes && (info.Clients > 0 || info.InFlight > 0):
		return fmt.Errorf("group %s has %d clients connected and %d messages in flight: -yes deletes it nevertheless", name, info.Clients, info.InFlight)
	}
	if err := store.DeleteGroup(name); err != nil {
		return err
	}
	if p.json {
		return writeJSON(w.Stdout, info)
	}
	_, err = fmt.Fprintf(w.Stdout, "group %s deleted\n", name)
	return err
}
