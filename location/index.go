package location

import (
	"hash/maphash"
	"time"
)

// Index is the table in memory of an embedded store: for each AOR its encoded record, found by a hash of the
// key and dropped when all of it has expired. It costs one AOR its key, its record and some 40 bytes, and the
// garbage collector nothing.
//
// A change may have two states for a while: the newest, which the next change starts from, and the durable
// one, which View, List and Walk show. The Log that an Update is given decides when the one becomes the other.
//
// An index is shards, each guarded by its lock; who holds it owns the shard's slots, arena, wheel and scratch.
// Only one lock is ever held at a time. The methods may be called from any goroutine.
type Index struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

// Log is where an Index writes a change before anybody sees it, and by which changes become durable. Both
// methods are called with the AOR's shard locked, and must not call the index nor wait for I/O.
type Log interface {
	// Write takes the next state of an AOR; aor and record are valid during the call. With durable true it
	// is shown from now on and done is not called; otherwise the log later calls Commit or Rollback with v,
	// and done after that. With an error the change is dropped and done is not called.
	Write(aor, record []byte, v Version, done Done) (durable bool, err error)

	// Wait is called for a change that left the newest state as it was, which is not durable yet. Done is
	// called when that state is committed or rolled back.
	Wait(done Done) error
}

// Version is a state of an AOR that is not durable yet.
type Version struct {
	shard, slot uint32
	newest      ref
	by          amount // what it has more than the version before
}

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{seed: maphash.MakeSeed()} }

// locate returns the shard of an AOR and the hash that it has there.
func (x *Index) locate(aor []byte) (shard, hash uint32) {
	h := maphash.Bytes(x.seed, aor)
	return uint32(h>>32) % shardCount, uint32(h)
}

// Update makes the change c of an AOR, as Store.Update says. Without a log it is durable at once.
func (x *Index) Update(now time.Time, aor []byte, c Change, done Done, log Log) (durable bool, err error) {
	if len(aor) > MaxAOR {
		return false, ErrTooLarge
	}
	at, hash := x.locate(aor)
	s := &x.shards[at]
	s.mu.Lock()
	defer s.mu.Unlock()

	ms := now.UnixMilli()
	s.expire(ms, fireBudget)
	n := s.find(&s.arena, hash, aor)
	was, err := s.load(n, ms)
	if err != nil {
		return false, err
	}
	if !c.Apply(&s.record) {
		if n != 0 && s.all[n].pending() {
			return false, log.Wait(done)
		}
		return true, nil
	}
	if n == 0 && len(s.record.Bindings) == 0 {
		return true, nil
	}
	if err := s.encode(); err != nil {
		return false, err
	}
	v := Version{at, n, putItem(&s.arena, aor, s.encoded, s.record.bindings()), was.to(amountOf(aor, s.encoded, s.record.bindings()))}
	isNew := n == 0
	if isNew {
		v.slot = s.add(hash, v.newest)
	}
	durable = true
	if log != nil {
		if durable, err = log.Write(aor, s.encoded, v, done); err != nil {
			s.arena.release(v.newest)
			if isNew {
				s.remove(v.slot)
			}
			return false, err
		}
	}
	s.all[v.slot].newest = v.newest
	s.schedule(s.all, v.slot, s.record.due())
	if durable {
		s.commit(v)
	}
	return durable, nil
}

// Commit makes a version the one that is shown. Versions of one AOR are committed in the order in which they
// were written.
func (x *Index) Commit(v Version) {
	s := &x.shards[v.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commit(v)
}

// Rollback drops a version: its AOR is as the last commit left it. Versions are rolled back in the reverse
// order, all that are not committed, and nothing may be written in between.
func (x *Index) Rollback(v Version) {
	s := &x.shards[v.shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := &s.all[v.slot]; st.newest == v.newest {
		st.newest = st.durable
		s.unlink(s.all, v.slot)
		if st.durable == 0 {
			s.remove(v.slot)
		} else {
			s.schedule(s.all, v.slot, 0) // when it is looked at, its own due second is found
		}
	}
	s.arena.release(v.newest)
}

// View is Store.View.
func (x *Index) View(now time.Time, aor []byte, r *Record, buf []byte) ([]byte, bool) {
	r.Bindings = r.Bindings[:0]
	at, hash := x.locate(aor)
	s := &x.shards[at]
	s.mu.Lock()
	n := s.find(&s.arena, hash, aor)
	if n == 0 || s.all[n].durable == 0 {
		s.mu.Unlock()
		return buf, false
	}
	buf = append(buf[:0], s.arena.read(s.all[n].durable).record...)
	s.mu.Unlock()
	if r.Decode(buf) != nil {
		return buf, false // it was decoded before it was stored
	}
	r.Live(now.UnixMilli())
	return buf, len(r.Bindings) > 0
}

// Expire drops what has expired. A store calls it each second or so; without it, updates do as much as they
// need of it.
func (x *Index) Expire(now time.Time) {
	ms := now.UnixMilli()
	for i := range x.shards {
		s := &x.shards[i]
		for more := true; more; {
			s.mu.Lock()
			more = s.expire(ms, sliceSlots)
			s.mu.Unlock()
		}
	}
}

// Stats says how much the index holds. Pending is the log's.
func (x *Index) Stats() (st Stats) {
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		st.AORs += s.aors
		st.Bindings += s.bindings
		st.Records += s.records
		st.Bytes += s.arena.bytes + s.slots.bytes() + wheelBytes
		s.mu.Unlock()
	}
	return st
}
