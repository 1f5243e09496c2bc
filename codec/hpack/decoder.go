package hpack

// Field is one header field. Its slices are borrowed until the next call to the decoder.
type Field struct {
	Name, Value []byte
	Tag         Tag  // what the decoder's Names says of Name
	Valid       bool // name and value hold only what RFC 9113 section 8.2.1 allows
}

// size is what the field counts against a list limit (RFC 9113 section 6.5.2).
func (f *Field) size() int { return len(f.Name) + len(f.Value) + entryOverhead }

// Limits bound one header block.
type Limits struct {
	ListBytesMax   int // decoded, with 32 bytes for each field
	ListFieldsMax  int
	StringBytesMax int // one name or value, decoded
}

// sizeUpdatesMax is how many table size updates may stand at the front of a block: one to
// the smallest size since the last block and one to the last (RFC 7541 section 4.2).
const sizeUpdatesMax = 2

// Decoder reads the header blocks of one connection, in the order they arrive. Init it
// before use.
//
//	d.Begin(block)
//	for d.Next() {
//		use(d.Field())
//	}
//	err := d.Err()
type Decoder struct {
	names  *Names
	limits Limits
	table  table

	// of the current block
	rest    []byte
	field   Field
	bytes   int // decoded so far, as size counts them
	fields  int // decoded so far
	updates int // size updates so far
	err     error

	scratch []byte // decoded Huffman strings and copied names of the current field
}

// Init makes d ready for the first block of a connection. names may be nil.
func (d *Decoder) Init(names *Names, limits Limits) {
	if names == nil {
		names = noNames
	}
	*d = Decoder{names: names, limits: limits}
	d.table.init()
}

var noNames = NewNames()

// Begin starts a block, which is borrowed until the last Next.
func (d *Decoder) Begin(block []byte) {
	d.rest = block
	d.bytes, d.fields, d.updates, d.err = 0, 0, 0, nil
}

// Next decodes one field. It returns false at the end of the block and on an error, see Err.
// Fields past a list limit are decoded but not handed out.
func (d *Decoder) Next() bool {
	for len(d.rest) > 0 {
		if first := d.rest[0]; first > 0x80 && first < 0xff {
			// The common case: a field that is in a table, its index in one byte.
			if !d.lookUp(int(first & 0x7f)) {
				d.err, d.rest = ErrIndex, nil
				return false
			}
			d.rest = d.rest[1:]
			if d.count() {
				return true
			}
			continue
		}
		again, err := d.step()
		if err != nil {
			d.err, d.rest = err, nil
			return false
		}
		if !again && d.count() {
			return true
		}
	}
	return false
}

// Field is what the last Next decoded.
func (d *Decoder) Field() *Field { return &d.field }

// Err is why Next stopped: nil at the end of a good block. After an error that is not
// [Recoverable] the decoder must not be used again.
func (d *Decoder) Err() error { return d.err }

// count checks the field against the list limits.
func (d *Decoder) count() bool {
	d.bytes += d.field.size()
	d.fields++
	switch {
	case d.err != nil:
		return false
	case d.bytes > d.limits.ListBytesMax:
		d.err = ErrListBytes
	case d.fields > d.limits.ListFieldsMax:
		d.err = ErrListFields
	}
	return d.err == nil
}

// step decodes one representation (RFC 7541 section 6). It tells to go on when that was a
// table size update, which is no field.
func (d *Decoder) step() (again bool, err error) {
	switch first := d.rest[0]; {
	case first&0x80 != 0:
		return false, d.indexed()
	case first&0x40 != 0:
		return false, d.literal(6, true)
	case first&0x20 != 0:
		return true, d.sizeUpdate()
	default:
		return false, d.literal(4, false)
	}
}

func (d *Decoder) indexed() error {
	index, rest, err := integer(d.rest, 7)
	if err != nil {
		return err
	}
	d.rest = rest
	if index == 0 || !d.lookUp(int(index)) {
		return ErrIndex
	}
	return nil
}

// lookUp makes entry index of the tables the current field.
func (d *Decoder) lookUp(index int) bool {
	f := &d.field
	if index <= staticLen {
		known := &staticFields[index]
		f.Name, f.Value, f.Tag, f.Valid = known.Name, known.Value, d.names.static[index], true
		return true
	}
	e := d.table.entryAt(index - staticLen - 1)
	if e == nil {
		return false
	}
	d.emit(e)
	return true
}

// emit makes a dynamic entry the current field.
func (d *Decoder) emit(e *entry) {
	f := &d.field
	bytes := d.table.arena[e.at:]
	f.Name = bytes[:e.name:e.name]
	f.Value = bytes[e.name : e.name+e.value]
	f.Tag, f.Valid = e.tag, e.valid
}

// sizeUpdate reads a dynamic table size update (RFC 7541 section 6.3).
func (d *Decoder) sizeUpdate() error {
	if d.fields > 0 || d.updates == sizeUpdatesMax {
		return ErrTableSize
	}
	size, rest, err := integer(d.rest, 5)
	if err != nil {
		return err
	}
	if size > TableBytesMax {
		return ErrTableSize
	}
	d.updates++
	d.rest = rest
	d.table.resize(int(size))
	return nil
}
