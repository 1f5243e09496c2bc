package differential

import (
	"cmp"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The rules of what is not compared; server/docs/differences.md lists them in words.
var (
	receiptHandle = regexp.MustCompile(`^\d+ \d{13} (\d+) \d+ (\d) (\S+) (\d+) (\d+)((?: -?\d+)*)$`)
	millis        = regexp.MustCompile(`\b\d{13}\b`)
	loopback      = regexp.MustCompile(`\b127\.0\.0\.1:\d+`)
	offsetID      = regexp.MustCompile(`\b7F000001[0-9A-F]{24}\b`) // of a message at 127.0.0.1

	// What Java puts around a message: the class of an exception in front, where to read more, and
	// where in its sources it was thrown behind.
	exceptionPrefix = regexp.MustCompile(`\b(?:org\.apache\.rocketmq|java)\.[\w.]+(?:Exception|Error): `)
	questions       = regexp.MustCompile(`(?s)\nFor more information, please visit the url, .*`)
	exceptionSuffix = regexp.MustCompile(`(?s)(?:\. \w+(?:Exception|Error)\. [\w.$/]+\..*|, [\w.$/<>]+\(\w+\.java:\d+\))$`)
)

// thrown ends a message of the reference's that is the text of an exception. Such texts are for
// people who read Java; any other text is as good.
const thrown = " <exception>"

// nowSlack is how far from the row's beginning the clock of a proxy may be read.
const nowSlack = 2 * time.Minute

func (r *run) normal(text string) string {
	if part := receiptHandle.FindStringSubmatch(text); part != nil {
		text = "handle invisible=" + roundSeconds(part[1]) + " retry=" + part[2] + " broker " + part[3] + " words=" + strconv.Itoa(8+len(strings.Fields(part[6])))
	}
	if recall, err := base64.URLEncoding.DecodeString(text); err == nil && strings.HasPrefix(string(recall), "v1 ") {
		text = "recall " + millis.ReplaceAllStringFunc(string(recall), secondBefore)
	}
	for _, name := range r.longestFirst() {
		text = strings.ReplaceAll(text, r.vars[name], "{"+name+"}")
	}
	text = r.withoutBroker(r.withoutJava(text))
	text = loopback.ReplaceAllString(text, "127.0.0.1:<port>")
	text = offsetID.ReplaceAllString(text, "<offset id>")
	text = strings.ReplaceAll(text, "proto:\u00a0", "proto: ") // which of the two changes from build to build
	return millis.ReplaceAllStringFunc(text, func(digits string) string {
		n, _ := strconv.ParseInt(digits, 10, 64)
		return r.time(time.UnixMilli(n))
	})
}

// roundSeconds leaves out what a broker adds to the invisible duration of an ordered message: the
// time since its first delivery.
func roundSeconds(ms string) string {
	n, _ := strconv.ParseInt(ms, 10, 64)
	return (time.Duration(n) * time.Millisecond).Round(time.Second).String()
}

// secondBefore is the second in which a recalled message is due: a handle says a millisecond more,
// and brokers count in seconds.
func secondBefore(ms string) string {
	n, _ := strconv.ParseInt(ms, 10, 64)
	return strconv.FormatInt((n-1)/1000*1000, 10)
}

// withoutBroker replaces the broker's name where it is a word of its own.
func (r *run) withoutBroker(text string) string {
	words := strings.Split(text, " ")
	for i, word := range words {
		if word == r.side.Broker {
			words[i] = "{broker}"
		}
	}
	return strings.Join(words, " ")
}

func (r *run) withoutJava(text string) string {
	text = questions.ReplaceAllString(text, "")
	text = exceptionPrefix.ReplaceAllString(text, "")
	return exceptionSuffix.ReplaceAllString(text, thrown)
}

// shortestName is how long a variable's value must be: a shorter one would be found in words that
// have nothing to do with it.
const shortestName = 8

// longestFirst are the variables in an order in which none is found inside another.
func (r *run) longestFirst() []string {
	var names []string
	for name, value := range r.vars {
		if len(value) >= shortestName && name != "broker" {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(len(r.vars[b])-len(r.vars[a]), strings.Compare(a, b))
	})
	return names
}

// time is the name of a time that the row spoke of, or what clock makes of it.
func (r *run) time(t time.Time) string {
	if name := r.times[t.UnixMilli()]; name != "" && t.Equal(t.Truncate(time.Millisecond)) {
		return name
	}
	return r.clock(t)
}

// clock is <now> for a time while the row runs, and the time itself for others.
func (r *run) clock(t time.Time) string {
	if d := t.Sub(r.now); d > -nowSlack && d < nowSlack {
		return "<now>"
	}
	return t.UTC().Format(time.RFC3339Nano)
}
