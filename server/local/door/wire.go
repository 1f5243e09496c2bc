package door

import (
	"net/http"
	"net/url"

	"rocketmq-proxy/server/local/catalog"
)

// What goes through the door is HTTP/1.1 with JSON, all of it defined here:
//
//	GET    /v1/topics          → [TopicInfo]
//	PUT    /v1/topics          TopicChange → outcome
//	GET    /v1/topics/{name}   → TopicInfo
//	DELETE /v1/topics/{name}   → {}
//
// and the same with /v1/groups, GroupInfo and GroupChange, and
//
//	GET    /v1/groups/{name}/members/{client}/threads → threads
//
// Anything but 200 has a catalog.Error
// as its body. Fields may be added to what is answered; a call that changes its meaning gets
// another version in its path.
const (
	pathTopics = "/v1/topics"
	pathGroups = "/v1/groups"
)

// under is the path of one topic or group; names may have any character in a URL.
func under(path, name string) string { return path + "/" + url.PathEscape(name) }

// pathOfThreads is what the threads of one client of a group do.
func pathOfThreads(group, client string) string {
	return under(pathGroups, group) + "/members/" + url.PathEscape(client) + "/threads"
}

// outcome is the answer to a PUT.
type outcome struct {
	Outcome catalog.Outcome `json:"outcome"`
}

// threads is what a client says of its threads.
type threads struct {
	Threads string `json:"threads"`
}

// bodyBytesMax is more than any request has, and any answer but that of a list, in bytes.
const bodyBytesMax = 64 << 20

// statuses are for whoever looks on with curl: our own client reads the kind from the body.
var statuses = map[catalog.Kind]int{
	catalog.NotFound:    http.StatusNotFound,
	catalog.Invalid:     http.StatusBadRequest,
	catalog.Full:        http.StatusInsufficientStorage,
	catalog.Unavailable: http.StatusServiceUnavailable,
	catalog.Internal:    http.StatusInternalServerError,
}
