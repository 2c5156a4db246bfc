package location

import (
	"slices"
	"time"
)

// Record is the state of one AOR: its bindings, in the order in which they were made, and its tombstones.
// The zero Record is an AOR without any.
//
// It is the caller's scratch: Decode uses its memory again, and its slices may point into one buffer.
type Record struct{ Bindings []Binding }

// Expire drops what is past its Expires at now, in Unix milliseconds, tombstones too. A binding is there
// until the moment of its Expires, and not at it.
func (r *Record) Expire(now int64) {
	if !r.any(func(b *Binding) bool { return b.Expires <= now }) {
		return
	}
	r.Bindings = slices.DeleteFunc(r.Bindings, func(b Binding) bool { return b.Expires <= now })
}

// Live drops what Expire drops, and every tombstone: what remains is what a query or a caller is shown.
func (r *Record) Live(now int64) {
	if !r.any(func(b *Binding) bool { return b.Removed || b.Expires <= now }) {
		return
	}
	r.Bindings = slices.DeleteFunc(r.Bindings, func(b Binding) bool { return b.Removed || b.Expires <= now })
}

// reclock adds ahead to all times, and then moves what was written after now to now: the clock was set back since, and a
// binding must not last longer than it was granted from now on, nor a tombstone longer than one. All in milliseconds.
// It reports whether anything changed.
func (r *Record) reclock(ahead, now int64) (changed bool) {
	for i := range r.Bindings {
		b := &r.Bindings[i]
		by := ahead
		if b.Updated+by > now+clockSlack.Milliseconds() {
			by = now - b.Updated
		}
		if by == 0 {
			continue
		}
		changed = true
		b.Created += by
		b.Updated += by
		if b.Expires != Never {
			b.Expires += by
		}
	}
	return changed
}

// Size is about what the record takes when it is encoded, in bytes.
func (r *Record) Size() (n int) {
	const numbers = 64 // flags, lengths, times, addresses
	for i := range r.Bindings {
		b := &r.Bindings[i]
		n += numbers + len(b.Contact) + len(b.Params) + len(b.Writer.CallID) + len(b.Before.CallID) + len(b.Path) +
			len(b.Instance) + len(b.UserAgent)
	}
	return n
}

// any reports whether there is such a binding. Mostly none is to be dropped, and then none is copied.
func (r *Record) any(is func(b *Binding) bool) bool {
	for i := range r.Bindings {
		if is(&r.Bindings[i]) {
			return true
		}
	}
	return false
}

// SortByQ puts the bindings into the order in which they are tried: by falling q, those of one q in the order
// in which they were made.
//
// RFC 3261 §16.6: targets are tried from the highest qvalue to the lowest. §20.10: a contact without q
// stands as high as q=1 here, which is what Binding.Q holds then.
func (r *Record) SortByQ() {
	slices.SortStableFunc(r.Bindings, func(a, b Binding) int { return int(b.Q) - int(a.Q) })
}

// more adds a zero binding.
func (r *Record) more() *Binding {
	n := len(r.Bindings)
	if n == cap(r.Bindings) {
		r.Bindings = append(r.Bindings, Binding{})
		return &r.Bindings[n]
	}
	r.Bindings = r.Bindings[:n+1] // a Binding is large: it is cleared where it stands
	r.Bindings[n] = Binding{}
	return &r.Bindings[n]
}

// trim drops the tombstones beyond MaxTombstones, those that would be forgotten first.
func (r *Record) trim() {
	for n := r.tombstones(); n > MaxTombstones; n-- {
		first := -1
		for i := range r.Bindings {
			b := &r.Bindings[i]
			if b.Removed && (first < 0 || b.Expires < r.Bindings[first].Expires) {
				first = i
			}
		}
		r.Bindings = slices.Delete(r.Bindings, first, first+1)
	}
}

func (r *Record) tombstones() (n int) {
	for i := range r.Bindings {
		if r.Bindings[i].Removed {
			n++
		}
	}
	return n
}

// bindings is the number of bindings that are no tombstones.
func (r *Record) bindings() int { return len(r.Bindings) - r.tombstones() }

// due is the Unix second at which the first of the bindings has expired: noDue if none ever does, 0 if there is
// none.
func (r *Record) due() uint32 {
	if len(r.Bindings) == 0 {
		return 0
	}
	first := int64(Never)
	for i := range r.Bindings {
		first = min(first, r.Bindings[i].Expires)
	}
	return dueSecond(first)
}

// noDue is a due second that never comes.
const noDue = 1<<32 - 1

// dueSecond is the first whole Unix second that is not before the time ms, in Unix milliseconds.
func dueSecond(ms int64) uint32 {
	const milli = int64(time.Second / time.Millisecond)
	switch {
	case ms <= 0:
		return 0
	case ms >= noDue*milli:
		return noDue
	}
	return uint32((ms + milli - 1) / milli)
}
