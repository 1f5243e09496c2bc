package command

import "errors"

// extParser walks ext fields once, so that the parser of an answer is one switch on the key.
// It latches the first field that is not a number and notes which required ones it has seen;
// unknown fields are ignored.
type extParser struct {
	ext        []Field
	key, value []byte
	seen       uint // a bit for each required field
	bad        string
}

func (p *extParser) next() bool {
	for len(p.ext) > 0 {
		p.key, p.value = p.ext[0].Key, p.ext[0].Value
		p.ext = p.ext[1:]
		if p.value != nil {
			return true
		}
	}
	return false
}

func (p *extParser) required(bit uint) []byte {
	p.seen |= bit
	return p.value
}

func (p *extParser) int64(bit uint) int64 {
	n, ok := parseInt64(p.value)
	p.number(ok, bit)
	return n
}

func (p *extParser) int32(bit uint) int32 {
	n, ok := parseInt32(p.value)
	p.number(ok, bit)
	return n
}

func (p *extParser) number(ok bool, bit uint) {
	if !ok && p.bad == "" {
		p.bad = string(p.key)
	}
	p.seen |= bit
}

// ErrFields is what every [FieldError] is.
var ErrFields = errors.New("command: unusable ext fields")

// FieldError says that the ext fields of an answer do not hold what they must. It ends the
// call, not the connection: the frame itself was sound.
type FieldError struct {
	Reason string
}

func (e *FieldError) Error() string { return ErrFields.Error() + ": " + e.Reason }

// Unwrap makes errors.Is(err, ErrFields) true.
func (e *FieldError) Unwrap() error { return ErrFields }

// err is nil when every number was one and all bits of want were seen; names lists them.
func (p *extParser) err(want uint, names string) error {
	switch {
	case p.bad != "":
		return &FieldError{Reason: p.bad + " is not a number"}
	case p.seen&want != want:
		return &FieldError{Reason: "one of " + names + " is absent"}
	}
	return nil
}
