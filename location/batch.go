package location

import "time"

// Batch is states of AORs that a store has once written, on their way into an index. It has them by shard, so
// that several goroutines can load them at once, and so that a shard's table is in the processor's cache while
// its AORs come.
//
// Who adds to a batch owns it until it calls Load, or has others call it. Then each of them owns the shards of its
// part, with what the batch has for them. A shard is of one part alone: the states of one AOR are loaded in the
// order in which they were added.
type Batch struct {
	index  *Index
	now    int64
	ahead  int64  // milliseconds that are added to all times
	moved  bool   // times of a record were changed
	record Record // scratch
	states [shardCount][]loaded
}

// loaded is a state that was looked through. Its slices are the caller's.
type loaded struct {
	aor, record []byte
	hash        uint32
	due         uint32 // as a slot has it
	bindings    int32  // that are no tombstones
	stale       bool   // something of it has expired, or there is nothing
}

// NewBatch returns an empty batch for the index. What has expired at now is left out. ahead is how far the clock that
// now is of is ahead of that which the records were written by.
func (x *Index) NewBatch(now time.Time, ahead time.Duration) *Batch {
	return &Batch{index: x, now: now.UnixMilli(), ahead: ahead.Milliseconds()}
}

// Add adds the state of an AOR, which stands above those that were added before. It keeps the slices until Reset.
// The error is Decode's; then nothing is added.
func (b *Batch) Add(aor, record []byte) error {
	r := &b.record
	if err := r.Decode(record); err != nil {
		return err
	}
	if r.reclock(b.ahead, b.now) {
		record, b.moved = r.Append(nil), true
	}
	stale := len(r.Bindings) == 0 || r.any(func(c *Binding) bool { return c.Expires <= b.now })
	shard, hash := b.index.locate(aor)
	b.states[shard] = append(b.states[shard], loaded{aor, record, hash, r.due(), int32(r.bindings()), stale})
	return nil
}

// Moved reports whether times of a record that was added were changed, so that the index differs from what the caller
// has.
func (b *Batch) Moved() bool { return b.moved }

// Load sets the states of every parts-th shard, without a log. An AOR with nothing left is removed. It is not for
// AORs with uncommitted versions.
func (b *Batch) Load(part, parts int) {
	for i := part; i < shardCount; i += parts {
		if len(b.states[i]) > 0 {
			b.index.shards[i].loadAll(b.states[i], b.now)
		}
	}
}

// Reset empties the batch, and keeps its memory.
func (b *Batch) Reset() {
	for i := range b.states {
		b.states[i] = b.states[i][:0]
	}
}

func (s *shard) loadAll(states []loaded, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now, fireBudget)
	s.touch(states)
	for i := range states {
		s.set(&states[i], now)
	}
}

// touch reads the places in the hash table that will be wanted, so that the processor waits for all of them at
// once, and not for one after the other.
func (s *shard) touch(states []loaded) {
	if s.used == 0 {
		return
	}
	mask := uint32(len(s.table) - 1)
	for i := range states {
		s.touched ^= s.table[states[i].hash&mask]
	}
}

// set makes a state that of its AOR.
func (s *shard) set(l *loaded, now int64) {
	n := s.find(&s.arena, l.hash, l.aor)
	if l.stale && !s.refresh(l, now) {
		if n != 0 {
			s.drop(n)
		}
		return
	}
	v := Version{slot: n, newest: putItem(&s.arena, l.aor, l.record, int(l.bindings)), by: amountOf(l.aor, l.record, int(l.bindings))}
	if n == 0 {
		v.slot = s.add(l.hash, v.newest)
	} else {
		v.by = s.arena.read(s.all[n].newest).amount().to(v.by)
	}
	s.all[v.slot].newest = v.newest
	s.schedule(s.all, v.slot, l.due)
	s.commit(v)
}

// refresh takes out of a state what has expired, and reports whether anything is left. Its record then is the
// shard's scratch. What cannot be encoded is left as it is, until the wheel comes by.
func (s *shard) refresh(l *loaded, now int64) bool {
	if s.record.Decode(l.record) != nil {
		return false
	}
	s.record.Expire(now)
	if len(s.record.Bindings) == 0 {
		return false
	}
	if s.encode() == nil {
		l.record, l.due, l.bindings = s.encoded, s.record.due(), int32(s.record.bindings())
	}
	return true
}
