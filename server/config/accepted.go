package config

import (
	_ "embed"
	"strings"
)

// Class says what becomes of a key of the Java proxy here; see java_keys.txt.
type Class byte

// The classes of java_keys.txt.
const (
	ClassSame  Class = 'A' // acts the same, or is to
	ClassShape Class = 'B' // belongs to a mechanism that we have in another shape
	ClassNone  Class = 'C' // belongs to a mechanism that we do not have
	ClassNext  Class = 'D' // of the Java proxy's development branch
)

//go:embed java_keys.txt
var javaKeysText string

// javaKey is a key of the Java proxy.
type javaKey struct {
	class Class
	name  string
	value string // the Java proxy's default as JSON; * when it depends on the machine
}

// javaKeys are the keys of the Java proxy by their lower-case name.
var javaKeys = readJavaKeys(javaKeysText)

func readJavaKeys(text string) map[string]javaKey {
	all := make(map[string]javaKey)
	for line := range strings.Lines(text) {
		class, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || class == "#" {
			continue
		}
		name, value, _ := strings.Cut(rest, " ")
		all[strings.ToLower(name)] = javaKey{Class(class[0]), name, value}
	}
	return all
}

// because says why a key of a class is without effect.
var because = map[Class]string{
	ClassSame:  "not supported yet, so it has no effect",
	ClassShape: "belongs to a mechanism that this proxy has in another shape, so it has no effect",
	ClassNone:  "belongs to a mechanism that this proxy does not have, so it has no effect",
	ClassNext:  "is of no released Java proxy, so it has no effect",
}

// reasons are the keys of which there is more to say than what their class says: why they can have
// no effect here. They are said aloud, as whoever set them meant something.
var reasons = map[string]string{
	"rocketmqMQClientNum":                   "has no effect: calls to a broker share a connection of their kind, and more of them would make smaller batches",
	"grpcWorkerLoopNum":                     "has no effect: event loops do less here than in the Java proxy, and their number follows the cores",
	"longPollingReserveTimeInMillis":        "has no effect, as it has none on receives of the Java proxy 5.5.0",
	"enableBatchAck":                        "has no effect: acknowledgements that come together leave for the broker in one write as they are",
	"lockTimeoutMsInHandleGroup":            "has no effect: receipt handles have one owner here, and no locks",
	"transactionDataExpireScanPeriodMillis": "has no effect: what is too old is refused when it is asked for, whenever that is",
	"transactionDataMaxWaitClearMillis":     "has no effect: at the end calls have grpcShutdownTimeSeconds, and brokers ask again about what is left of transactions",
	"channelExpiredInSeconds":               "has no effect: there are no connections inside the process",
	"contextExpiredInSeconds":               "has no effect: there are no connections inside the process",
}

// refused are the values of keys without effect that must not be ignored: whoever wrote them
// relies on a door being locked.
var refused = map[string]struct{ value, problem string }{
	"authenticationEnabled": {"true", "is true, but this version cannot check signatures and will not serve without; set it to false, or use a version that can"},
	"authorizationEnabled":  {"true", "is true, but this version cannot check permissions and will not serve without; set it to false, or use a version that can"},
}

// oldNames are keys that people find in old texts, with today's name.
var oldNames = map[string]string{
	"grpctlstestmodeenable": "tlsTestModeEnable",
	"grpctlskeypath":        "tlsKeyPath",
	"grpctlscertpath":       "tlsCertPath",
	"nameserveraddr":        "namesrvAddr",
	"namesrvaddress":        "namesrvAddr",
}

// meant is the known key that an unknown one looks like, or "".
func meant(unknown string) string {
	unknown = strings.ToLower(unknown)
	if today, ok := oldNames[unknown]; ok {
		return today
	}
	best, bestAt := "", len(unknown)/4+1
	try := func(name string) {
		d := distance(unknown, strings.ToLower(name), bestAt)
		if d < bestAt || d == bestAt && best != "" && name < best {
			best, bestAt = name, d
		}
	}
	for i := range keys {
		try(keys[i].name)
	}
	for _, k := range javaKeys {
		try(k.name)
	}
	return best
}

// distance is the number of letters to insert, delete or replace that make b of a; it stops
// counting above most.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
