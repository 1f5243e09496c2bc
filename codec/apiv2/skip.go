package apiv2

// groupDepthMax is how deep groups may nest; protobuf's Java runtime has the same.
const groupDepthMax = 100

// fieldNumberMax is the largest field number there is.
const fieldNumberMax = 1<<29 - 1

// Tag reads a field's number and wire type as number<<3 | type. It is 0, which is no tag,
// after a failure.
func (c *Cursor) Tag() uint32 {
	if c.at < c.stop {
		if b := c.block[c.at]; b >= 1<<3 && b < 0x80 { // numbers 1 to 15, that is nearly all
			c.at++
			return uint32(b)
		}
	}
	return c.longTag()
}

func (c *Cursor) longTag() uint32 {
	tag := c.Varint()
	if number := tag >> 3; number-1 >= fieldNumberMax {
		c.fail(ErrTag)
		return 0
	}
	return uint32(tag)
}

// SkipField passes over the value that belongs to tag. Readers call it for every tag they do
// not know, which includes a known number with another wire type than its own.
func (c *Cursor) SkipField(tag uint32) { c.skipField(tag, 0) }

func (c *Cursor) skipField(tag uint32, depth int) {
	switch tag & 7 {
	case wireVarint:
		c.Varint()
	case wireFixed64:
		c.Skip(8)
	case wireBytes:
		c.Skip(c.Length())
	case wireFixed32:
		c.Skip(4)
	case wireGroup:
		c.skipGroup(tag, depth+1)
	case wireGroupEnd:
		c.fail(ErrGroup)
	default:
		c.fail(ErrTag)
	}
}

// skipGroup passes over fields until the end of the group that start began.
func (c *Cursor) skipGroup(start uint32, depth int) {
	if depth > groupDepthMax {
		c.fail(ErrDepth)
	}
	for c.err == nil {
		tag := c.Tag()
		if tag == start-wireGroup+wireGroupEnd {
			return
		}
		c.skipField(tag, depth)
	}
}
