package differential

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

const telemetry = "Telemetry"

func (o Opens) take(r *run) error {
	md, err := r.header(o.Header)
	if err != nil {
		return err
	}
	r.stream, err = r.conn.NewStream(metadata.NewOutgoingContext(r.ctx, md),
		&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/"+telemetry, grpc.ForceCodec(bytesCodec{}))
	if err != nil || o.First == nil {
		return err
	}
	return o.First.take(r)
}

func (t Tells) take(r *run) error {
	command, err := r.encode(t.Command, t.Raw)
	if err != nil {
		return err
	}
	if err := r.stream.SendMsg(command); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if t.Mute {
		return nil
	}
	_, err = r.hears()
	return err
}

func (Closes) take(r *run) error {
	if err := r.stream.CloseSend(); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = r.hears(); err != nil {
			return err
		}
	}
	return nil
}

// restTime is many times what a broker takes to file three messages.
const restTime = 300 * time.Millisecond

func (Rests) take(r *run) error {
	select {
	case <-time.After(restTime):
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

func (Hears) take(r *run) error {
	_, err := r.hears()
	return err
}

// hears writes down the next command; more is false when the stream has ended instead.
func (r *run) hears() (more bool, err error) {
	var answer []byte
	heard := make(chan error, 1)
	go func() { heard <- r.stream.RecvMsg(&answer) }() // ended by the row's context at the latest
	select {
	case err = <-heard:
	case <-time.After(harnessPatience):
		return false, fmt.Errorf("nothing heard on the telemetry stream for %v", harnessPatience)
	}
	if err != nil {
		r.ended(telemetry, err)
		return false, nil
	}
	command := &v2.TelemetryCommand{}
	if err := proto.Unmarshal(answer, command); err != nil {
		return false, err
	}
	r.heard(telemetry, command)
	r.remember(command)
	return true, nil
}

func (b Becomes) take(r *run) error {
	r.client = b.Name
	return nil
}

// commitLogOffsetWord is where in a receipt handle a proxy puts the position of the message.
const commitLogOffsetWord = 8

func (Stored) take(r *run) error {
	if r.side.Stored == nil {
		return nil
	}
	words := strings.Fields(r.vars["handle"])
	if len(words) <= commitLogOffsetWord {
		return fmt.Errorf("the receipt handle %q has no commit log offset", r.vars["handle"])
	}
	offset, err := strconv.ParseInt(words[commitLogOffsetWord], 10, 64)
	if err != nil {
		return err
	}
	m, err := r.side.Stored(r.ctx, offset)
	if err != nil {
		return err
	}
	note := func(path, value string) { r.note("stored."+path, r.plain(path, value)) }
	note("topic", m.Topic)
	note("body", m.Body)
	note("flag", strconv.Itoa(int(m.Flag)))
	note("sysFlag", strconv.Itoa(int(m.SysFlag)))
	note("reconsumeTimes", strconv.Itoa(int(m.ReconsumeTimes)))
	note("bornTimestamp", strconv.FormatInt(m.BornTimestamp, 10))
	slices.Sort(m.Properties)
	for _, property := range m.Properties {
		note("property", property)
	}
	return nil
}
