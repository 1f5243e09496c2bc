package server_test

// layer is one line of the table of layers: a package, what it may import, and why.
type layer struct {
	// of is a package of this module, without the module's name. "x/*" is every package below x.
	of string
	// may are the packages it imports directly: our own without the module's name, others in
	// full. "x/*" is x and everything below it. The standard library is always allowed, except
	// to a pure package.
	may []string
	// never are the packages it must not reach at all, not even through others.
	never []string
	// pure forbids goroutines, clocks, sockets, files and logging: bytes and values only.
	pure bool
	// words must not occur in its sources, tests aside: knowledge it must not have.
	words []string
	// why is the sentence that a violation is answered with.
	why string
}

const (
	netpoll  = "github.com/cloudwego/netpoll"
	protobuf = "google.golang.org/protobuf/*"
	http2    = "golang.org/x/net/http2"
	hpack    = "golang.org/x/net/http2/hpack"
	zerolog  = "github.com/rs/zerolog/*"
)

const codecs = "codecs are pure functions of bytes"

// layers is the import table of the design: who may import whom. The first line that fits a
// package decides. Only netpoll's own room, the program that wires it and bench may reach
// netpoll; nobody imports bench. Both are checked for every package.
var layers = []layer{
	{of: "pool", may: []string{"github.com/valyala/bytebufferpool"}, pure: true, words: []string{"RocketMQ", "grpc"}, why: "pool is the bottom: it knows bytes and their owners, nothing else"},

	{of: "pool/steady", why: "steady says what walks cost, in tests; it does not know the code that they go through"},

	{of: "codec/frame", may: []string{"pool", http2}, pure: true, words: []string{"RocketMQ"}, why: codecs},
	{of: "codec/hpack", may: []string{"pool", hpack}, pure: true, words: []string{"RocketMQ"}, why: codecs},
	{of: "codec/apiv2", may: []string{"pool", protobuf}, pure: true, why: codecs},
	{of: "codec/health", may: []string{protobuf}, pure: true, why: codecs},
	{of: "codec/reflection", may: []string{protobuf}, pure: true, why: codecs},
	{of: "codec/*", may: []string{"pool"}, pure: true, why: codecs},

	{of: "h2", may: []string{"codec/frame", "codec/hpack", "codec/grpc", "pool"}, pure: true, words: []string{"RocketMQ"}, why: "h2 is one HTTP/2 connection as a state machine, and knows nothing of what is called through it"},
	{of: "h2/h2test", may: []string{"h2", "codec/*", "pool", http2, hpack}, words: []string{"RocketMQ"}, why: "h2test is a scripted HTTP/2 peer, nothing more"},
	{of: "h2/h2spec", words: []string{"RocketMQ"}, why: "h2spec runs a program, and knows the server under test by its address"},

	{of: "remoting", may: []string{"codec/command", "pool"}, pure: true, words: []string{"grpc"}, why: "remoting is one Remoting connection as a state machine, and knows nothing of who calls through it"},
	{of: "remoting/fakebroker", may: []string{"remoting", "codec/command", "codec/message", "codec/handle", "pool"}, why: "the fake broker speaks Remoting and shares no code with the embedded one"},

	{of: "server/turn", may: []string{"pool"}, never: []string{"h2", "remoting", "codec/*"}, why: "a turn is an inbox and its timers; it knows no protocol"},
	{of: "server/link", may: []string{netpoll, "golang.org/x/sys/unix", "server/turn", "pool"}, never: []string{"h2", "remoting", "codec/*"}, why: "a link drives any machine; it knows sockets, not protocols"},
	{of: "server/backend", may: []string{"server/turn", "codec/message", "codec/handle", "pool"}, never: []string{"h2", "remoting", "codec/apiv2", "codec/command"}, why: "the backend contract is in neither protocol's words"},
	{of: "server/messaging", may: []string{"h2", "server/turn", "codec/apiv2", "codec/grpc", "codec/message", "codec/handle", "server/backend", "server/session", "server/auth", "pool", protobuf}, never: []string{"remoting", "server/cluster", "server/local", "codec/command"}, why: "messaging answers clients through the backend contract and never sees who is behind it"},
	{of: "server/health", may: []string{"h2", "server/turn", "codec/health", "codec/grpc", "pool", protobuf}, never: []string{"remoting", "server/backend", "server/messaging"}, why: "health says whether the proxy serves; what it serves it does not know"},
	{of: "server/reflection", may: []string{"h2", "codec/reflection", "codec/grpc", "pool", protobuf}, never: []string{"remoting", "server/backend", "server/messaging"}, why: "reflection shows the descriptors that it is given"},
	{of: "server/cluster", may: []string{"server/backend", "server/turn", "remoting", "codec/command", "codec/message", "codec/handle", "pool"}, never: []string{"h2", "codec/apiv2", "server/link"}, why: "cluster speaks Remoting to brokers; it knows neither the clients' protocol nor sockets"},
	{of: "server/local/broker", may: []string{"codec/message", "pool"}, never: []string{"server/local/store"}, pure: true, why: "the embedded broker is deterministic: it returns what to append and never appends"},
	{of: "server/local/broker/brokertest", may: []string{"server/local/broker", "codec/message", "pool"}, why: "brokertest drives the embedded broker through its exported face, on any store"},
	{of: "server/local/store", may: []string{"github.com/cockroachdb/pebble/*", "codec/message", "pool"}, never: []string{"server/local/broker"}, why: "the store keeps keys and values and does not know what they mean"},
	{of: "server/local/sql92", never: []string{"pool", "codec/*"}, pure: true, why: "a filter is a function of an expression and of properties, and of nothing else"},
	{of: "server/local/catalog", pure: true, why: "the catalog is plain data and rules: the store's process and the command line share it"},
	{of: "server/local/catalog/fakecatalog", may: []string{"server/local/catalog"}, why: "the fake catalog is for tests of what talks to one, and stores nothing"},
	{of: "server/local/door", may: []string{"server/local/catalog"}, never: []string{"h2", "remoting", "server/backend", "pool"}, why: "the door carries the catalog through a socket; it knows neither the store nor the clients' protocol"},
	{of: "server/local", may: []string{"server/backend", "server/turn", "server/local/*", "codec/message", "codec/handle", "pool"}, never: []string{"h2", "remoting"}, why: "local mode is a backend with a broker inside; it speaks no protocol"},
	{of: "server/session", may: []string{"server/turn", "codec/apiv2", "codec/handle", "server/backend", "pool", protobuf}, never: []string{"h2", "remoting"}, why: "a session is what a client told us, whatever carried it"},
	{of: "server/fleet", may: []string{"server/turn", "server/session", "server/backend", "codec/apiv2", "codec/command", "codec/message", "pool", protobuf}, never: []string{"h2", "remoting", "server/cluster", "server/messaging"}, why: "a fleet speaks through the messages of a topic, whoever keeps it and whatever carried the clients"},
	{of: "server/auth", may: []string{"codec/apiv2", "server/backend", protobuf}, never: []string{"h2", "remoting"}, why: "permission depends on who asks for what, not on what carried it"},
	{of: "server/config", pure: false, never: []string{"h2", "remoting", "pool"}, why: "a configuration is text and numbers; the parts it configures do not import it, server hands them theirs"},
	{of: "server/lines", never: []string{"h2", "remoting", "pool"}, why: "lines carries a log to who reads it; what the lines say is for others"},
	{of: "server/nsdomain", never: []string{"h2", "remoting", "pool"}, why: "nsdomain asks an HTTP server for a line of text; what it means is for others"},
	{of: "server/pressure", may: []string{"pool"}, never: []string{"h2", "remoting", "server/link"}, why: "pressure watches memory and sets a level; who reads it, it does not know"},
	{of: "server/tlsconf", may: []string{"github.com/youmark/pkcs8"}, never: []string{"h2", "remoting", "pool"}, why: "certificates are files and standard library values; keys may be encrypted"},
	{of: "server/metrics", may: []string{"h2", "remoting", "pool", "server/*"}, never: []string{"server/admin"}, why: "metrics reads counters; what it counts does not know it"},
	{of: "server/admin", may: []string{"server/config", "server/metrics", "pool"}, never: []string{"h2", "remoting"}, why: "the operator's port reads; it takes no part in serving"},

	{of: "server/floods", may: []string{http2, hpack}, why: "an attacker shares no code with its victim"},
	{of: "server/simtest", may: []string{"h2", "h2/h2test", "remoting", "remoting/fakebroker", "server", "server/*", "codec/*", "pool"}, why: "simtest is the whole proxy on in-memory links"},
	{of: "server", may: []string{"h2", "remoting", "server/*", "codec/*", "pool", netpoll, zerolog}, why: "server wires, and nothing but wires"},
	{of: "server/cli", may: []string{"server/config", "server/local/catalog", "server/local/door", "codec/apiv2", "codec/grpc", http2, protobuf}, never: []string{"h2", "remoting", "server/backend"}, why: "the subcommands are a client of a running proxy: they know what anybody outside can know, and share no machine with it"},
	{of: "server/cmd/*", may: []string{"server", "server/config", "server/cli", "server/lines", zerolog}, why: "main turns flags into a configuration or a subcommand, and signals into a shutdown"},

	{of: "bench", may: []string{"*"}, why: "bench measures the whole system"},
	{of: "bench/*", may: []string{"*"}, why: "bench measures the whole system"},
}

// netpollRooms are the only packages that may reach netpoll, directly or through others.
var netpollRooms = []string{"server", "server/link", "server/metrics", "server/admin", "server/simtest", "server/cmd/*", "bench", "bench/*"}

// netpollImporters are the only packages that may name it.
var netpollImporters = []string{"server/link", "bench", "bench/*"}
