package handle

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"
)

const recallVersion = "v1"

// Recall is a recall handle: a timer message that may be taken back. Its text is base64url of
// five fields. Source: Remoting specification 2.23.
type Recall struct {
	Topic     []byte
	Broker    []byte
	Timestamp int64  // ms since 1970: when the message is due, plus 1
	MessageID []byte // the UNIQ_KEY
}

// ErrRecall says that a text is not a recall handle.
var ErrRecall = errors.New("handle: not a recall handle")

// AppendRecall appends the text of r.
func AppendRecall(dst []byte, r *Recall) []byte {
	plain := append([]byte(recallVersion), ' ')
	plain = append(append(plain, r.Topic...), ' ')
	plain = append(append(plain, r.Broker...), ' ')
	plain = append(strconv.AppendInt(plain, r.Timestamp, 10), ' ')
	plain = append(plain, r.MessageID...)
	return base64.URLEncoding.AppendEncode(dst, plain)
}

// ParseRecall reads a recall handle, with or without padding. Nothing is borrowed. It is cold
// and allocates.
func ParseRecall(b []byte) (Recall, error) {
	plain, err := base64.RawURLEncoding.AppendDecode(nil, bytes.TrimRight(b, "="))
	if err != nil {
		return Recall{}, ErrRecall
	}
	f := fields{rest: plain}
	version := f.text()
	var r Recall
	r.Topic = f.text()
	r.Broker = f.text()
	r.Timestamp = f.int64()
	r.MessageID = f.text()
	if f.failed || string(version) != recallVersion {
		return Recall{}, ErrRecall
	}
	return r, nil
}
