package hpack

// literal reads a literal field whose name index is the low bits of the first byte (RFC 7541
// section 6.2).
func (d *Decoder) literal(bits uint, insert bool) error {
	index, rest, err := integer(d.rest, bits)
	if err != nil {
		return err
	}
	d.rest = rest
	d.scratch = d.scratch[:0]
	f := &d.field
	if err = d.literalName(index); err != nil {
		return err
	}
	if f.Value, err = d.string(); err != nil {
		return err
	}
	f.Valid = f.Valid && validValue(f.Value)
	if insert {
		if e := d.table.insert(f.Name, f.Value, f.Tag, f.Valid); e != nil {
			d.emit(e)
		}
	}
	return nil
}

// literalName reads or looks up the name of a literal field.
func (d *Decoder) literalName(index uint32) (err error) {
	f := &d.field
	switch {
	case index == 0:
		if f.Name, err = d.string(); err != nil {
			return err
		}
		f.Tag, f.Valid = d.names.Tag(f.Name), validName(f.Name)
	case index <= staticLen:
		f.Name, f.Tag, f.Valid = staticFields[index].Name, d.names.static[index], true
	default:
		e := d.table.entryAt(int(index) - staticLen - 1)
		if e == nil {
			return ErrIndex
		}
		// Copied: inserting the new field may evict or move the entry it is named after.
		f.Name, f.Tag = d.copied(d.table.name(e)), e.tag
		f.Valid = e.valid || validName(f.Name)
	}
	return nil
}

func (d *Decoder) copied(b []byte) []byte {
	from := len(d.scratch)
	d.scratch = append(d.scratch, b...)
	return d.scratch[from:]
}

// string reads a string literal (RFC 7541 section 5.2): borrowed from the block when it is
// plain, from the scratch when it is Huffman-coded.
func (d *Decoder) string() ([]byte, error) {
	if len(d.rest) == 0 {
		return nil, ErrTruncated
	}
	coded := d.rest[0]&0x80 != 0
	n, rest, err := integer(d.rest, 7)
	if err != nil {
		return nil, err
	}
	if int(n) > d.limits.StringBytesMax {
		return nil, ErrString
	}
	if int(n) > len(rest) {
		return nil, ErrTruncated
	}
	raw := rest[:n:n]
	d.rest = rest[n:]
	if !coded {
		return raw, nil
	}
	from := len(d.scratch)
	d.scratch, err = appendDecoded(d.scratch, raw, from+d.limits.StringBytesMax)
	return d.scratch[from:], err
}
