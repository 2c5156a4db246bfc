package location

// slot is the handle of one AOR: it stays where it is for as long as the AOR is there, while its records move.
// It holds no pointer.
type slot struct {
	hash       uint32
	newest     ref    // the record that the next change starts from; 0: the slot is free
	durable    ref    // the record that is shown, newest or one before it; 0: none is durable yet
	next, prev uint32 // in a list of the wheel; prev is 0 if it is in none; of a free slot, next is the next free one
	due        uint32 // the Unix second at which the first of its bindings has expired; noDue
}

// pending reports whether the newest record is not durable yet.
func (s *slot) pending() bool { return s.newest != s.durable }

// slots is the slots of a shard, and a hash table over them: open addressing with linear probing. Slot 0 is
// never used.
type slots struct {
	all   []slot
	free  uint32 // the first free slot
	used  int
	table []uint32 // tagged slot numbers; 0 is empty; its length is a power of two
}

const minTable = 16

// tagged is what stands in the table: above the number of a slot, a part of its hash that does not say where. So a
// slot of another AOR, which is on a cache line of its own, is hardly ever looked at.
func tagged(n, hash uint32) uint32 { return n | hash&^slotMask }

// find returns the slot with that hash for which same holds, or 0.
func (t *slots) find(a *arena, hash uint32, aor []byte) uint32 {
	if t.used == 0 {
		return 0
	}
	mask := uint32(len(t.table) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		tagged := t.table[i]
		if tagged == 0 {
			return 0
		}
		if (tagged^hash)&^slotMask != 0 {
			continue
		}
		if n := tagged & slotMask; t.all[n].hash == hash && isItemOf(a.item(t.all[n].newest), aor) {
			return n
		}
	}
}

// add makes a slot for an AOR that has none.
func (t *slots) add(hash uint32, newest ref) uint32 {
	if t.used*5 >= len(t.table)*4 { // at most 4/5 full
		t.grow()
	}
	n := t.free
	if n != 0 {
		t.free = t.all[n].next
	} else {
		if len(t.all) == 0 {
			t.all = append(t.all, slot{})
		}
		n = uint32(len(t.all))
		t.all = append(t.all, slot{})
	}
	t.all[n] = slot{hash: hash, newest: newest, due: noDue}
	t.used++
	t.enter(n)
	return n
}

// remove frees slot n. It is in no list of the wheel.
func (t *slots) remove(n uint32) {
	mask := uint32(len(t.table) - 1)
	hole := t.all[n].hash & mask
	for t.table[hole]&slotMask != n {
		hole = (hole + 1) & mask
	}
	// What stands behind the hole moves up, unless it would then stand before its own place.
	for i := (hole + 1) & mask; t.table[i] != 0; i = (i + 1) & mask {
		home := t.all[t.table[i]&slotMask].hash & mask
		if (i-home)&mask >= (i-hole)&mask {
			t.table[hole] = t.table[i]
			hole = i
		}
	}
	t.table[hole] = 0
	t.all[n] = slot{next: t.free}
	t.free = n
	t.used--
}

func (t *slots) grow() {
	t.table = make([]uint32, max(minTable, 2*len(t.table)))
	for n := range t.all {
		if t.all[n].newest != 0 {
			t.enter(uint32(n))
		}
	}
}

func (t *slots) enter(n uint32) {
	mask := uint32(len(t.table) - 1)
	i := t.all[n].hash & mask
	for t.table[i] != 0 {
		i = (i + 1) & mask
	}
	t.table[i] = tagged(n, t.all[n].hash)
}

// bytes is the memory of the slots and the table.
func (t *slots) bytes() int64 {
	const slotBytes, tableBytes = 24, 4
	return int64(cap(t.all))*slotBytes + int64(cap(t.table))*tableBytes
}
