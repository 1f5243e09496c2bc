package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rocketmq-proxy/server/local/catalog"
)

const topicHelp = `rocketmq-proxy topic looks after the topics of a proxy in Local mode, running or not.

Usage:

  rocketmq-proxy topic create [flags] TOPIC     make a topic, or change it
  rocketmq-proxy topic list [-all]              all topics; -all: retry topics too
  rocketmq-proxy topic describe TOPIC           one topic and its queues
  rocketmq-proxy topic delete [-yes] TOPIC      forget a topic; -yes: its messages too

Topics need not be created: they are on first use, and take messages of every type then.

Flags of create, with mqadmin's spellings; what is not said stays as it is:

  -type TYPE, -a +message.type=TYPE
                        the messages it takes: NORMAL, FIFO, DELAY, TRANSACTION, PRIORITY, LITE,
                        MIXED (the first four) or ANY
  -a, -attributes CHANGES
                        as +key=value,-key: message.type, lite.topic.expiration
  -queues N             number of queues; apart for writing (-w, -writeQueueNums) and
                        reading (-r, -readQueueNums)
  -p, -perm N           2: may be sent to, 4: may be received from, 6: both
  -t, -topic TOPIC      the topic, as mqadmin has it; -n, -b, -c, -o, -u and -s of mqadmin are
                        passed over

` + storeHelp + `
Example:

  rocketmq-proxy topic create -type FIFO orders
  rocketmq-proxy topic list

Exit code: 0 done, 1 not done, 2 wrong command line.
`

var topicVerbs = []verb{{"create", topicCreate}, {"list", topicList}, {"describe", topicDescribe}, {"delete", topicDelete}}

func runTopic(_ context.Context, args []string, w *World) error {
	return runVerb("topic", topicHelp, topicVerbs, args, w)
}

// mqadminTopic are flags of mqadmin updateTopic, deleteTopic and topicStatus that say where the
// cluster is, or what nobody needs here.
var mqadminTopic = []string{"n", "namesrvAddr", "b", "brokerAddr", "c", "clusterName", "o", "order", "u", "unit", "s", "hasUnitSub"}

// topicFlags are what all verbs take.
func topicFlags(verb string) (f *flags, p *place, name *string) {
	f, p, name = newFlags("topic "+verb, topicHelp), &place{}, new(string)
	p.flags(f)
	p.ignored(f, mqadminTopic...)
	f.text(name, "t", "topic")
	return f, p, name
}

func topicCreate(args []string, w *World) error {
	f, p, flagged := topicFlags("create")
	var change catalog.TopicChange
	var kind string
	var queues int
	f.text(&kind, "type")
	f.text(&change.Attributes, "a", "attributes")
	f.number(&queues, "queues")
	f.number(&change.WriteQueues, "w", "writeQueueNums")
	f.number(&change.ReadQueues, "r", "readQueueNums")
	f.number(&change.Perm, "p", "perm")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	if change.Name, err = f.name(words, *flagged, "topic"); err != nil {
		return err
	}
	if queues != 0 {
		if change.WriteQueues != 0 || change.ReadQueues != 0 {
			return f.wrong("-queues is -r and -w in one: say it in one way")
		}
		change.WriteQueues, change.ReadQueues = queues, queues
	}
	if kind != "" {
		change.Attributes = joinAttributes(change.Attributes, "+message.type="+strings.ToUpper(kind))
	}
	store, err := p.open(w, true)
	if err != nil {
		return err
	}
	defer store.Close()
	outcome, err := store.CreateTopic(change)
	if err != nil {
		return err
	}
	if p.json {
		info, err := store.Topic(change.Name)
		if err != nil {
			return err
		}
		return writeJSON(w.Stdout, info)
	}
	_, err = fmt.Fprintln(w.Stdout, outcomeLine("topic", change.Name, outcome))
	return err
}

func joinAttributes(changes, one string) string {
	if changes == "" {
		return one
	}
	return changes + "," + one
}

func topicList(args []string, w *World) error {
	f, p, flagged := topicFlags("list")
	all := f.Bool("all", false, "")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	if len(words) > 0 || *flagged != "" {
		return f.wrong("lists all topics; topic describe NAME shows one")
	}
	store, err := p.open(w, false)
	if err != nil {
		return err
	}
	defer store.Close()
	topics, err := store.Topics()
	if err != nil {
		return err
	}
	if !*all {
		topics = slices.DeleteFunc(topics, func(t catalog.TopicInfo) bool { return isSystem(t.Name) })
	}
	if p.json {
		return writeJSON(w.Stdout, topics)
	}
	rows := [][]any{{"TOPIC", "TYPE", "QUEUES", "MESSAGES"}}
	for _, t := range topics {
		rows = append(rows, []any{t.Name, t.Type, queueWords(t.Topic), t.Messages})
	}
	return table(w.Stdout, rows)
}

// queueWords are the queues of a topic in a word.
func queueWords(t catalog.Topic) string {
	words := strconv.Itoa(t.ReadQueues)
	if t.ReadQueues != t.WriteQueues {
		words = fmt.Sprintf("%d (%d written)", t.ReadQueues, t.WriteQueues)
	}
	switch t.Perm {
	case catalog.Readable:
		words += ", read only"
	case catalog.Writable:
		words += ", write only"
	}
	return words
}

func topicDescribe(args []string, w *World) error {
	f, p, flagged := topicFlags("describe")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	name, err := f.name(words, *flagged, "topic")
	if err != nil {
		return err
	}
	store, err := p.open(w, false)
	if err != nil {
		return err
	}
	defer store.Close()
	info, err := store.Topic(name)
	if err != nil {
		return err
	}
	if p.json {
		return writeJSON(w.Stdout, info)
	}
	rows := [][]any{
		{"topic", info.Name}, {"type", info.Type}, {"queues", queueWords(info.Topic)}, {"messages", info.Messages},
	}
	rows = append(rows, attributeRows(info.Attributes)...)
	if err := table(w.Stdout, rows); err != nil {
		return err
	}
	fmt.Fprintln(w.Stdout)
	rows = [][]any{{"QUEUE", "MIN OFFSET", "MAX OFFSET", "MESSAGES", "LAST STORED"}}
	for _, q := range info.Queues {
		rows = append(rows, []any{q.ID, q.Min, q.Max, q.Max - q.Min, when(q.StoredMs)})
	}
	return table(w.Stdout, rows)
}

func attributeRows(attributes map[string]string) (rows [][]any) {
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		rows = append(rows, []any{key, attributes[key]})
	}
	return rows
}

func when(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).Format(time.DateTime)
}

func topicDelete(args []string, w *World) error {
	f, p, flagged := topicFlags("delete")
	yes := f.Bool("yes", false, "")
	words, err := f.parse(args)
	if err != nil {
		return err
	}
	name, err := f.name(words, *flagged, "topic")
	if err != nil {
		return err
	}
	store, err := p.open(w, false)
	if err != nil {
		return err
	}
	defer store.Close()
	info, err := store.Topic(name)
	switch {
	case err != nil:
		return err
	case info.Messages > 0 && !*yes:
		return fmt.Errorf("topic %s has %d messages, which would be lost: -yes deletes them too", name, info.Messages)
	}
	if err := store.DeleteTopic(name); err != nil {
		return err
	}
	if p.json {
		return writeJSON(w.Stdout, info)
	}
	_, err = fmt.Fprintf(w.Stdout, "topic %s deleted\n", name)
	return err
}
