package differential

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Transcript is what a side was heard to say, a line for each field: "1 SendMessage.status.code: OK".
type Transcript []string

// chances are the lines that hang on what else a broker is doing: where a message stands in the one
// queue of all half or delayed messages, and how often a transaction had been asked for before.
var chances = regexp.MustCompile(`^(?:SendMessage\.entries\[\d+\]\.offset|Telemetry\.recover_orphaned_transaction_command\.message\.system_properties\.queue_offset): \d+$`)

var checkTimes = regexp.MustCompile(`(TRANSACTION_CHECK_TIMES(?:" = "|=))\d+`)

// elsewhere are the types of messages that brokers keep in a queue of their own first.
var elsewhere = []string{"DELAY", "TRANSACTION", "MIXED"}

func (r *run) note(path, value string) {
	if slices.Contains(elsewhere, r.row.Own) && chances.MatchString(path+": "+value) {
		return
	}
	value = checkTimes.ReplaceAllString(value, "${1}<n>")
	r.transcript = append(r.transcript, strconv.Itoa(r.step)+" "+path+": "+value)
}

// ownClock are the times that a proxy or a broker reads from its clock, and no request can speak of.
var ownClock = regexp.MustCompile(`^ReceiveMessage\.delivery_timestamp$|\.store_timestamp$`)

// heard notes every field of a message that is set, in the order of their numbers.
func (r *run) heard(path string, m proto.Message) { r.hearMessage(path, m.ProtoReflect()) }

func (r *run) hearMessage(path string, m protoreflect.Message) {
	switch known := m.Interface().(type) {
	case *timestamppb.Timestamp:
		if ownClock.MatchString(path) {
			r.note(path, r.clock(known.AsTime()))
		} else {
			r.note(path, r.time(known.AsTime()))
		}
		return
	case *durationpb.Duration:
		r.note(path, known.AsDuration().String())
		return
	}
	var fields []protoreflect.FieldDescriptor
	m.Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		fields = append(fields, field)
		return true
	})
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	for _, field := range fields {
		r.hearField(path+"."+string(field.Name()), field, m.Get(field))
	}
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		r.note(path+".unknown", hex.EncodeToString(unknown))
	}
	if len(fields) == 0 && len(m.GetUnknown()) == 0 {
		r.note(path, "{}")
	}
}

func (r *run) hearField(path string, field protoreflect.FieldDescriptor, value protoreflect.Value) {
	switch {
	case field.IsMap():
		var lines []string
		value.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
			lines = append(lines, r.plain(path, key.String())+" = "+r.plain(path, v.String()))
			return true
		})
		slices.Sort(lines)
		for _, line := range lines {
			r.note(path, line)
		}
	case field.IsList():
		for i := range value.List().Len() {
			r.hearValue(fmt.Sprintf("%s[%d]", path, i), field, value.List().Get(i))
		}
	default:
		r.hearValue(path, field, value)
	}
}

func (r *run) hearValue(path string, field protoreflect.FieldDescriptor, value protoreflect.Value) {
	switch v := value.Interface().(type) {
	case protoreflect.Message:
		r.hearMessage(path, v)
	case protoreflect.EnumNumber:
		name := strconv.Itoa(int(v))
		if known := field.Enum().Values().ByNumber(v); known != nil {
			name = string(known.Name())
		}
		r.note(path, name)
	case string:
		r.note(path, r.plain(path, v))
	case []byte:
		r.note(path, r.plain(path, string(v)))
	default:
		r.note(path, value.String())
	}
}

// textBytesMax is how long a text may be that is written out.
const textBytesMax = 400

// quoted is a text on one line; a long one is only told apart from others.
func quoted(text string) string {
	if len(text) <= textBytesMax {
		return strconv.Quote(text)
	}
	sum := md5.Sum([]byte(text))
	return fmt.Sprintf("%d bytes %s", len(text), hex.EncodeToString(sum[:]))
}

// plain is a text without what differs from side to side.
func (r *run) plain(path, text string) string {
	if strings.HasSuffix(path, ".body") {
		return quoted(text)
	}
	return quoted(r.normal(text))
}
