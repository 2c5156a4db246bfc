package subscriber

import (
	"encoding/binary"
	"sync"

	"biloxi/sip"
)

// shard is one part of a Cache: records in an arena, found by a table of slots with linear probing. It
// has no pointers but to the two, so that the garbage collector never looks at a subscriber.
//
// A record is the domain's number (4 bytes), which hashes it has (1: bit 1<<algorithm, and atShift higher those
// for user@domain), the user's length (1), the user and the hashes. One that is replaced by another of its size is written over; else it becomes waste, and the
// arena is written anew when a quarter of it is.
type shard struct {
	mu    sync.RWMutex
	slots []uint64 // a power of two of them; 0: empty
	live  int
	arena []byte
	waste int // bytes
}

// A slot holds 24 bits of the hash, whose lower bits are the slot that it would like best, and the
// record's offset plus 1.
const (
	slotPrintBits  = 24
	slotOffsetBits = 64 - slotPrintBits
	slotOffsetMask = 1<<slotOffsetBits - 1
)

const (
	recordHead = 6
	maxRecord  = recordHead + MaxUser + 2*80
	atShift    = 3
	minSlots   = 8
	minWaste   = 4 << 10 // below this, an arena is not worth writing anew
)

// print24 takes the bits of a hash that stand in a slot; they are none of those that choose the shard.
func print24(hash uint64) uint64 { return hash << shardBits >> (64 - slotPrintBits) }

// slotOf is what stands in a slot for a record.
func slotOf(hash uint64, offset int) uint64 { return print24(hash)<<slotOffsetBits | uint64(offset+1) }

// slotsFor is how many slots so many records need: at the most three quarters are taken.
func slotsFor(records int) int {
	n := minSlots
	for 4*records > 3*n {
		n *= 2
	}
	return n
}

// replace takes over the records of another shard that nobody else has.
func (s *shard) replace(t *shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots, s.live, s.arena, s.waste = t.slots, t.live, t.arena, t.waste
}

func (s *shard) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live
}

// lookup returns the hashes of a subscriber; those for user@domain if at says so.
func (s *shard) lookup(hash uint64, domain uint32, user []byte, at bool) (h HA1s, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.live == 0 {
		return HA1s{}, false
	}
	i, ok := s.find(hash, domain, user)
	if !ok {
		// Read some record, so that the time does not tell who is a subscriber.
		for s.slots[i] == 0 {
			i = (i + 1) & (len(s.slots) - 1)
		}
		s.read(int(s.slots[i]&slotOffsetMask)-1, &h, at)
		return HA1s{}, false
	}
	s.read(int(s.slots[i]&slotOffsetMask)-1, &h, at)
	return h, true
}

// find returns the slot of a subscriber, or the empty one where it would go and !ok. There is always an
// empty slot, except in a shard without slots.
func (s *shard) find(hash uint64, domain uint32, user []byte) (i int, ok bool) {
	mask := len(s.slots) - 1
	want := print24(hash)
	for i = int(want) & mask; s.slots[i] != 0; i = (i + 1) & mask {
		if s.slots[i]>>slotOffsetBits == want && s.is(int(s.slots[i]&slotOffsetMask)-1, domain, user) {
			return i, true
		}
	}
	return i, false
}

func (s *shard) is(offset int, domain uint32, user []byte) bool {
	d, u := owner(s.arena[offset:])
	return d == domain && string(u) == string(user)
}

// owner takes domain and user out of the record that begins b.
func owner(b []byte) (domain uint32, user []byte) {
	return binary.LittleEndian.Uint32(b), b[recordHead:][:b[5]]
}

// has is which hashes the record that begins b has: first those for the user, then those for user@domain.
func has(b []byte) (plain, at uint8) { return b[4] & hasEvery, b[4] >> atShift & hasEvery }

// hasEvery is a HA1s' Has with all algorithms.
const hasEvery = 1<<sip.MD5 | 1<<sip.SHA256 | 1<<sip.SHA512_256

