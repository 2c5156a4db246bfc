package transport

import (
	"math"
	"sync"
)

// budget is memory that connections may hold in all, for what they have begun. Over it the one gives way that has held
// something for the longest, of the source that has the most of them. Strangers have a budget apart from the others.
type budget struct {
	most int

	mu      sync.Mutex
	used    int
	holders crowd
}

// budgets are those of one kind of memory: of strangers, and of the others.
type budgets struct{ strangers, known budget }

// holding is what a connection holds of a budget.
type holding struct {
	member
	of    *budget // nil: nothing
	bytes int     // under of's lock
	lost  bool    // likewise: it gave way, and is to end
}

func (b *budgets) init(most int) {
	for of, part := range map[*budget]int{&b.strangers: most / strangersShare, &b.known: most - most/strangersShare} {
		of.most, of.holders = part, newCrowd(math.MaxInt, math.MaxInt/wideShare)
	}
}

// used is how much is held of both.
func (b *budgets) used() int {
	n := 0
	for _, of := range []*budget{&b.strangers, &b.known} {
		of.mu.Lock()
		n += of.used
		of.mu.Unlock()
	}
	return n
}

// hold makes n bytes what c holds by h, and reports whether it may; those that give way are cut. h is used by one
// goroutine at a time.
func (b *budgets) hold(c *conn, h *holding, n int, why counter) bool {
	if h.of == nil {
		if n == 0 {
			return true
		}
		if h.of = &b.strangers; c.authenticated.Load() {
			h.of = &b.known
		}
		h.member = member{conn: c, from: c.entry.from}
	}
	out, ok := h.of.hold(h, n)
	for _, o := range out {
		o.cut(why)
	}
	if n == 0 {
		h.of = nil
	}
	return ok
}

func (b *budget) hold(h *holding, n int) (out []*conn, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h.lost {
		h.lost = n > 0
		return nil, n == 0
	}
	b.used += n - h.bytes
	was := h.bytes
	switch h.bytes = n; {
	case n == 0:
		b.holders.leave(&h.member)
		return nil, true
	case was == 0:
		h.self = h
		_ = b.holders.enter(&h.member) // nobody gives way to it: they are counted in bytes
	}
	for b.used > b.most {
		m := b.holders.oldest()
		b.holders.leave(m)
		other := m.self
		b.used -= other.bytes
		other.bytes, other.lost = 0, true
		if other == h {
			return out, false
		}
		out = append(out, m.conn)
	}
	return out, true
}
