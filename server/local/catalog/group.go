package catalog

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Group is the settings of a consumer group.
type Group struct {
	Name       string            `json:"name"`
	Orderly    bool              `json:"orderly"`               // messages of one message group are consumed in order
	RetryMax   int               `json:"retryMax"`              // deliveries beyond the first, before a message is a dead letter
	Retry      *RetryPolicy      `json:"retryPolicy,omitempty"` // nil: RocketMQ's table of 1s 5s 10s 30s 1m ... 2h
	Attributes map[string]string `json:"attributes,omitempty"`  // nil when there are none
}

// The attributes of a group that others look at.
const (
	AttributeLiteBindTopic = "lite.bind.topic"       // the one topic of a lite group
	AttributeLiteQuota     = "lite.sub.client.quota" // lite topics that one client may subscribe to
)

// RetryPolicy says how long a failed message rests. Its JSON is RocketMQ's groupRetryPolicy.
type RetryPolicy struct {
	Type        string            `json:"type"` // RetryCustomized or RetryExponential
	Customized  *CustomizedRetry  `json:"customizedRetryPolicy,omitempty"`
	Exponential *ExponentialRetry `json:"exponentialRetryPolicy,omitempty"`
}

// The types of RetryPolicy.
const (
	RetryCustomized  = "CUSTOMIZED"
	RetryExponential = "EXPONENTIAL"
)

// CustomizedRetry is a rest for each attempt, in ms; the last repeats.
type CustomizedRetry struct {
	NextMs []int64 `json:"next"`
}

// ExponentialRetry is a rest that grows from attempt to attempt, in ms.
type ExponentialRetry struct {
	InitialMs  int64 `json:"initial"`
	MaxMs      int64 `json:"max"`
	Multiplier int64 `json:"multiplier"`
}

// GroupChange is what is asked of a group; a nil field, and no Attributes, ask for nothing.
type GroupChange struct {
	Name     string       `json:"name"`
	Orderly  *bool        `json:"orderly,omitempty"`
	RetryMax *int         `json:"retryMax,omitempty"`
	Retry    *RetryPolicy `json:"retryPolicy,omitempty"`
	// Attributes are changes as mqadmin has them: "+priority.factor=50,-lite.bind.topic".
	Attributes string `json:"attributes,omitempty"`
}

// The bounds of a group's numbers.
const (
	retryMaxMost  = 10000
	retryRestMost = 7 * 24 * time.Hour
	retryNextMost = 64
)

// DefaultGroup is a new group before anything is asked of it.
func DefaultGroup(name string) Group { return Group{Name: name, RetryMax: 16} }

// Change is g as c asks for, with what that makes of it: Changed or Unchanged. g is left alone;
// the error is an [Error] of kind Invalid. A new group is a change of [DefaultGroup].
func (g Group) Change(c GroupChange) (Group, Outcome, error) {
	if err := CheckGroupName(c.Name); err != nil {
		return g, "", err
	}
	changed := g
	if c.Orderly != nil {
		changed.Orderly = *c.Orderly
	}
	if c.RetryMax != nil {
		changed.RetryMax = *c.RetryMax
	}
	if c.Retry != nil {
		changed.Retry = c.Retry
	}
	attributes, err := alter(changed.Attributes, c.Attributes, groupAttributes)
	if err != nil {
		return g, "", err
	}
	changed.Attributes = orNil(attributes)
	switch {
	case changed.RetryMax < 0 || changed.RetryMax > retryMaxMost:
		return g, "", Errorf(Invalid, "the retry maximum is %d, expected 0 to %d", changed.RetryMax, retryMaxMost)
	case changed.Retry != nil:
		if err := changed.Retry.check(); err != nil {
			return g, "", err
		}
	}
	if changed.equal(&g) {
		return g, Unchanged, nil
	}
	return changed, Changed, nil
}

func (p *RetryPolicy) check() error {
	rest := func(ms int64) error {
		if ms < 0 || ms > retryRestMost.Milliseconds() {
			return Errorf(Invalid, "a message cannot rest %d ms between attempts, expected 0 to %d", ms, retryRestMost.Milliseconds())
		}
		return nil
	}
	switch {
	case p.Type == RetryCustomized && p.Exponential == nil:
		if p.Customized == nil { // RocketMQ's own table
			return nil
		}
		if n := len(p.Customized.NextMs); n < 1 || n > retryNextMost {
			return Errorf(Invalid, "a retry policy has %d rests, expected 1 to %d", n, retryNextMost)
		}
		for _, ms := range p.Customized.NextMs {
			if err := rest(ms); err != nil {
				return err
			}
		}
		return nil
	case p.Type == RetryExponential && p.Customized == nil:
		e := p.Exponential
		if e == nil { // RocketMQ's own numbers
			return nil
		}
		if e.Multiplier < 1 || e.Multiplier > 1000 || e.MaxMs < e.InitialMs {
			return Errorf(Invalid, "an exponential retry policy wants initial <= max and a multiplier of 1 to 1000, not %d, %d and %d", e.InitialMs, e.MaxMs, e.Multiplier)
		}
		if err := rest(e.InitialMs); err != nil {
			return err
		}
		return rest(e.MaxMs)
	}
	return Errorf(Invalid, `the retry policy is of type %q, expected {"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[1000,5000]}} or `+
		`{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":5000,"max":7200000,"multiplier":2}}`, p.Type)
}

func (g *Group) equal(o *Group) bool {
	return g.Name == o.Name && g.Orderly == o.Orderly && g.RetryMax == o.RetryMax && g.Retry.equal(o.Retry) && maps.Equal(g.Attributes, o.Attributes)
}

func (p *RetryPolicy) equal(o *RetryPolicy) bool {
	switch {
	case p == nil || o == nil:
		return p == o
	case p.Type != o.Type || (p.Customized == nil) != (o.Customized == nil) || (p.Exponential == nil) != (o.Exponential == nil):
		return false
	case p.Customized != nil:
		return slices.Equal(p.Customized.NextMs, o.Customized.NextMs)
	}
	return p.Exponential == nil || *p.Exponential == *o.Exponential
}

// groupCharsMax is the length of a group's name, in characters.
const groupCharsMax = 120

// CheckGroupName tells whether a person may make a group of that name.
func CheckGroupName(name string) error {
	if err := checkName("group", name, groupCharsMax); err != nil {
		return err
	}
	if strings.HasPrefix(name, "CID_RMQ_SYS_") {
		return Errorf(Invalid, "RocketMQ keeps names that begin with CID_RMQ_SYS_ for itself: choose another")
	}
	return nil
}
