// Package tally counts what is under way, by whose it is, in memory that does not grow with the number of those who
// ask. Who has a bound for each source, user or zone counts here, and never keeps a table that a stranger fills.
package tally

import (
	"hash/maphash"
	"sync/atomic"
)

// maxSlots is the most slots that a key finds its way in: each row takes 15 of its bits, for one keeps it from being zero.
const maxSlots = 1 << 15

// Counts are numbers by key. Each key has a slot in each of two rows, and is counted in both; its count is the smaller
// one. Two keys that meet in one row are told apart by the other, so that a count is too high only where others have
// met it in both: with n busy keys one in (slots/n)² has that. It is never too low.
//
// The hash is keyed, so that nobody outside can choose who meets whom. All methods may be called from any goroutine.
type Counts struct {
	seed maphash.Seed
	mask uint32
	rows [2][]atomic.Int32
}

// Key is what something is counted by. The zero Key is nobody's: it is not counted.
type Key uint32

// New makes counts that are all zero, with a row of so many slots, which is rounded up to a power of two and is 32,768
// at the most. Both rows take eight bytes a slot.
func New(slots int) *Counts {
	n := 1
	for n < slots && n < maxSlots {
		n *= 2
	}
	c := &Counts{seed: maphash.MakeSeed(), mask: uint32(n - 1)}
	for i := range c.rows {
		c.rows[i] = make([]atomic.Int32, n)
	}
	return c
}

// Key is the key of a name. kind tells names apart that are the same and mean something else.
func (c *Counts) Key(kind byte, name []byte) Key { return c.Join(Key(kind), name) }

// Join is the key of a name that belongs to what has the key k: of a user that a source calls.
func (c *Counts) Join(k Key, name []byte) Key {
	n := maphash.Bytes(c.seed, name) ^ uint64(k)*0x9e3779b97f4a7c15
	n ^= n >> 32
	n *= 0xd6e8feb86659fd93
	return Key(uint32(n>>32)) | 1<<15 // never zero
}

func (c *Counts) slots(k Key) (a, b *atomic.Int32) {
	return &c.rows[0][uint32(k)&c.mask], &c.rows[1][uint32(k>>16)&c.mask]
}

// Add counts n more for a key, or fewer.
func (c *Counts) Add(k Key, n int) {
	if k == 0 {
		return
	}
	a, b := c.slots(k)
	a.Add(int32(n))
	b.Add(int32(n))
}

// Of is the count of a key, zero for that of nobody.
func (c *Counts) Of(k Key) int {
	if k == 0 {
		return 0
	}
	a, b := c.slots(k)
	return int(min(a.Load(), b.Load()))
}
