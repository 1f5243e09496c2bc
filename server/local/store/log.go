package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A log ends where its last record was torn by a crash, or where a disk went bad, and both look
// alike: a checksum that is wrong. Pebble cuts the log there, unless its own marks prove that
// what follows was synced; these marks count only part of what is written, and for the list of
// tables (the MANIFEST) there are none. So all that was stored behind a damaged place could be
// lost without a word, and the tables that only the lost part names deleted.
//
// Therefore every batch carries a mark of ours as its first entry, which Pebble keeps in the log
// and nowhere else: up to which sequence number all is synced, and up to which length which list
// of tables is. Before Pebble reads a log we read it too. A bad place is damage when a whole
// record behind it, in the same log, marks as synced what the place held; when nothing behind
// it does, it is a torn tail, and what is cut was never acknowledged. One thing cannot be told
// apart: the very last record of a log after a crash. Close leaves no such log.
const (
	markTag   = 1
	markBytes = 1 + 8 + 8 + 8 // tag, synced sequence number, number and length of the list of tables

	batchHeadBytes = 8 + 4 // sequence number and count of Pebble's batches
	kindLogData    = 3     // of an entry that only the log keeps
	markOffset     = batchHeadBytes + 1 + 1
	recordHead     = markOffset + markBytes
)

// mark is what a batch says of those before it.
type mark struct {
	synced   uint64 // all entries with lower sequence numbers are on disk
	manifest manifestMark
}

func (m mark) put(b []byte) {
	b[0] = markTag
	binary.LittleEndian.PutUint64(b[1:], m.synced)
	binary.LittleEndian.PutUint64(b[9:], m.manifest.num)
	binary.LittleEndian.PutUint64(b[17:], uint64(m.manifest.bytes))
}

// parseMark reads the mark of a record that begins with b.
func parseMark(b []byte) (m mark, ok bool) {
	if len(b) < recordHead || b[batchHeadBytes] != kindLogData || b[batchHeadBytes+1] != markBytes || b[markOffset] != markTag {
		return m, false
	}
	b = b[markOffset:]
	m.synced = binary.LittleEndian.Uint64(b[1:])
	m.manifest.num = binary.LittleEndian.Uint64(b[9:])
	m.manifest.bytes = int64(binary.LittleEndian.Uint64(b[17:]))
	return m, true
}

