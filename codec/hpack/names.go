package hpack

// Tag is a small number a [Names] gives to a header name; 0 is every other name.
type Tag uint8

// NamesMax is how many names a Names can hold.
const NamesMax = 255

// Names gives numbers to the header names somebody cares for, so that a name is compared
// once, when it enters the table, and not on every request. It is immutable and may be
// shared by many decoders.
type Names struct {
	tags   map[string]Tag
	static [staticLen + 1]Field // the static table, with the numbers
}

// NewNames numbers the names from 1 in the order given. A repeated name keeps its first
// number.
func NewNames(names ...string) *Names {
	if len(names) > NamesMax {
		panic("hpack: too many names")
	}
	n := &Names{tags: make(map[string]Tag, len(names))}
	for i, name := range names {
		if _, ok := n.tags[name]; !ok {
			n.tags[name] = Tag(i + 1)
		}
	}
	for i := 1; i <= staticLen; i++ {
		n.static[i] = Field{
			Name: []byte(static[i].name), Value: []byte(static[i].value), Tag: n.tags[static[i].name], Valid: true,
		}
	}
	return n
}

// Tag is the number of name.
func (n *Names) Tag(name []byte) Tag { return n.tags[string(name)] }
