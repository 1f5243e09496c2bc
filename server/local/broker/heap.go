package broker

import "math"

// never is a time that does not come.
const never = math.MaxInt64

// timed is what a heap orders: it has a time, and remembers its place.
type timed[T any] interface {
	comparable
	due() int64
	before(T) bool // by time, and by what it likes when that is the same
	place() *int32 // where it stands in the heap plus 1; 0 when it is in none
}

// heap is a binary heap by time. What is before nothing and after nothing leaves in an order
// that depends on the history of calls only.
type heap[T timed[T]] struct{ items []T }

func (h *heap[T]) due() int64 {
	if len(h.items) == 0 {
		return never
	}
	return h.items[0].due()
}

func (h *heap[T]) first() T { return h.items[0] }

func (h *heap[T]) add(x T) {
	h.items = append(h.items, x)
	h.set(len(h.items)-1, x)
	h.up(len(h.items) - 1)
}

// remove takes x out if it is in.
func (h *heap[T]) remove(x T) {
	i := int(*x.place()) - 1
	if i < 0 {
		return
	}
	*x.place() = 0
	last := len(h.items) - 1
	moved := h.items[last]
	var none T
	h.items[last] = none
	h.items = h.items[:last]
	if i < last {
		h.set(i, moved)
		h.fix(i)
	}
}

// moved puts x, whose time has changed, where it belongs.
func (h *heap[T]) moved(x T) {
	if i := int(*x.place()) - 1; i >= 0 {
		h.fix(i)
		return
	}
	h.add(x)
}

func (h *heap[T]) fix(i int) {
	if !h.down(i) {
		h.up(i)
	}
}

func (h *heap[T]) set(i int, x T) {
	h.items[i] = x
	*x.place() = int32(i + 1)
}

func (h *heap[T]) up(i int) {
	x := h.items[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !x.before(h.items[parent]) {
			break
		}
		h.set(i, h.items[parent])
		i = parent
	}
	h.set(i, x)
}

func (h *heap[T]) down(i int) bool {
	x, from := h.items[i], i
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			break
		}
		if child+1 < len(h.items) && h.items[child+1].before(h.items[child]) {
			child++
		}
		if !h.items[child].before(x) {
			break
		}
		h.set(i, h.items[child])
		i = child
	}
	h.set(i, x)
	return i > from
}
