package transaction

// wheel holds the transactions of a shard by the tick at which their first timer fires, in lists that go through
// the transactions: to set and to stop a timer costs the same however many there are.
//
// A transaction whose timer is put off is left where it is, and moves on when the wheel comes by.
type wheel struct {
	turn  int64 // the tick that the wheel has come to and is done with
	slots [wheelSlots]*transaction
}

// schedule puts tx where it is found when its first timer fires.
func (w *wheel) schedule(tx *transaction) {
	due := tx.due()
	if due == never {
		return // if it is in the wheel it is taken out when the wheel comes by
	}
	// It must not fire early: the tick is the first that is not before the timer. What is further away than
	// the wheel spans is looked at once on the way.
	turn := min(max(int64((due+tick-1)/tick), w.turn+1), w.turn+wheelSlots)
	if tx.scheduled {
		if tx.turn <= turn {
			return
		}
		w.unlink(tx)
	}
	w.link(tx, turn)
}

// next returns a transaction that the wheel comes by on its way to the tick of now, out of its list, nil if there
// is none any more. Its timers need not be due.
func (w *wheel) next(now moment) *transaction {
	to := int64(now / tick)
	if to-w.turn > wheelSlots {
		w.turn = to - wheelSlots // once around comes by every list
	}
	for w.turn < to {
		if tx := w.slots[(w.turn+1)%wheelSlots]; tx != nil {
			w.unlink(tx)
			return tx
		}
		w.turn++
	}
	return nil
}

func (w *wheel) link(tx *transaction, turn int64) {
	tx.scheduled, tx.turn = true, turn
	head := &w.slots[turn%wheelSlots]
	tx.before, tx.after = nil, *head
	if tx.after != nil {
		tx.after.before = tx
	}
	*head = tx
}

// unlink takes tx out of its list, if it is in one.
func (w *wheel) unlink(tx *transaction) {
	if !tx.scheduled {
		return
	}
	if tx.before != nil {
		tx.before.after = tx.after
	} else {
		w.slots[tx.turn%wheelSlots] = tx.after
	}
	if tx.after != nil {
		tx.after.before = tx.before
	}
	tx.before, tx.after, tx.scheduled = nil, nil, false
}