// The framing of Pebble's logs, from its package record: blocks of 32 KiB hold chunks, a record
// is one chunk or a first, middle and last ones. A chunk is
//
//	checksum 4 | length 2 | encoding 1 | log number 4 | synced offset 8 | payload
//
// where the list of tables has no log number and no offset, and older logs no offset.
const (
	blockBytes  = 32 << 10
	legacyHead  = 7
	recycleHead = 11
	syncHead    = 19
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunk is one valid chunk of a block.
type chunk struct {
	first, last bool
	end         int // of the chunk in its block
	payload     []byte
	synced      uint64 // Pebble's own mark: bytes of this log that were on disk
}

// readChunk reads the chunk at b[at:]. A log with the number 0 is a list of tables.
func readChunk(b []byte, at int, num uint32) (c chunk, ok bool) {
	if at+legacyHead > len(b) {
		return c, false
	}
	encoding := b[at+6]
	var head int
	switch {
	case num == 0 && encoding >= 1 && encoding <= 4:
		head = legacyHead
	case num != 0 && encoding >= 5 && encoding <= 8:
		head = recycleHead
	case num != 0 && encoding >= 9 && encoding <= 12:
		head = syncHead
	default:
		return c, false
	}
	length := int(binary.LittleEndian.Uint16(b[at+4:]))
	c.end = at + head + length
	if at+head > len(b) || c.end > len(b) {
		return c, false
	}
	if num != 0 && binary.LittleEndian.Uint32(b[at+7:]) != num {
		return c, false
	}
	sum := crc32.Checksum(b[at+6:c.end], castagnoli)
	if sum = (sum>>15 | sum<<17) + 0xa282ead8; sum != binary.LittleEndian.Uint32(b[at:]) {
		return c, false
	}
	if head == syncHead {
		c.synced = binary.LittleEndian.Uint64(b[at+11:])
	}
	position := (encoding - 1) % 4 // full, first, middle, last
	c.first, c.last = position <= 1, position == 0 || position == 3
	c.payload = b[at+head : c.end]
	return c, true
}

// atLogEnd says whether what stands at b[at:] ends a log that was closed in order: the head of
// an empty chunk, without a checksum, with the next log's number. Pebble looks at the number only.
func atLogEnd(b []byte, at int, num uint32) bool {
	return num != 0 && at+recycleHead <= len(b) &&
		b[at+6] == 5 && binary.LittleEndian.Uint32(b[at+7:]) == num+1 &&
		binary.LittleEndian.Uint32(b[at:]) == 0 && binary.LittleEndian.Uint16(b[at+4:]) == 0
}

// logState is what reading a log to its end found.
type logState struct {
	end     int64 // behind the last whole record
	bad     int64 // where reading had to stop, -1 when the log ends in order
	damaged bool  // what stands at bad was synced once
	behind  int   // records that are whole, but behind bad
	mark    mark  // the newest of the log
}

// readLog reads a log as Pebble does and, where Pebble would stop, goes on looking for proof
// that more was there.
func readLog(r io.Reader, num uint32) (logState, error) {
	s := logState{bad: -1}
	var (
		block  = make([]byte, blockBytes)
		start  int64  // of the block
		head   []byte // the begin of the current record
		open   bool   // a record has begun and not ended
		next   uint64 // the sequence number behind the last whole record, 0 when unknown
		manual = num == 0
	)
	// proof looks at a whole head behind the bad place.
	proof := func(head []byte) {
		s.behind++
		if manual {
			s.damaged = true // every list record is synced before the next is written
			return
		}
		m, ok := parseMark(head)
		if !ok {
			return
		}
		lost := next
		if lost == 0 {
			// Nothing whole stands before. What is lost ends at the latest where this begins.
			lost = binary.LittleEndian.Uint64(head) - 1
		}
		if m.synced > lost {
			s.damaged = true
		}
		s.saw(m)
	}
	for {
		n, err := io.ReadFull(r, block)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return s, err
		}
		b := block[:n]
		for at := 0; at+legacyHead <= n; {
			c, ok := readChunk(b, at, num)
			switch {
			case ok && s.bad < 0:
				if c.first {
					head, open = head[:0], true
				} else if !open {
					at = c.end // the end of a record whose begin is in no block: Pebble skips it too
					continue
				}
				if missing := recordHead - len(head); missing > 0 {
					head = append(head, c.payload[:min(missing, len(c.payload))]...)
				}
				at = c.end
				if c.last {
					open = false
					s.end = start + int64(at)
					if !manual && len(head) >= batchHeadBytes {
						next = binary.LittleEndian.Uint64(head) + uint64(binary.LittleEndian.Uint32(head[8:]))
						if m, ok := parseMark(head); ok {
							s.saw(m)
						}
					}
				}
			case ok: // behind the bad place
				if c.synced > uint64(s.bad) {
					s.damaged = true
				}
				if c.first {
					head, open = head[:0], true
				}
				if open {
					if missing := recordHead - len(head); missing > 0 {
						head = append(head, c.payload[:min(missing, len(c.payload))]...)
					}
					if len(head) == recordHead || c.last {
						if len(head) >= batchHeadBytes || manual {
							proof(head)
						}
						open = false
					}
				}
				at = c.end
			case s.bad < 0 && !open && atLogEnd(b, at, num):
				return s, nil
			case s.bad < 0 && isPadding(b[at:], num):
				at = n
			case s.bad < 0:
				s.bad, open = start+int64(at), false
				at++
			default:
				at++ // chunks begin anywhere in a block
				open = false
			}
		}
		start += int64(n)
		if n < blockBytes {
			break
		}
	}
	if s.bad < 0 && (open || start > s.end && num == 0 && start-s.end >= legacyHead) {
		s.bad = s.end
	}
	return s, nil
}

