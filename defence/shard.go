package defence

import (
	"sync"
	"sync/atomic"
)

// shard is a part of a table: sets of records, each found by a keyed hash of whom it is about. It begins with
// nothing and doubles its sets, up to its bound, when one would have to give up a record that still counts.
type shard struct {
	live    *atomic.Int32 // records of the table
	mu      sync.Mutex
	held    int                        // of them, here
	filter  [filterWords]atomic.Uint64 // a bit for each wide record, and for some that have gone; written under the lock
	hashes  []uint64                   // of the records; 0: the place is free
	records []record
}

// bit is where the filter has a hash.
func bit(hash uint64) (word int, mask uint64) {
	return int(hash >> 7 % filterWords), 1 << (hash >> 1 % 64)
}

// mayHave reports whether there may be a wide record of a hash. It takes no lock.
func (s *shard) mayHave(hash uint64) bool {
	word, mask := bit(hash)
	return s.filter[word].Load()&mask != 0
}

// mark sets the bit of a wide record.
func (s *shard) mark(hash uint64) {
	if word, mask := bit(hash); s.filter[word].Load()&mask == 0 {
		s.filter[word].Or(mask)
	}
}

// refilter clears the bits of those that have gone. A word is replaced as a whole, so that none is missed meanwhile.
func (s *shard) refilter() {
	var fresh [filterWords]uint64
	for i, h := range s.hashes {
		if h != 0 && s.records[i].wide() {
			word, mask := bit(h)
			fresh[word] |= mask
		}
	}
	for i := range fresh {
		s.filter[i].Store(fresh[i])
	}
}

// wide reports whether a record is the one of its source that tells that something is known of it.
func (r *record) wide() bool {
	return r.kind == Network || r.kind == Source && r.network.bits == bitsIPv4
}

// find is the record of a hash, nil if there is none. It is good until the next take.
func (s *shard) find(hash uint64) *record {
	if len(s.hashes) == 0 {
		return nil
	}
	at := s.set(hash)
	for i, h := range s.hashes[at : at+ways] {
		if h == hash {
			return &s.records[at+i]
		}
	}
	return nil
}

// set is where the set of a hash begins. The shard was chosen by the first bits of the hash; these are the last but one,
// which all hashes have in common.
func (s *shard) set(hash uint64) int {
	return int(hash>>1&uint64(len(s.hashes)/ways-1)) * ways
}

// take is the record of a hash, a new one if there is none; evicted says that another was given up for it, which
// still counted. A new one takes over half of what was held against that one at most, so that none who comes later
// is passed over in a full table, and none is throttled for what another did.
func (s *shard) take(hash uint64, now int64, p *Policy, kind Kind) (r *record, evicted bool) {
	if r = s.find(hash); r != nil {
		return r, false
	}
	if len(s.hashes) == 0 {
		s.resize(1)
	}
	at, free := s.place(hash, now, p)
	for !free && len(s.hashes) < maxSets*ways {
		s.resize(2 * len(s.hashes) / ways)
		at, free = s.place(hash, now, p)
	}
	var inherited debt
	if old := &s.records[at]; s.hashes[at] == 0 {
		s.live.Add(1)
		s.held++
	} else if !free {
		share := min(old.level(now, p), p.tries(old.kind)/2) * p.tries(kind) / max(p.tries(old.kind), 1)
		inherited = debt(now + int64(share)*p.cost(kind))
	}
	s.hashes[at] = hash
	s.records[at] = record{kind: kind, since: now, last: now, guess: inherited}
	return &s.records[at], !free
}

// place is where a new record of a hash stands: where nothing is, or nothing that counts, or the least bad is.
func (s *shard) place(hash uint64, now int64, p *Policy) (at int, free bool) {
	begin := s.set(hash)
	at = begin
	for i := begin; i < begin+ways; i++ {
		if s.hashes[i] == 0 || s.records[i].idle(now, p) {
			return i, true
		}
		if i > begin && s.records[at].worse(&s.records[i], now, p) {
			at = i
		}
	}
	return at, false
}

// worse reports whether b is to go before r.
func (r *record) worse(b *record, now int64, p *Policy) bool {
	if r.standing != b.standing {
		return r.standing > b.standing
	}
	if x, y := r.level(now, p), b.level(now, p); x != y {
		return x > y
	}
	if (r.kind == UserAtSource) != (b.kind == UserAtSource) {
		return b.kind == UserAtSource
	}
	return r.last > b.last
}

// resize gives the shard so many sets.
func (s *shard) resize(sets int) {
	hashes, records := s.hashes, s.records
	s.hashes, s.records = make([]uint64, sets*ways), make([]record, sets*ways)
	for i, h := range hashes {
		if h == 0 {
			continue
		}
		// The records of one set come into two: there is room for all.
		at := s.set(h)
		for s.hashes[at] != 0 {
			at++
		}
		s.hashes[at], s.records[at] = h, records[i]
	}
}

// remove frees a place.
func (s *shard) remove(i int) {
	s.hashes[i], s.records[i] = 0, record{}
	s.live.Add(-1)
	if s.held--; s.held == 0 {
		s.hashes, s.records = nil, nil // what an attack took is given back
	}
}
