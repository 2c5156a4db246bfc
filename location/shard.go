package location

import "sync"

// shard is one part of an index.
type shard struct {
	mu sync.Mutex
	slots
	wheel
	arena arena

	record  Record // scratch: its slices point into the arena, or are a change's
	encoded []byte // scratch
	touched uint32 // of no meaning: what touch has read must go somewhere

	aors, bindings int   // as Stats has them
	records        int64 // bytes of the durable items

	_ [64]byte // the next shard's lock is on another cache line
}

// wheelBytes is the memory of a wheel.
const wheelBytes = (wheelSlots + 1) * 4

// load decodes the newest record of slot n, without what has expired, and returns what it counts as; an empty one
// if n is 0.
func (s *shard) load(n uint32, now int64) (amount, error) {
	s.record.Bindings = s.record.Bindings[:0]
	if n == 0 {
		return amount{}, nil
	}
	it := s.arena.read(s.all[n].newest)
	if err := s.record.Decode(it.record); err != nil {
		return amount{}, err
	}
	s.record.Expire(now)
	return it.amount(), nil
}

// encode encodes the scratch record, within its limits.
func (s *shard) encode() error {
	s.record.trim()
	s.encoded = s.record.Append(s.encoded[:0])
	if len(s.encoded) > MaxRecord {
		s.encoded = nil
		return ErrTooLarge
	}
	return nil
}

// commit makes v the durable version of its slot. It reads neither that nor the one before: they are in the cache of
// the processor that wrote them, mostly another one.
func (s *shard) commit(v Version) {
	st := &s.all[v.slot]
	s.account(v.by)
	s.arena.release(st.durable)
	st.durable = v.newest
}

// drop forgets slot n, which has no version pending.
func (s *shard) drop(n uint32) {
	st := &s.all[n]
	s.unlink(s.all, n)
	if st.durable != 0 {
		s.account(s.arena.read(st.durable).amount().to(amount{}))
	}
	s.arena.release(st.durable)
	s.remove(n)
}

// account adds to the statistics.
func (s *shard) account(by amount) {
	s.aors += int(by.aors)
	s.bindings += int(by.bindings)
	s.records += int64(by.bytes)
}

// expire drops what has expired at now, in Unix milliseconds. It looks at budget AORs at the most, and reports
// whether there may be more.
func (s *shard) expire(now int64, budget int) (more bool) {
	second := uint32(min(max(now, 0)/1000, noDue-1))
	for {
		n := s.advance(s.all, second, &budget)
		if n == 0 {
			return budget == 0
		}
		s.fire(n, now)
	}
}

// fire drops the bindings of slot n that have expired, and the slot when none is left. A record with a version
// pending is left as it is, for whoever reads it looks at the times too, and comes again a second later.
func (s *shard) fire(n uint32, now int64) {
	st := &s.all[n]
	if st.pending() {
		s.schedule(s.all, n, 0)
		return
	}
	it := s.arena.read(st.newest)
	err := s.record.Decode(it.record)
	stored := len(s.record.Bindings)
	s.record.Expire(now)
	if err == nil && len(s.record.Bindings) == stored && stored > 0 {
		s.schedule(s.all, n, s.record.due())
		return
	}
	if len(s.record.Bindings) == 0 || s.encode() != nil {
		s.drop(n)
		return
	}
	bindings := s.record.bindings()
	v := Version{slot: n, newest: putItem(&s.arena, it.aor, s.encoded, bindings), by: it.amount().to(amountOf(it.aor, s.encoded, bindings))}
	st.newest = v.newest
	s.commit(v)
	s.schedule(s.all, n, s.record.due())
}
