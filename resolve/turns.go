package resolve

import "slices"

// turns say which question is asked next: each asker has a queue, and they take turns, strangers after all others. An
// asker, a zone and strangers together have a bound each of what is asked at once, so that nobody waits for a zone that
// does not answer but who asks for it. All of it is guarded by the resolver's lock.
type turns struct {
	workers   int
	lanes     map[Asker]*lane // of those who have a look-up or a question under way
	order     []*lane         // those with a queue
	next      int             // whose turn it is
	zones     map[string]int  // how many questions are being asked
	strangers int             // the same, for strangers
	pending   int             // look-ups of strangers
}

// lane is one asker's.
type lane struct {
	asker   Asker
	jobs    int // look-ups that wait
	running int // questions that are being asked
	queue   []*inquiry
}

func newTurns(workers int) turns {
	return turns{workers: workers, lanes: map[Asker]*lane{}, zones: map[string]int{}}
}

func (t *turns) lane(a Asker) *lane {
	l := t.lanes[a]
	if l == nil {
		l = &lane{asker: a}
		t.lanes[a] = l
	}
	return l
}

// forget lets a lane go that nobody uses.
func (t *turns) forget(l *lane) {
	if l.jobs == 0 && l.running == 0 && len(l.queue) == 0 {
		delete(t.lanes, l.asker)
	}
}

// admit counts one more look-up of an asker, if that may wait; most is how many may in all.
func (t *turns) admit(a Asker, most int) bool {
	if have := t.lanes[a]; have != nil && have.jobs >= a.mayWait(most) {
		return false
	}
	if a.Stranger {
		if t.pending >= most/2 {
			return false
		}
		t.pending++
	}
	t.lane(a).jobs++
	return true
}

// dismiss counts one fewer.
func (t *turns) dismiss(a Asker) {
	if a.Stranger {
		t.pending--
	}
	l := t.lane(a)
	l.jobs--
	t.forget(l)
}

// add queues an inquiry in the name of an asker.
func (t *turns) add(i *inquiry, a Asker) {
	l := t.lane(a)
	if len(l.queue) == 0 {
		t.order = append(t.order, l)
	}
	l.queue = append(l.queue, i)
}

// pop takes the inquiry whose turn it is, nil if there is none that may be asked now.
func (t *turns) pop() *inquiry {
	for _, strangers := range [...]bool{false, true} {
		if strangers && t.strangers >= max(t.workers/2, 1) {
			break
		}
		for n, all := 0, len(t.order); n < all; n++ {
			at := t.next % len(t.order)
			i := t.turn(at, strangers)
			if i != nil || len(t.order) == 0 {
				return i
			}
		}
	}
	return nil
}

// turn gives the lane at that place its turn, if it is of those who have one, and lets it go if its queue is empty. The
// next turn is that of the lane behind it.
func (t *turns) turn(at int, strangers bool) (i *inquiry) {
	l := t.order[at]
	if l.asker.Stranger == strangers {
		i = t.take(l)
	}
	if len(l.queue) > 0 {
		t.next = at + 1
		return i
	}
	t.order, t.next = slices.Delete(t.order, at, at+1), at
	t.forget(l)
	return i
}

// take takes the first inquiry of a lane that may be asked now, and counts it.
func (t *turns) take(l *lane) *inquiry {
	if l.running >= l.asker.atOnce(t.workers) {
		return nil
	}
	l.queue = slices.DeleteFunc(l.queue, func(i *inquiry) bool { return i.begun })
	for n, i := range l.queue {
		if t.zones[i.zone] >= max(t.workers/zonePart, 1) {
			continue
		}
		l.queue = slices.Delete(l.queue, n, n+1)
		i.begun, i.lane = true, l
		l.running++
		t.zones[i.zone]++
		if l.asker.Stranger {
			t.strangers++
		}
		return i
	}
	return nil
}

// done is the end of an inquiry that was taken.
func (t *turns) done(i *inquiry) {
	l := i.lane
	l.running--
	if l.asker.Stranger {
		t.strangers--
	}
	if t.zones[i.zone]--; t.zones[i.zone] == 0 {
		delete(t.zones, i.zone)
	}
	t.forget(l)
}

// clear empties all queues.
func (t *turns) clear() {
	for _, l := range t.order {
		l.queue = nil
	}
	t.order = nil
}
