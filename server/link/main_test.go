package link

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, append(longLived, goleak.Cleanup(os.Exit))...)
}

// longLived are goroutines that serve every link, and so outlive each of them.
var longLived = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/cloudwego/netpoll.(*defaultPoll).Wait"),
	goleak.IgnoreAnyFunction("rocketmq-proxy/server/turn.(*crew).serve"),
}
