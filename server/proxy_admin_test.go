package server_test

import (
	"io"
	"net/http"
	"regexp"

	"rocketmq-proxy/server/config"
)

func openAdmin(c *config.Config) { c.Operator.AdminAddr = "127.0.0.1:0" }

// adminURL is where the admin port is.
func (w *world) adminURL() string {
	w.Helper()
	w.proxy.Announce(io.Discard, "")
	addr := regexp.MustCompile(`"admin":"([^"]+)"`).FindStringSubmatch(w.log.String())
	if addr == nil {
		w.Fatal("the log does not say where the admin port is")
	}
	return "http://" + addr[1]
}

// adminPage is what a page of the admin port says.
func (w *world) adminPage(path string) []byte {
	w.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get(w.adminURL() + path)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		w.Fatalf("%s: %d %s, %v", path, response.StatusCode, text, err)
	}
	return text
}
