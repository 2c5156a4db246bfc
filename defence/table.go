package defence

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

// Table is what is known of sources and users. It is for many goroutines.
type Table struct {
	epoch  time.Time
	seed   maphash.Seed
	live   atomic.Int32 // records
	shards [shards]shard
	counts counts
}

type counts struct{ guesses, unknown, delayed, refused, evicted atomic.Uint64 }

// New makes a table, which holds nothing yet. Now should have its monotonic reading: what is counted then follows
// that, and a step of the clock lets nobody in and locks nobody out.
func New(now time.Time) *Table {
	t := &Table{epoch: now, seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].live = &t.live
	}
	return t
}

// clock is the time since the table was made.
func (t *Table) clock(now time.Time) int64 { return max(int64(now.Sub(t.epoch)), 1) }

// keys are the hashes of those whom an attempt is about.
type keys struct {
	source
	nearKey, wideKey, pairKey, userKey uint64
}

// keysOf finds the records of an attempt. Those of one source lie in one shard, that of its wider prefix.
func (t *Table) keysOf(a *Attempt) (k keys) {
	k.source = sourceOf(a.Source)
	k.wideKey = t.hash(&k.wide, nil, 0)
	k.nearKey = k.wideKey
	if k.near != k.wide {
		k.nearKey = together(k.wideKey, t.hash(&k.near, nil, 0))
	}
	if a.User != nil {
		k.userKey = t.hash(&network{}, a.User, 0)
		port := uint16(0)
		if a.History == SameFlow {
			port = a.Port
		}
		k.pairKey = together(k.wideKey, t.hash(&k.near, a.User, port))
	}
	return k
}

// together puts a hash into the shard of another.
func together(of, hash uint64) uint64 {
	const rest = 1<<(64-shardBits) - 1
	return of&^rest | hash&rest
}

// hash is keyed, so that nobody can choose whose records fall together. It is never 0.
func (t *Table) hash(n *network, user []byte, port uint16) uint64 {
	var b [16 + 1 + 2 + 8]byte
	copy(b[:], n.addr[:])
	b[16] = n.bits
	binary.BigEndian.PutUint16(b[17:], port)
	if user != nil {
		binary.BigEndian.PutUint64(b[19:], maphash.Bytes(t.seed, user))
	}
	return maphash.Bytes(t.seed, b[:]) | 1
}

func (t *Table) shard(hash uint64) *shard { return &t.shards[hash>>(64-shardBits)] }

// Watched reports whether anything is known of a source. Of one of which nothing is, every attempt is looked at:
// this is all that a good request costs, and where nobody was wrong it is next to nothing.
func (t *Table) Watched(a netip.Addr) bool {
	if t.live.Load() == 0 {
		return false
	}
	n := wideOf(a)
	key := t.hash(&n, nil, 0)
	sh := t.shard(key)
	if !sh.mayHave(key) {
		return false
	}
	sh.mu.Lock()
	// The wide record is made with the near one, and used as long.
	known := sh.find(key) != nil
	sh.mu.Unlock()
	return known
}

// Counts are what a table has done since it was made, and what it holds.
type Counts struct {
	Guesses uint64 // wrong passwords
	Unknown uint64 // names of nobody
	Delayed uint64 // attempts that were not looked at, since another of their source had been
	Refused uint64 // attempts of sources, and users, that are refused
	Evicted uint64 // records that were given up for others while they still counted
	Records int    // held now
}

// Counts takes stock.
func (t *Table) Counts() Counts {
	c := Counts{Guesses: t.counts.guesses.Load(), Unknown: t.counts.unknown.Load(), Delayed: t.counts.delayed.Load(),
		Refused: t.counts.refused.Load(), Evicted: t.counts.evicted.Load()}
	c.Records = int(t.live.Load())
	return c
}
