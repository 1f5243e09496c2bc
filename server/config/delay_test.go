package config

import (
	"strings"
	"testing"
	"time"
)

func TestDelays(t *testing.T) {
	delays, err := Default(testEnv).Message.Delays()
	if err != nil || len(delays) != 18 || delays[0] != time.Second || delays[4] != time.Minute || delays[17] != 2*time.Hour {
		t.Errorf("%v, %v", delays, err)
	}
	if delays, err = (Message{DelayLevels: " 3d  1s 365d "}).Delays(); err != nil || len(delays) != 3 || delays[0] != 72*time.Hour || delays[1] != time.Second {
		t.Errorf("%v, %v", delays, err)
	}
}

func TestDelaysThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		" ": "has no level", "5": `the level "5"`, "s": `the level "s"`, "1s,5s": `the level "1s,5s"`, "1s 0m": `the level "0m"`,
		"-1s": `the level "-1s"`, "1w": `the level "1w"`, "366d": `the level "366d"`, "99999999999s": `the level "99999999999s"`,
	} {
		c := Default(testEnv)
		c.Message.DelayLevels = text
		if faults := c.Validate(); len(faults) != 1 || faults[0].Key != "messageDelayLevel" || !strings.Contains(faults[0].Problem, want) {
			t.Errorf("%q: %v, want %s", text, faults, want)
		}
	}
}

// TestDelayLevelsOfABroker: in Local mode both Java programs have the key, and the proxy's wins.
func TestDelayLevelsOfABroker(t *testing.T) {
	for _, test := range []struct{ file, want string }{{`{}`, "7s 9s"}, {`{"messageDelayLevel": "3s"}`, "3s"}} {
		c, _, err := Parse("rmq-proxy.json", []byte(test.file), Default(testEnv))
		if err != nil {
			t.Fatal(err)
		}
		if notices, faults := c.parseBroker("broker.conf", "messageDelayLevel=7s 9s"); len(notices)+len(faults) > 0 || c.Message.DelayLevels != test.want {
			t.Errorf("%s: %q, %v %v", test.file, c.Message.DelayLevels, notices, faults)
		}
	}
}

func FuzzDelays(f *testing.F) {
	f.Add(delayLevelsDefault)
	f.Add("1d 365d é 99999999999h")
	f.Fuzz(func(t *testing.T, text string) {
		delays, err := Message{DelayLevels: text}.Delays()
		for _, d := range delays {
			if err != nil || d <= 0 || d > delayLevelMax {
				t.Errorf("%v, %v", d, err)
			}
		}
	})
}
