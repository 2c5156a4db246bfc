package location

import (
	"fmt"
	"hash/maphash"
	"time"
)

// entry is a copied item: where its AOR and its record end in the copy.
type entry struct{ aor, record int }

// copied is items that were copied out of a shard, so that no lock is held while they are looked at.
type copied struct {
	bytes   []byte
	entries []entry
}

func (c *copied) reset() { c.bytes, c.entries = c.bytes[:0], c.entries[:0] }

func (c *copied) add(it item) {
	c.bytes = append(c.bytes, it.aor...)
	aor := len(c.bytes)
	c.bytes = append(c.bytes, it.record...)
	c.entries = append(c.entries, entry{aor, len(c.bytes)})
}

// each calls fn for each entry until it returns false.
func (c *copied) each(fn func(aor, record []byte) bool) {
	from := 0
	for _, e := range c.entries {
		if !fn(c.bytes[from:e.aor], c.bytes[e.aor:e.record]) {
			return
		}
		from = e.record
	}
}

// copySlots copies the durable items of the slots from on, of sliceSlots slots at the most, of which keep says
// yes, until there are limit. It returns the slot to go on from, 0 at the end of the shard.
func (s *shard) copySlots(from uint32, limit int, c *copied, keep func(item) bool) (next uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from = max(from, 1)
	for n := from; n < uint32(len(s.all)); n++ {
		if n-from == sliceSlots || len(c.entries) == limit {
			return n
		}
		if r := s.all[n].durable; r != 0 {
			if it := s.arena.read(r); keep(it) {
				c.add(it)
			}
		}
	}
	return 0
}

// Walk calls fn for the durable record of every AOR, tombstones and what has expired since included, until fn
// returns an error, which it returns. Changes go on meanwhile: an AOR that is there all the time is seen once,
// in one of the states that it had.
func (x *Index) Walk(fn func(aor, record []byte) error) (err error) {
	var c copied
	all := func(item) bool { return true }
	for i := range x.shards {
		for next := uint32(1); next != 0 && err == nil; {
			c.reset()
			next = x.shards[i].copySlots(next, sliceSlots, &c, all)
			c.each(func(aor, record []byte) bool {
				err = fn(aor, record)
				return err == nil
			})
		}
	}
	return err
}

// List is Store.List. A cursor is a place among the slots, where an AOR stays as long as it is there.
func (x *Index) List(now time.Time, cursor string, limit int, fn func(aor []byte, r *Record)) (next string, err error) {
	if limit < 1 || limit > MaxPage {
		limit = MaxPage
	}
	shard, slot, ok := x.parseCursor(cursor)
	if !ok {
		return "", ErrCursor
	}
	var c copied
	var r Record
	ms := now.UnixMilli()
	live := func(it item) bool {
		if it.bindings == 0 || r.Decode(it.record) != nil {
			return false
		}
		r.Live(ms)
		return len(r.Bindings) > 0
	}
	for shard < shardCount && len(c.entries) < limit {
		if slot = x.shards[shard].copySlots(slot, limit, &c, live); slot == 0 {
			shard++
		}
	}
	c.each(func(aor, record []byte) bool {
		if r.Decode(record) == nil {
			r.Live(ms)
			fn(aor, &r)
		}
		return true
	})
	if shard == shardCount {
		return "", nil
	}
	return fmt.Sprintf("%08x.%x.%x", x.tag(), shard, slot), nil
}

func (x *Index) parseCursor(cursor string) (shard, slot uint32, ok bool) {
	if cursor == "" {
		return 0, 1, true
	}
	var tag uint32
	n, err := fmt.Sscanf(cursor, "%08x.%x.%x", &tag, &shard, &slot)
	return shard, slot, n == 3 && err == nil && tag == x.tag() && shard < shardCount
}

// tag tells the cursors of this index from those of another, such as that of the process before a restart.
func (x *Index) tag() uint32 { return uint32(maphash.String(x.seed, "cursor")) }
