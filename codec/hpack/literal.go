package hpack

// literal reads a literal field whose name index is the bits of mask in the first byte (RFC
// 7541 section 6.2).
func (d *Decoder) literal(mask byte, insert bool) error {
	index, err := d.integer(mask)
	if err != nil {
		return err
	}
	d.scratch = d.scratch[:0]
	f := &d.field
	if err = d.literalName(uint(index)); err != nil {
		return err
	}
	if f.Value, err = d.string(); err != nil {
		return err
	}
	f.Valid = f.Valid && validValue(f.Value)
	if insert {
		d.table.insert(f.Name, f.Value, f.Tag, f.Valid)
	}
	return nil
}

// literalName reads or looks up the name of a literal field.
func (d *Decoder) literalName(index uint) (err error) {
	f := &d.field
	switch {
	case index == 0:
		if f.Name, err = d.string(); err != nil {
			return err
		}
		f.Tag = d.names.Tag(f.Name)
		f.Valid = validName(f.Name)
	case index <= staticLen:
		known := &d.names.static[index]
		f.Name, f.Tag, f.Valid = known.Name, known.Tag, true
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
	if d.at == len(d.block) {
		return nil, ErrTruncated
	}
	coded := d.block[d.at]&0x80 != 0
	n, err := d.integer(0x7f)
	if err != nil {
		return nil, err
	}
	if int(n) > d.limits.StringBytesMax {
		return nil, ErrString
	}
	to := d.at + int(n)
	if to > len(d.block) {
		return nil, ErrTruncated
	}
	raw := d.block[d.at:to:to]
	d.at = to
	if !coded {
		return raw, nil
	}
	from := len(d.scratch)
	d.scratch, err = appendDecoded(d.scratch, raw, from+d.limits.StringBytesMax)
	return d.scratch[from:], err
}