// sizeOf is the length of the hashes of a Has.
func sizeOf(has uint8) (n int) {
	for a := sip.MD5; a <= sip.SHA512_256; a++ {
		if has&(1<<a) != 0 {
			n += a.Size()
		}
	}
	return n
}

// read takes the hashes out of a record; those for user@domain if at says so.
func (s *shard) read(offset int, h *HA1s, at bool) {
	b := s.arena[offset:]
	plain, other := has(b)
	h.Has = plain
	b = b[recordHead+int(b[5]):]
	if at {
		h.Has = other
		b = b[sizeOf(plain):]
	}
	for a := sip.MD5; a <= sip.SHA512_256; a++ {
		if h.Has&(1<<a) != 0 {
			b = b[copy(h.of(a), b):]
		}
	}
}

// appendRecord appends a record.
func appendRecord(dst []byte, domain uint32, user []byte, h, at *HA1s) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, domain)
	dst = append(dst, h.Has|at.Has<<atShift, byte(len(user)))
	dst = append(dst, user...)
	for _, set := range [...]*HA1s{h, at} {
		for a := sip.MD5; a <= sip.SHA512_256; a++ {
			dst = append(dst, set.Of(a)...)
		}
	}
	return dst
}

// size is the length of the record that begins b.
func size(b []byte) int {
	plain, at := has(b)
	return recordHead + int(b[5]) + sizeOf(plain) + sizeOf(at)
}

func (s *shard) put(hash uint64, domain uint32, user []byte, h, at *HA1s) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grow()
	i, ok := s.find(hash, domain, user)
	if ok {
		offset := int(s.slots[i]&slotOffsetMask) - 1
		old := size(s.arena[offset:])
		var buf [maxRecord]byte
		record := appendRecord(buf[:0], domain, user, h, at)
		if len(record) == old {
			copy(s.arena[offset:], record)
			return
		}
		s.waste += old
	} else {
		s.live++
	}
	s.slots[i] = slotOf(hash, len(s.arena))
	s.arena = appendRecord(s.arena, domain, user, h, at)
	s.tidy()
}

func (s *shard) remove(hash uint64, domain uint32, user []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == 0 {
		return
	}
	i, ok := s.find(hash, domain, user)
	if !ok {
		return
	}
	s.waste += size(s.arena[int(s.slots[i]&slotOffsetMask)-1:])
	s.live--
	s.vacate(i)
	s.tidy()
}

// vacate empties slot i and moves up those behind it that would rather stand there.
func (s *shard) vacate(i int) {
	mask := len(s.slots) - 1
	s.slots[i] = 0
	for j := (i + 1) & mask; s.slots[j] != 0; j = (j + 1) & mask {
		home := int(s.slots[j]>>slotOffsetBits) & mask
		if (j-home)&mask >= (j-i)&mask {
			s.slots[i], s.slots[j] = s.slots[j], 0
			i = j
		}
	}
}

// grow doubles the slots before more than three quarters are taken.
func (s *shard) grow() {
	if 4*(s.live+1) <= 3*len(s.slots) {
		return
	}
	old := s.slots
	s.slots = make([]uint64, max(2*len(old), minSlots))
	mask := len(s.slots) - 1
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		i := int(slot>>slotOffsetBits) & mask
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = slot
	}
}

// tidy writes the arena anew when a quarter of it is waste.
func (s *shard) tidy() {
	if s.waste < minWaste || 4*s.waste < len(s.arena) {
		return
	}
	arena := make([]byte, 0, len(s.arena)-s.waste)
	for i, slot := range s.slots {
		if slot == 0 {
			continue
		}
		b := s.arena[int(slot&slotOffsetMask)-1:]
		s.slots[i] = slot&^slotOffsetMask | uint64(len(arena)+1)
		arena = append(arena, b[:size(b)]...)
	}
	s.arena, s.waste = arena, 0
}
