package differential

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// placeholder is a name or a text in braces, with a number behind an operator or without:
//
//	{own}        the variable own
//	{handle/8}   its first 8 words
//	{now-1000}   milliseconds since 1970, a second before the row began
//	{x*128}      128 times x
var placeholder = regexp.MustCompile(`\{([^{}*/+-]+)(?:([*/+-])(\d+))?\}`)

func (r *run) fillText(text string) (string, error) {
	var failed error
	filled := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		part := placeholder.FindStringSubmatch(found)
		value, err := r.fillOne(part[1], part[2], part[3])
		if err != nil {
			failed = err
		}
		return value
	})
	return filled, failed
}

func (r *run) fillOne(name, operator, number string) (string, error) {
	n, _ := strconv.Atoi(number)
	if operator == "*" {
		return strings.Repeat(name, n), nil
	}
	if name == "now" {
		if operator == "-" {
			n = -n
		}
		d := time.Duration(n) * time.Millisecond
		return strconv.FormatInt(r.at(d).UnixMilli(), 10), nil
	}
	value, err := r.variable(name)
	if operator == "/" {
		words := strings.Split(value, " ")
		if len(words) < n {
			return "", fmt.Errorf("%s has %d words: %q", name, len(words), value)
		}
		value = strings.Join(words[:n], " ")
	}
	return value, err
}

// at is a time of the row's, which transcripts call by its distance from the beginning.
func (r *run) at(d time.Duration) time.Time {
	t := r.now.Add(d)
	r.times[t.UnixMilli()] = "now" + signed(d)
	return t
}

func signed(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < 0:
		return d.String()
	}
	return "+" + d.String()
}

// relative marks a Timestamp that counts from the row's beginning: no real one is that long ago.
const relative = -1 << 42

// at is a time so long after the row's beginning.
func at(d time.Duration) *timestamppb.Timestamp {
	return &timestamppb.Timestamp{Seconds: relative + int64(d/time.Second), Nanos: int32(d % time.Second)}
}

func isRelative(t *timestamppb.Timestamp) bool { return t.GetSeconds() < relative/2 }

// fill is a request with everything put in.
func (r *run) fill(m proto.Message) (proto.Message, error) {
	filled := proto.Clone(m)
	return filled, r.fillMessage(filled.ProtoReflect())
}

func (r *run) fillMessage(m protoreflect.Message) (err error) {
	if t, is := m.Interface().(*timestamppb.Timestamp); is {
		if isRelative(t) {
			d := time.Duration(t.Seconds-relative)*time.Second + time.Duration(t.Nanos)
			exact := timestamppb.New(r.at(d))
			t.Seconds, t.Nanos = exact.Seconds, exact.Nanos
		}
		return nil
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			err = r.fillMap(value.Map())
		case field.IsList():
			for i := 0; i < value.List().Len() && err == nil; i++ {
				var v protoreflect.Value
				if v, err = r.fillValue(value.List().Get(i)); err == nil {
					value.List().Set(i, v)
				}
			}
		default:
			var v protoreflect.Value
			if v, err = r.fillValue(value); err == nil {
				m.Set(field, v)
			}
		}
		return err == nil
	})
	return err
}

func (r *run) fillMap(m protoreflect.Map) error {
	whole := map[string]string{}
	m.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		whole[key.String()] = value.String()
		m.Clear(key)
		return true
	})
	for key, value := range whole {
		key, err := r.fillText(key)
		if err != nil {
			return err
		}
		if value, err = r.fillText(value); err != nil {
			return err
		}
		m.Set(protoreflect.ValueOfString(key).MapKey(), protoreflect.ValueOfString(value))
	}
	return nil
}

func (r *run) fillValue(v protoreflect.Value) (protoreflect.Value, error) {
	switch value := v.Interface().(type) {
	case string:
		text, err := r.fillText(value)
		return protoreflect.ValueOfString(text), err
	case []byte:
		text, err := r.fillText(string(value))
		return protoreflect.ValueOfBytes([]byte(text)), err
	case protoreflect.Message:
		return v, r.fillMessage(value)
	}
	return v, nil
}
