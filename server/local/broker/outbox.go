package broker

// outbox is what has ended since it was last emptied. It is emptied while it fills again, and keeps
// its memory.
type outbox[T any] []*T

// take empties the outbox.
func (o *outbox[T]) take() []*T {
	all := *o
	*o = all[len(all):]
	return all
}

// recycle gives the memory back of what was taken.
func (o *outbox[T]) recycle(taken []*T) {
	clear(taken)
	if len(*o) == 0 {
		*o = taken[:0]
	}
}
