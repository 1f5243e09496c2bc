package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestAdvertised(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "[]",
		" ; ":                  "[]",
		"dialled":              "[{invalid Prefix true []}]",
		"Dialled;":             "[{invalid Prefix true []}]",
		"lb.example.com:443":   "[{invalid Prefix false [lb.example.com:443]}]",
		"1.2.3.4:1, 1.2.3.5:2": "[{invalid Prefix false [1.2.3.4:1 1.2.3.5:2]}]",
		"[fd00::1]:8081":       "[{invalid Prefix false [[fd00::1]:8081]}]",
		"10.0.0.0/8 = 10.1.2.3:8081 ; fd00::/8=[fd00::1]:8081,[fd00::2]:8081; 10.9.8.7=dialled; lb.example.com:443": "[{10.0.0.0/8 false [10.1.2.3:8081]} " +
			"{fd00::/8 false [[fd00::1]:8081 [fd00::2]:8081]} {10.9.8.7/32 true []} {invalid Prefix false [lb.example.com:443]}]",
	} {
		rules, err := Proxy{Advertise: text}.Advertised()
		if got := fmt.Sprint(rules); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestAdvertiseThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"proxy.example.com":             `has "proxy.example.com" for all other clients, which is not host:port`,
		"fd00::1:8081":                  `which is not host:port`,
		"1.2.3.4:0":                     `the port "0"`,
		"10.0.0.0/8=":                   `has "" for clients of 10.0.0.0/8`,
		"10.0.0.0/33=dialled":           `has the network "10.0.0.0/33"`,
		"everybody=dialled":             `has the network "everybody"; expected one as 10.0.0.0/8`,
		"10.1.2.3/8=dialled":            `did you mean 10.0.0.0/8?`,
		"dialled;1.2.3.4:1":             `says two things to all other clients`,
		"fd00::/8=dialled;fd00::/8=a:1": `says two things to clients of fd00::/8`,
		"a.example:1,b.example:1":       "clients take one name",
		"1.2.3.4:1,b.example:1":         "clients take one name",
		"1.2.3.4:1,[::1]:1":             "clients take one name, or several addresses of one kind",
	} {
		c := Default(testEnv)
		c.Proxy.Advertise = text
		if faults := c.Validate(); len(faults) != 1 || faults[0].Key != "advertise" || !strings.Contains(faults[0].Problem, want) {
			t.Errorf("%q: %v, want %s", text, faults, want)
		}
	}
}

func FuzzAdvertised(f *testing.F) {
	f.Add("10.0.0.0/8=10.1.2.3:8081,10.1.2.4:8081; [fd00::1]:443")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := Proxy{Advertise: text}.Advertised()
		for _, r := range rules {
			if err != nil || r.Dialled == (len(r.Addrs) > 0) {
				t.Errorf("%+v, %v", r, err)
			}
		}
	})
}
