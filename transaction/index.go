package transaction

import "math/bits"

// index finds the records of a log: open addressing over slots of eight bytes, without a pointer. A slot is half of
// a key's hash, which says where its search begins, and the record's position; zero is an empty one. What is taken
// out leaves nothing behind. The zero index is empty.
type index struct {
	slots []uint64 // a power of two of them
	shift uint8    // of a tag: what is left is the slot that its search begins at
	count int
}

// tag is the part of a key that a slot holds. It is never zero. The key's low bits chose the shard.
func (k key) tag() uint32 { return uint32(k.a>>32) | 1 }

func slotOf(tag, position uint32) uint64 { return uint64(tag)<<32 | uint64(position) }

func (x *index) home(slot uint64) int { return int(uint32(slot>>32) >> x.shift) }

// next is the slot that is searched behind slot i.
func (x *index) next(i int) int { return (i + 1) & (len(x.slots) - 1) }

func (x *index) insert(slot uint64) {
	if 4*(x.count+1) > 3*len(x.slots) {
		x.resize(max(firstSlots, 2*len(x.slots)))
	}
	x.put(slot)
	x.count++
}

func (x *index) put(slot uint64) {
	i := x.home(slot)
	for x.slots[i] != 0 {
		i = x.next(i)
	}
	x.slots[i] = slot
}

// remove takes a slot out, which is in. What was put behind it for want of room moves up.
func (x *index) remove(slot uint64) {
	gap := x.home(slot)
	for x.slots[gap] != slot {
		gap = x.next(gap)
	}
	mask := len(x.slots) - 1
	for i := x.next(gap); x.slots[i] != 0; i = x.next(i) {
		if (i-x.home(x.slots[i]))&mask >= (i-gap)&mask {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = 0
	x.count--
	// After a flood the index shrinks, well below where it grew.
	if n := len(x.slots); n > firstSlots && x.count < n/8 {
		x.resize(n / 2)
	}
}

func (x *index) resize(n int) {
	old := x.slots
	x.slots, x.shift = make([]uint64, n), uint8(33-bits.Len(uint(n)))
	for _, slot := range old {
		if slot != 0 {
			x.put(slot)
		}
	}
}
