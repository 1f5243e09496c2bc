package server

import (
	"strings"
	"testing"

	"rocketmq-proxy/server/config"
)

func TestBanner(t *testing.T) {
	home := t.TempDir()
	resolve := func(args ...string) config.Config {
		t.Helper()
		c, _, err := config.Resolve(args, config.Environment{Home: home, Host: "h", Addr: "10.1.2.3", Data: "/data/rocketmq-proxy"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain := resolve()
	got := banner(&plain, 8081, "bin/rocketmq-proxy")
	want := `
rocketmq-proxy runs in Local mode, with a broker inside: no name server, configuration file or -pm says otherwise.

  Messages      /data/rocketmq-proxy
  Flushing      on disk before a send is acknowledged (SYNC_FLUSH)
  Clients dial  10.1.2.3:8081, and on this machine 127.0.0.1:8081
  TLS           on the same port, with a self-signed certificate of this start; cleartext too

Try it in another shell:

  bin/rocketmq-proxy send hello "hi"
  bin/rocketmq-proxy receive hello
  bin/rocketmq-proxy topic list

`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	other := resolve("-pm", "local", "-store", home+"/it's here")
	other.Local.Flush, other.Proxy.LocalAddr, other.TLS.TestMode = config.FlushAsync, "127.0.0.1", false
	got = banner(&other, 9000, "/opt/my proxy")
	for _, part := range []string{
		"a broker inside.\n", "every 500ms", "ASYNC_FLUSH", "Clients dial  127.0.0.1:9000\n", "conf/tls/rocketmq.crt; cleartext",
		"  '/opt/my proxy' send -addr 127.0.0.1:9000 hello \"hi\"\n", "topic list -store '" + home + `/it'\''s here'`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing in\n%s", part, got)
		}
	}
}
