package server

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"rocketmq-proxy/server/config"
)

// banner is what Local mode says to a person who just started it: what they have, where it is,
// and what to type next.
func banner(c *config.Config, port int, program string) string {
	var b strings.Builder
	b.WriteString("\nrocketmq-proxy runs in Local mode, with a broker inside")
	if c.ChosenLocal() {
		b.WriteString(": no name server, configuration file or -pm says otherwise")
	}
	b.WriteString(".\n\n")
	addr := net.JoinHostPort(c.Proxy.LocalAddr, strconv.Itoa(port))
	loopback := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	dial := addr
	if c.Proxy.LocalAddr != "127.0.0.1" {
		dial += ", and on this machine " + loopback
	}
	for _, line := range [][2]string{
		{"Messages", c.Local.StorePath},
		{"Flushing", flushWords(&c.Local)},
		{"Clients dial", dial},
		{"TLS", tlsWords(&c.TLS)},
	} {
		fmt.Fprintf(&b, "  %-14s%s\n", line[0], line[1])
	}
	at := ""
	if port != 8081 { // the default of -addr
		at = " -addr " + loopback
	}
	there := ""
	if c.Origin("storePathRootDir") != "default" {
		there = " -store " + shellWord(c.Local.StorePath)
	}
	program = shellWord(program)
	fmt.Fprintf(&b, "\nTry it in another shell:\n\n  %s send%s hello \"hi\"\n  %s receive%s hello\n  %s topic list%s\n\n", program, at, program, at, program, there)
	return b.String()
}

func flushWords(l *config.Local) string {
	if l.Flush == config.FlushAsync {
		return fmt.Sprintf("every %v: a fall of the machine may lose what came in it (ASYNC_FLUSH)", l.FlushInterval.Round(time.Millisecond))
	}
	return "on disk before a send is acknowledged (SYNC_FLUSH)"
}

func tlsWords(t *config.TLS) string {
	if t.TestMode {
		return "on the same port, with a self-signed certificate of this start; cleartext too"
	}
	return "on the same port, with the certificate in " + t.CertPath + "; cleartext too"
}

// shellWord is s as a shell takes it for one word.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+=:,@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
