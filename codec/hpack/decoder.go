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
	block      []byte
	at         int // what lies before it is decoded
	field      Field
	bytesLeft  int // until a list limit, as size counts them
	fieldsLeft int
	updates    int // size updates so far
	err        error

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
	d.block, d.at = block, 0
	d.bytesLeft, d.fieldsLeft = d.limits.ListBytesMax, d.limits.ListFieldsMax
	d.updates, d.err = 0, nil
}

// Next decodes one field. It returns false at the end of the block and on an error, see Err.
// Fields past a list limit are decoded but not handed out.
func (d *Decoder) Next() bool {
	for d.at < len(d.block) {
		first := d.block[d.at]
		switch {
		case first > 0x80 && first < 0xff:
			// The common case: a field that is in a table, its index in one byte.
			d.at++
			if !d.lookUp(uint(first & 0x7f)) {
				return d.fail(ErrIndex)
			}
		case first&0xe0 == 0x20:
			if err := d.sizeUpdate(); err != nil {
				return d.fail(err)
			}
			continue // it is no field
		default:
			if err := d.step(first); err != nil {
				return d.fail(err)
			}
		}
		d.bytesLeft -= d.field.size()
		d.fieldsLeft--
		if d.bytesLeft|d.fieldsLeft >= 0 {
			return true
		}
		d.passLimit()
	}
	return false
}

// fail ends the block.
func (d *Decoder) fail(err error) bool {
	d.err, d.at = err, len(d.block)
	return false
}

// Field is what the last Next decoded.
func (d *Decoder) Field() *Field { return &d.field }

// Err is why Next stopped: nil at the end of a good block. After an error that is not
// [Recoverable] the decoder must not be used again.
func (d *Decoder) Err() error { return d.err }

// passLimit notes which list limit was passed first.
func (d *Decoder) passLimit() {
	switch {
	case d.err != nil:
	case d.bytesLeft < 0:
		d.err = ErrListBytes
	default:
		d.err = ErrListFields
	}
}

// step decodes one field that is not the common case (RFC 7541 section 6).
func (d *Decoder) step(first byte) error {
	switch {
	case first&0x80 != 0:
		return d.indexed()
	case first&0x40 != 0:
		return d.literal(0x3f, true)
	default:
		return d.literal(0x0f, false)
	}
}

func (d *Decoder) indexed() error {
	index, err := d.integer(0x7f)
	if err != nil {
		return err
	}
	if index == 0 || !d.lookUp(uint(index)) {
		return ErrIndex
	}
	return nil
}

// lookUp makes entry index of the tables, which is not 0, the current field.
func (d *Decoder) lookUp(index uint) bool {
	if index <= staticLen {
		d.field = d.names.static[index]
		return true
	}
	e := d.table.entryAt(int(index) - staticLen - 1)
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
	if d.fieldsLeft < d.limits.ListFieldsMax || d.updates == sizeUpdatesMax {
		return ErrTableSize
	}
	size, err := d.integer(0x1f)
	if err != nil {
		return err
	}
	if size > TableBytesMax {
		return ErrTableSize
	}
	d.updates++
	d.table.resize(int(size))
	return nil
}