func (s *logState) saw(m mark) {
	s.mark.synced = max(s.mark.synced, m.synced)
	if n := m.manifest; n.num > s.mark.manifest.num || n.num == s.mark.manifest.num && n.bytes > s.mark.manifest.bytes {
		s.mark.manifest = n
	}
}

// isPadding says whether b, the rest of a whole block, is what a writer leaves when no further
// head fits.
func isPadding(b []byte, num uint32) bool {
	head := syncHead
	if num == 0 {
		head = legacyHead
	}
	if len(b) >= head {
		return false
	}
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// checkLogs reads the logs and the list of tables before Pebble does, and says which are
// damaged. Damage in the list is an error; damage in a log is one only if Pebble comes to
// read that log, so it is kept by name.
func checkLogs(fs vfs.FS, dir string, report func(string, error)) (map[string]error, error) {
	desc, err := pebble.Peek(dir, fs)
	if err != nil {
		return nil, err
	}
	names, err := fs.List(dir)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	if !desc.Exists {
		for _, name := range names {
			if strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".blob") {
				return nil, &DamagedError{File: "marker.manifest", Offset: -1,
					Err: fmt.Errorf("no file says which list of tables is the current one, although %s is there", name)}
			}
		}
		return nil, nil
	}

	damaged := map[string]error{}
	var marks logState
	for _, name := range names {
		num, ok := fileNumber(name)
		if !ok || !strings.HasSuffix(name, ".log") {
			continue
		}
		s, err := readLogFile(fs, fs.PathJoin(dir, name), uint32(num))
		if err != nil {
			return nil, err
		}
		marks.saw(s.mark)
		if s.damaged {
			damaged[name] = &DamagedError{File: name, Offset: s.bad,
				Err: fmt.Errorf("%w: %d records behind it are whole", errLogDamage, s.behind)}
		} else if s.behind > 0 {
			report(fmt.Sprintf("%s: torn at byte %d by a crash; what follows was never acknowledged and is cut", name, s.bad), nil)
		}
	}

	name := path.Base(desc.ManifestFilename)
	s, err := readLogFile(fs, fs.PathJoin(dir, name), 0)
	if err != nil {
		return nil, err
	}
	num, _ := fileNumber(name)
	switch {
	case s.damaged:
		return nil, &DamagedError{File: name, Offset: s.bad,
			Err: fmt.Errorf("%w: %d records behind it are whole", errLogDamage, s.behind)}
	case marks.mark.manifest.num == num && marks.mark.manifest.bytes > s.end:
		return nil, &DamagedError{File: name, Offset: s.end,
			Err: fmt.Errorf("%w: it was synced up to byte %d", errLogDamage, marks.mark.manifest.bytes)}
	case s.bad >= 0:
		report(fmt.Sprintf("%s: torn at byte %d by a crash; the tail is cut", name, s.bad), nil)
	}
	return damaged, nil
}

var errLogDamage = errors.New("a record that was on disk cannot be read")

func readLogFile(fs vfs.FS, name string, num uint32) (logState, error) {
	f, err := fs.Open(name, vfs.SequentialReadsOption)
	if err != nil {
		return logState{}, err
	}
	defer f.Close()
	return readLog(f, num)
}

// fileNumber is the number in a name of Pebble's: 000012.log, 000012.sst, MANIFEST-000012.
func fileNumber(name string) (uint64, bool) {
	name = path.Base(name)
	digits, ok := strings.CutPrefix(name, "MANIFEST-")
	if !ok {
		digits, _, _ = strings.Cut(name, ".")
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}
