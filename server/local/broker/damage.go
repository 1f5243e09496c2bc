package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// lost tells which keys an error of the store gives up for good, if it does.
func lost(err error) (g gap, is bool) {
	var damage interface{ Lost() (from, to []byte) }
	if is = errors.As(err, &damage); is {
		g.from, g.to = damage.Lost()
	}
	return g, is
}

// isDamage tells whether an error of the store is there to stay.
func isDamage(err error) bool {
	_, is := lost(err)
	return is
}

// gap is a stretch of keys that are lost, both ends included.
type gap struct{ from, to []byte }

func (g gap) has(key []byte) bool {
	return bytes.Compare(g.from, key) <= 0 && bytes.Compare(key, g.to) <= 0
}

// gaps are those that Open found where topics and groups are. What is written there again could
// not be read after the next Open either. So a topic or group that would lie in one is not made:
// nothing is acknowledged that would be lost, and nobody takes an empty topic for the old one.
type gaps []gap

func (all gaps) have(prefix byte, name string) bool {
	key := appendNameKey(nil, prefix, name)
	for _, g := range all {
		if g.has(key) {
			return true
		}
	}
	return false
}

// load shows what lies under a prefix to visit, in order. What visit refuses, and what is lost, is
// reported and left out, and hole hears of it.
func (b *Broker) load(prefix byte, what string, visit func(key, value []byte) error, hole func(gap)) error {
	from := []byte{prefix}
	to := after(from)
	for {
		for more := b.cursor.Seek(from, to); more; more = b.cursor.Next() {
			if err := visit(b.cursor.Key(), b.cursor.Value()); err != nil {
				b.report(what+" is damaged: it is left out", err)
				key := bytes.Clone(b.cursor.Key())
				hole(gap{key, key})
			}
		}
		err := b.cursor.Err()
		if err == nil {
			return nil
		}
		g, is := lost(err)
		if !is {
			return fmt.Errorf("broker: %ss cannot be read: %w", what, err)
		}
		b.report(what+" is damaged: what lies there is left out", err)
		hole(g)
		if from = append(bytes.Clone(g.to), 0); bytes.Compare(from, to) >= 0 {
			return nil
		}
	}
}

func (b *Broker) loadCounters() error {
	for _, c := range []*counter{&b.nextID, &b.sequence} {
		value, found, err := b.store.Get(nil, appendNameKey(nil, prefixCounter, c.name))
		switch {
		case err != nil && !isDamage(err):
			return err
		case err == nil && !found:
			c.next, c.end = 1, 1
			continue
		case err == nil && len(value) == 8:
			c.next = binary.BigEndian.Uint64(value)
		default:
			if err == nil {
				err = fmt.Errorf("broker: it has %d bytes", len(value))
			}
			b.report("counter "+c.name+" is damaged: it goes on beyond what is in use", err)
			if c.next, err = b.beyond(c); err != nil {
				return err
			}
		}
		c.end = c.next
	}
	return nil
}

const (
	// idGap is more than what can have been used without being met any more.
	idGap = 1 << 16
	// sequenceBeyond is more appends than there ever were.
	sequenceBeyond = 1 << 62
)

// beyond is where a counter goes on whose value is lost.
func (b *Broker) beyond(c *counter) (uint64, error) {
	if c == &b.sequence {
		last, err := b.greatest(prefixHalf)
		if err != nil || len(last) != halfKeyBytes {
			return sequenceBeyond, err
		}
		return max(sequenceBeyond, sequenceOfKey(last)+1), nil
	}
	var id uint32
	for known := range b.topicByID {
		id = max(id, known)
	}
	for known := range b.groupByID {
		id = max(id, known)
	}
	for _, prefix := range []byte{prefixMessage, prefixQueue, prefixIndex, prefixPosition, prefixEntry} {
		last, err := b.greatest(prefix)
		if err != nil {
			return 0, err
		}
		if len(last) >= 1+4 {
			id = max(id, binary.BigEndian.Uint32(last[1:]))
		}
	}
	return uint64(id) + idGap, nil
}

// greatest is the greatest key under a prefix that is there, or was.
func (b *Broker) greatest(prefix byte) ([]byte, error) {
	from := []byte{prefix}
	return b.lastKey(from, after(from))
}

// lastKey is the greatest key in [from, to) that is there, or was: nil when there is none. A gap
// that goes on beyond the range is an error, for what its last key was cannot be known.
func (b *Broker) lastKey(from, to []byte) (last []byte, err error) {
	for {
		key, found, err := b.store.Last(nil, from, to)
		g, is := lost(err)
		switch {
		case err != nil && !is:
			return nil, err
		case !is && found:
			return key, nil
		case !is:
			return last, nil
		case bytes.Compare(g.to, to) >= 0:
			return nil, err
		}
		b.report("the end of a stretch is damaged: what lies there is left out", err)
		last = bytes.Clone(g.to)
		from = append(bytes.Clone(g.to), 0)
	}
}
