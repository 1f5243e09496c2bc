package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// FlushMode is when a message counts as stored.
type FlushMode string

// The flush modes, named as RocketMQ's broker names them.
const (
	FlushSync  FlushMode = "SYNC_FLUSH"  // when the disk has it
	FlushAsync FlushMode = "ASYNC_FLUSH" // when the system has it; the disk follows
)

// Local is the broker inside, of Local mode. Keys are those of RocketMQ's broker where it has
// one, and are read from its broker.conf too; the others are our own.
type Local struct {
	// StorePath is the directory that holds everything: messages, topics, groups, offsets. Default
	// store in $RMQ_PROXY_HOME; without that rocketmq-proxy in $XDG_DATA_HOME, which is
	// ~/.local/share unless set: a newcomer can write there, it is nobody else's, and it does not
	// move with the working directory. Java: ~/store, where a Java broker may have its own files.
	StorePath string `key:"storePathRootDir"`
	// Flush is when a send is acknowledged: with SYNC_FLUSH when its message is on the disk, many
	// at a time; with ASYNC_FLUSH before, so that a fall of the machine, not of the process, loses
	// what came in the last FlushInterval. Default SYNC_FLUSH. Java: ASYNC_FLUSH.
	Flush FlushMode `key:"flushDiskType" of:"SYNC_FLUSH ASYNC_FLUSH"`
	// FlushInterval is the time between two flushes of ASYNC_FLUSH: what may be lost. Default 500 ms.
	FlushInterval time.Duration `key:"flushIntervalCommitLog,ms" in:"1ms..10m"`

	// Retention is how long messages are kept, consumed or not. Default 72 h.
	Retention time.Duration `key:"fileReservedTime,h" in:"1h..876000h"`
	// StoreBytesMax is how large the store may grow before the oldest messages go, in bytes.
	// Default 0: as large as the disk. Our own key.
	StoreBytesMax int64 `key:"storeBytesMax" in:"0..9007199254740992"`
	// StoreFreeBytesMin is how much of the disk stays free: with less, sends are refused while
	// receives and acknowledgements go on. Default 256 MiB. Our own key; Java: a share of the
	// disk, diskMaxUsedSpaceRatio.
	StoreFreeBytesMin int64 `key:"storeFreeBytesMin" in:"1..9007199254740992"`

	// TopicQueues is the number of queues of a topic that is made on first use. Default 4. Java: 8,
	// of which such a topic gets the 4 that clients ask for.
	TopicQueues int `key:"defaultTopicQueueNums" in:"1..1024"`
	// AutoCreateTopics makes a topic when it is first sent to or asked for. Default true.
	AutoCreateTopics bool `key:"autoCreateTopicEnable"`
	// AutoCreateGroups makes a consumer group when it is first used. Default true.
	AutoCreateGroups bool `key:"autoCreateSubscriptionGroup"`

	// TransactionCheckInterval is the time between two questions to the producer of a half message.
	// Default 30 s.
	TransactionCheckInterval time.Duration `key:"transactionCheckInterval,ms" in:"100ms..24h"`
	// TransactionTimeout is the age at which a half message is first asked for. Default 6 s.
	TransactionTimeout time.Duration `key:"transactionTimeOut,ms" in:"100ms..24h"`
	// TransactionChecksMax is how often is asked before a half message is given up. Default 15.
	TransactionChecksMax int `key:"transactionCheckMax" in:"1..10000"`
	// TimerMax is how far ahead a message may be delayed; maxDelayTimeMills binds too. Default 3 days.
	TimerMax time.Duration `key:"timerMaxDelaySec,s" in:"1s..87600h"`

	// InflightMax is the number of messages that are delivered and neither acknowledged nor given
	// back: beyond it receives wait. Default 1000000. Our own key.
	InflightMax int `key:"inflightMessagesMax" in:"1..100000000"`
	// TopicsMax is the number of topics. Default 20000. Our own key.
	TopicsMax int `key:"topicsMax" in:"1..1000000"`
	// GroupsMax is the number of consumer groups. Default 20000. Our own key.
	GroupsMax int `key:"groupsMax" in:"1..1000000"`
	// AppendBytesMax is what may wait for the disk, in bytes: beyond it sends are answered
	// TOO_MANY_REQUESTS. Default 64 MiB. Our own key.
	AppendBytesMax int `key:"appendBytesMax" in:"1048576..2147483647"`
	// PollsPerQueueMax is the number of receives that wait for one group's share of a queue; one
	// more is answered TOO_MANY_REQUESTS. Default 1024.
	PollsPerQueueMax int `key:"popPollingSize" in:"1..10000000"`
	// PollsMax is the number of waiting receives altogether. Default 100000.
	PollsMax int `key:"maxPopPollingSize" in:"1..10000000"`
}

