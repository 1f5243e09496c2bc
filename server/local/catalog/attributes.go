package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// attribute says what an attribute takes: words, or a number in a range; neither is any text.
type attribute struct {
	words    []string
	min, max int64
	number   bool
}

const attributeMessageType = "message.type"

// numberMost is the bound of numbers that have no other.
const numberMost = 1<<31 - 1

// topicAttributes are the attributes of topics that RocketMQ 5.5 has. Those with one word here
// have another in RocketMQ for a mechanism that is not in this broker.
var topicAttributes = map[string]attribute{
	attributeMessageType:    {words: MessageTypes},
	"queue.type":            {words: []string{"SimpleCQ"}},
	"cleanup.policy":        {words: []string{"DELETE"}},
	"lite.topic.expiration": {number: true, min: -1, max: numberMost},
}

// groupAttributes are the attributes of groups that RocketMQ 5.5 has.
var groupAttributes = map[string]attribute{
	AttributeLiteBindTopic:              {},
	AttributeLiteQuota:                  {number: true, min: 0, max: numberMost},
	"lite.sub.model":                    {words: []string{"Shared", "Exclusive"}},
	"lite.sub.client.max.event.cnt":     {number: true, min: 10, max: numberMost},
	"lite.sub.reset.offset.exclusive":   {words: []string{"true", "false"}},
	"lite.sub.reset.offset.unsubscribe": {words: []string{"true", "false"}},
	"priority.factor":                   {number: true, min: 0, max: 100},
}

// alter applies changes, as "+key=value,-key", to a copy of attributes.
func alter(attributes map[string]string, changes string, known map[string]attribute) (map[string]string, error) {
	altered := maps.Clone(attributes)
	if altered == nil {
		altered = make(map[string]string)
	}
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(changes, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		key, value, valued := strings.Cut(part[1:], "=")
		takes, isKnown := known[key]
		switch {
		case part[0] != '+' && part[0] != '-' || key == "" || (part[0] == '+') != valued:
			return nil, Errorf(Invalid, "%q is no change of an attribute, expected +key=value to set it or -key to remove it", part)
		case !isKnown:
			return nil, Errorf(Invalid, "there is no attribute %s; the attributes are %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case seen[key]:
			return nil, Errorf(Invalid, "the attribute %s is changed twice", key)
		}
		seen[key] = true
		if part[0] == '-' {
			delete(altered, key)
			continue
		}
		tidy, err := takes.read(key, value)
		if err != nil {
			return nil, err
		}
		altered[key] = tidy
	}
	return altered, nil
}

// removes tells whether changes, which alter let pass, remove key.
func removes(changes, key string) bool {
	for part := range strings.SplitSeq(changes, ",") {
		if strings.TrimSpace(part) == "-"+key {
			return true
		}
	}
	return false
}

// read is value as it is kept: words are taken in any case.
func (a *attribute) read(key, value string) (string, error) {
	switch {
	case a.words != nil:
		for _, word := range a.words {
			if strings.EqualFold(word, value) {
				return word, nil
			}
		}
		return "", Errorf(Invalid, "%s is %q, expected one of %s", key, value, strings.Join(a.words, ", "))
	case a.number:
		if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < a.min || n > a.max {
			return "", Errorf(Invalid, "%s is %q, expected a number from %d to %d", key, value, a.min, a.max)
		}
	case value == "":
		return "", Errorf(Invalid, "%s has no value; -%s removes it", key, key)
	}
	return value, nil
}
