package command

import "bytes"

var (
	comma       = []byte{','}
	semicolon   = []byte{';'}
	space       = []byte{' '}
	percent     = []byte{'%'}
	queueOffset = []byte("qo")
)

// nextEntry takes "mark key value" off the front of entries.
func nextEntry(entries *[]byte) (mark byte, key, value []byte, ok bool) {
	entry, rest, _ := bytes.Cut(*entries, semicolon)
	*entries = rest
	if len(entry) < 2 || entry[0] < '0' || entry[0] > '2' || entry[1] != ' ' {
		return 0, nil, nil, false
	}
	key, value, ok = bytes.Cut(entry[2:], space)
	return entry[0], key, value, ok
}

func (p *PopInfo) parseStarts(info []byte) bool {
	for entries := info; len(entries) > 0; {
		mark, key, value, ok := nextEntry(&entries)
		queueID, okQueue := parseInt32(key)
		start, okStart := parseInt64(value)
		if !ok || !okQueue || !okStart || p.Queue(mark, queueID) != nil {
			return false
		}
		q := p.add(mark, queueID)
		if q == nil {
			return false
		}
		q.StartOffset = start
	}
	return true
}

func (p *PopInfo) parseOffsets(info []byte) bool {
	for entries := info; len(entries) > 0; {
		mark, key, value, ok := nextEntry(&entries)
		queueID, okQueue := parseInt32(key)
		if !ok || !okQueue {
			return false
		}
		q := p.Queue(mark, queueID)
		if q == nil {
			q = p.add(mark, queueID)
		}
		if q == nil || q.Offsets != nil || !p.readOffsets(q, value) {
			return false
		}
	}
	return true
}

// readOffsets reads "100,101,104".
func (p *PopInfo) readOffsets(q *PopQueue, list []byte) bool {
	from := len(p.offsets)
	for more := true; more; {
		var digits []byte
		digits, list, more = bytes.Cut(list, comma)
		offset, ok := parseInt64(digits)
		if !ok {
			return false
		}
		p.offsets = append(p.offsets, offset)
	}
	q.Offsets = p.offsets[from:len(p.offsets):len(p.offsets)]
	return true
}

func (p *PopInfo) parseCounts(info []byte) bool {
	for entries := info; len(entries) > 0; {
		mark, key, value, ok := nextEntry(&entries)
		c, okCount := readCount(mark, key, value)
		if !ok || !okCount || len(p.counts) == popEntriesMax || p.counted(c) {
			return false
		}
		p.counts = append(p.counts, c)
	}
	return true
}

// readCount reads the key "qo<queue>%<offset>" or "<queue>", and the count.
func readCount(mark byte, key, value []byte) (c popCount, ok bool) {
	c = popCount{mark: mark, offset: popCountQueue}
	if pair, single := bytes.CutPrefix(key, queueOffset); single {
		queue, offset, _ := bytes.Cut(pair, percent)
		if c.offset, ok = parseInt64(offset); !ok || c.offset < 0 {
			return c, false
		}
		key = queue
	}
	if c.queueID, ok = parseInt32(key); !ok {
		return c, false
	}
	c.count, ok = parseInt32(value)
	return c, ok
}

// counted tells whether an entry with the key of c is there: keys must not come twice.
func (p *PopInfo) counted(c popCount) bool {
	for _, o := range p.counts {
		if o.queueID == c.queueID && o.offset == c.offset && o.mark == c.mark {
			return true
		}
	}
	return false
}

// add makes room for another queue, nil when there are too many.
func (p *PopInfo) add(mark byte, queueID int32) *PopQueue {
	if len(p.Queues) == popEntriesMax {
		return nil
	}
	p.Queues = append(p.Queues, PopQueue{Mark: mark, QueueID: queueID, StartOffset: PopStartAbsent})
	return &p.Queues[len(p.Queues)-1]
}
