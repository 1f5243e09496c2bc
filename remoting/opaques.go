package remoting

import "math"

// opaques files the calls in flight by their opaque (specification 1.6).
//
// Numbers are handed out in turn and wrap at 2^31; a number whose slot, its low bits, is taken
// is passed over. So no two live calls share a number or a slot, finding a call is one index
// and one comparison, and a number comes again only after all the others: an answer that is
// late by minutes still finds nobody.
//
// The table has at least twice as many slots as calls, so that passing over taken slots costs
// less than one step a call, averaged over a round.
type opaques struct {
	slots []*Call // a power of two
	next  int32   // the number to try next, never negative
	live  int
}

// slotsMin is the size of a new table. A lane that makes calls one by one stays with it.
const slotsMin = 64

// add files the call under a fresh number.
func (o *opaques) add(call *Call) {
	if o.live*2 >= len(o.slots) {
		o.grow()
	}
	for o.slots[o.slot(o.next)] != nil {
		o.next = after(o.next)
	}
	call.opaque = o.next
	o.slots[o.slot(o.next)] = call
	o.next = after(o.next)
	o.live++
}

// skip hands out a number without filing anything: nobody waits for its answer.
func (o *opaques) skip() int32 {
	for len(o.slots) > 0 && o.slots[o.slot(o.next)] != nil {
		o.next = after(o.next)
	}
	opaque := o.next
	o.next = after(opaque)
	return opaque
}

// take unfiles the call that waits for this number, nil when there is none.
func (o *opaques) take(opaque int32) *Call {
	if opaque < 0 || o.live == 0 {
		return nil
	}
	slot := o.slot(opaque)
	call := o.slots[slot]
	if call == nil || call.opaque != opaque {
		return nil
	}
	o.slots[slot] = nil
	o.live--
	return call
}

func (o *opaques) slot(opaque int32) int { return int(opaque) & (len(o.slots) - 1) }

func after(opaque int32) int32 {
	if opaque == math.MaxInt32 {
		return 0
	}
	return opaque + 1
}

// grow doubles the table. Calls with different low bits still differ when one more bit counts.
func (o *opaques) grow() {
	old := o.slots
	o.slots = make([]*Call, max(slotsMin, 2*len(old)))
	for _, call := range old {
		if call != nil {
			o.slots[o.slot(call.opaque)] = call
		}
	}
}

// drop moves every call that unwanted chooses to the end of list, the oldest first.
func (o *opaques) drop(list *callList, unwanted func(*Call) bool) {
	for i := range o.slots {
		slot := (int(o.next) + i) & (len(o.slots) - 1)
		if call := o.slots[slot]; call != nil && unwanted(call) {
			o.slots[slot] = nil
			o.live--
			list.push(call)
		}
	}
}