func defaultLocal(env Environment) Local {
	return Local{
		StorePath: env.storePath(), Flush: FlushSync, FlushInterval: milliseconds(500),
		Retention: 72 * time.Hour, StoreFreeBytesMin: 256 << 20,
		TopicQueues: 4, AutoCreateTopics: true, AutoCreateGroups: true,
		TransactionCheckInterval: seconds(30), TransactionTimeout: seconds(6), TransactionChecksMax: 15, TimerMax: 72 * time.Hour,
		InflightMax: 1000000, TopicsMax: 20000, GroupsMax: 20000, AppendBytesMax: 64 << 20, PollsPerQueueMax: 1024, PollsMax: 100000,
	}
}

// storePath is where messages are kept when nothing else is said.
func (e Environment) storePath() string {
	if e.Data == "" {
		return filepath.Join(e.Home, "store")
	}
	return e.Data
}

// dataDir is the storePath of this process's environment: see Local.StorePath.
func dataDir() string {
	if home := os.Getenv("RMQ_PROXY_HOME"); home != "" {
		return filepath.Join(home, "store")
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) { // a relative one is to be ignored, says its specification
		return filepath.Join(dir, "rocketmq-proxy")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "rocketmq-proxy")
	}
	return ""
}

// saidNothing is the origin of Local mode when nothing was said of a cluster.
const saidNothing = "nothing said of a cluster"

// chooseMode is Java's rule, cluster unless told otherwise, with one exception: who says
// nothing at all, by no file, no flag and no variable, has no cluster and gets a broker inside.
// A file without a name server does not count as nothing: a cluster's proxy whose NAMESRV_ADDR
// got lost must not take messages into a store of its own. Java does not start then either.
func (c *Config) chooseMode(hasFile bool) {
	if hasFile || c.Origin("proxyMode") != originDefault || strings.TrimSpace(c.NameServer.Addr) != "" {
		return
	}
	c.setText("proxyMode", string(ModeLocal), saidNothing)
}

// ChosenLocal tells whether Local mode was nobody's wish but what is left when nothing is said.
func (c *Config) ChosenLocal() bool { return c.Origin("proxyMode") == saidNothing }

// settleLocal is what Local mode adds to a configuration: broker.conf, under everything else.
func (c *Config) settleLocal() ([]Notice, Faults) {
	notices, faults := c.loadBroker()
	if c.Local.StorePath != "" {
		if whole, err := filepath.Abs(c.Local.StorePath); err == nil {
			c.Local.StorePath = whole // it is printed, and the working directory is forgotten
		}
	}
	if n := c.javaStore(); n != nil {
		notices = append(notices, *n)
	}
	return notices, faults
}

// javaStore says that a Java broker's messages lie where ours are to: they are left alone, but
// who gave its directory may have hoped for more.
func (c *Config) javaStore() *Notice {
	path := filepath.Join(c.Local.StorePath, "commitlog")
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil
	}
	return &Notice{
		Key: "storePathRootDir", Origin: c.Origin("storePathRootDir"),
		Text: fmt.Sprintf("is %s, where a Java broker keeps messages: they are neither read nor touched, ours lie beside them", c.Local.StorePath),
	}
}

func (c *Config) validateLocal(blame blame) {
	if c.Proxy.Mode != ModeLocal {
		return
	}
	if strings.TrimSpace(c.Local.StorePath) == "" {
		blame("storePathRootDir", "is blank, expected the directory for messages")
	}
	if c.Local.PollsPerQueueMax > c.Local.PollsMax {
		blame("popPollingSize", "is %d, expected at most %d, the value of maxPopPollingSize", c.Local.PollsPerQueueMax, c.Local.PollsMax)
	}
}
