package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestTrustedRelays(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "[]",
		" , ":                                 "[]",
		"10.0.0.0/8":                          "[10.0.0.0/8]",
		"10.1.2.3, fd00::/8,, ::1 ,":          "[10.1.2.3/32 fd00::/8 ::1/128]",
		"0.0.0.0/0,::/0":                      "[0.0.0.0/0 ::/0]",
		"10.1.2.3,10.1.2.3/32":                "[10.1.2.3/32]",
		"::ffff:10.1.2.3,::ffff:10.0.0.0/104": "[10.1.2.3/32 10.0.0.0/8]",
	} {
		c := Default(testEnv)
		c.GRPC.ProxyProtocolTrusted = text
		networks, _ := c.GRPC.TrustedRelays()
		if got := fmt.Sprint(networks); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		if faults := c.Validate(); len(faults) > 0 {
			t.Errorf("%q: %v", text, faults)
		}
	}
}

// All that is wrong is told at once.
func TestTrustedRelaysThatCannotBe(t *testing.T) {
	for text, want := range map[string][]string{
		"lb.example.com":                  {`has the network "lb.example.com"; expected one as 10.0.0.0/8 or fd00::/8`},
		"10.0.0.0/33":                     {`has the network "10.0.0.0/33"`},
		"10.1.2.3/8":                      {"did you mean 10.0.0.0/8?"},
		"10.1.2.3:80":                     {`has the network "10.1.2.3:80"`},
		"::ffff:0.0.0.0/90":               {"did you mean ::ffc0:0:0/90?"},
		"10.0.0.0/8;fd00::/8":             {`has the network "10.0.0.0/8;fd00::/8"`},
		"1.2.3, 10.0.0.0/8, fd00::1/8, *": {`"1.2.3"`, "did you mean fd00::/8?", `"*"`},
	} {
		c := Default(testEnv)
		c.GRPC.ProxyProtocolTrusted = text
		faults := c.Validate()
		if len(faults) != len(want) {
			t.Errorf("%q: %v", text, faults)
			continue
		}
		for i, f := range faults {
			if f.Key != "proxyProtocolTrusted" || !strings.Contains(f.Problem, want[i]) {
				t.Errorf("%q: %v, want %s", text, f, want[i])
			}
		}
	}
}
