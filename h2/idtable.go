package h2

// idTable maps stream identifiers to slots: open addressing with linear probing. The slot is
// kept plus one, so that the zero cell is empty.
type idTable struct {
	cells []idCell // a power of two long, at most half full
	count int
}

type idCell struct{ id, slotPlus1 uint32 }

const idCellsMin = 16

// home is where an identifier would like to be. Multiplying by an odd constant spreads the
// identifiers, which come in steps.
func (t *idTable) home(id uint32) uint32 {
	return (id >> 1) * 0x9E3779B1 >> 7 & uint32(len(t.cells)-1)
}

func (t *idTable) get(id uint32) (slot uint32, ok bool) {
	if t.count == 0 {
		return 0, false
	}
	mask := uint32(len(t.cells) - 1)
	for i := t.home(id); t.cells[i].slotPlus1 != 0; i = (i + 1) & mask {
		if t.cells[i].id == id {
			return t.cells[i].slotPlus1 - 1, true
		}
	}
	return 0, false
}

func (t *idTable) put(id, slot uint32) {
	if 2*(t.count+1) > len(t.cells) {
		t.grow()
	}
	mask := uint32(len(t.cells) - 1)
	i := t.home(id)
	for t.cells[i].slotPlus1 != 0 {
		i = (i + 1) & mask
	}
	t.cells[i] = idCell{id, slot + 1}
	t.count++
}

// remove empties the cell of id and moves later cells of the same run into the hole, so that
// every search still ends at an empty cell only behind what it looks for.
func (t *idTable) remove(id uint32) {
	mask := uint32(len(t.cells) - 1)
	hole := t.home(id)
	for t.cells[hole].id != id || t.cells[hole].slotPlus1 == 0 {
		if t.cells[hole].slotPlus1 == 0 {
			return
		}
		hole = (hole + 1) & mask
	}
	for i := (hole + 1) & mask; t.cells[i].slotPlus1 != 0; i = (i + 1) & mask {
		if (i-t.home(t.cells[i].id))&mask >= (i-hole)&mask {
			t.cells[hole] = t.cells[i]
			hole = i
		}
	}
	t.cells[hole] = idCell{}
	t.count--
}

func (t *idTable) grow() {
	old := t.cells
	t.cells = make([]idCell, max(idCellsMin, 2*len(old)))
	t.count = 0
	for _, c := range old {
		if c.slotPlus1 != 0 {
			t.put(c.id, c.slotPlus1-1)
		}
	}
}
