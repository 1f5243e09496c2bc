package broker

// links are an item's neighbours in the one list that it is in.
type links[T comparable] struct{ prev, next T }

// linked is what can be in a list.
type linked[T comparable] interface {
	comparable
	neighbours() *links[T]
}

// list is a doubly linked list through its items, so that being in it costs no memory.
type list[T linked[T]] struct {
	front, back T
	count       int
}

func (l *list[T]) push(x T) {
	var none T
	if l.back == none {
		l.front = x
	} else {
		l.back.neighbours().next = x
		x.neighbours().prev = l.back
	}
	l.back = x
	l.count++
}

func (l *list[T]) remove(x T) {
	var none T
	n := x.neighbours()
	if n.prev == none {
		l.front = n.next
	} else {
		n.prev.neighbours().next = n.next
	}
	if n.next == none {
		l.back = n.prev
	} else {
		n.next.neighbours().prev = n.prev
	}
	*n = links[T]{}
	l.count--
}
