package location

// wheel holds the slots of a shard by the second at which they fall due, in lists that are linked through the
// slots: to add and to take one costs the same however many there are, and nothing is ever searched.
//
// A slot that falls due later than before is left where it is and moved on when the wheel comes by, so that a
// refresh does not touch the lists at all.
type wheel struct {
	tick  uint32                 // the second that the wheel has come to; 0: it has not begun
	heads [wheelSlots + 1]uint32 // the first slot of each second's list; the last one is of those being fired
}

const (
	firing  = wheelSlots // the list of the slots whose second has come
	headBit = 1 << 31    // in prev: there is no slot before, the list's number is in the other bits
)

// schedule puts slot n where it is found when due comes.
func (w *wheel) schedule(all []slot, n, due uint32) {
	s := &all[n]
	if s.prev != 0 {
		if due >= s.due {
			s.due = due
			return
		}
		w.unlink(all, n)
	}
	s.due = due
	if due != noDue {
		w.link(all, n, max(due, w.tick+1)%wheelSlots)
	}
}

// advance moves the wheel to the second now and returns a slot that is due, out of its list, or 0 if there is
// none any more. budget is how many slots may be looked at, and is counted down.
func (w *wheel) advance(all []slot, now uint32, budget *int) uint32 {
	if w.tick == 0 {
		w.tick = now
	}
	if now > w.tick && now-w.tick > wheelSlots {
		w.tick = now - wheelSlots // once around comes by every list
	}
	for *budget > 0 {
		n := w.heads[firing]
		if n == 0 {
			if w.tick >= now {
				return 0
			}
			w.tick++
			w.fire(all, w.tick%wheelSlots)
			continue
		}
		*budget--
		w.unlink(all, n)
		due := all[n].due
		if due <= now {
			return n
		}
		if due != noDue {
			w.link(all, n, due%wheelSlots)
		}
	}
	return 0
}

// fire makes the list that of the slots being fired, which is empty.
func (w *wheel) fire(all []slot, list uint32) {
	n := w.heads[list]
	if n == 0 {
		return
	}
	w.heads[list] = 0
	w.heads[firing] = n
	all[n].prev = headBit | firing
}

func (w *wheel) link(all []slot, n, list uint32) {
	s := &all[n]
	s.prev, s.next = headBit|list, w.heads[list]
	if s.next != 0 {
		all[s.next].prev = n
	}
	w.heads[list] = n
}

func (w *wheel) unlink(all []slot, n uint32) {
	s := &all[n]
	if s.prev == 0 {
		return
	}
	if s.prev&headBit != 0 {
		w.heads[s.prev&^headBit] = s.next
	} else {
		all[s.prev].next = s.next
	}
	if s.next != 0 {
		all[s.next].prev = s.prev
	}
	s.next, s.prev = 0, 0
}
