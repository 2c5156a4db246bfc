package digest

import (
	"math/bits"
	"sync"
)

// window remembers the nonces that valid credentials were given with, and what they were used for.
//
// It is set-associative: a nonce belongs to one set, by bits of its code. A full set gives its oldest
// nonce up and notes when that was made. From then on a nonce of the set that is no younger and not in
// the set is refused, for it may have been used: so nothing that was given up can be replayed.
//
// The sets are spread over shards, each with its own lock. A shard has no set before its first nonce, and
// doubles them, up to its share, when one would have to give a nonce up that still serves. There is no pointer
// in a set: the garbage collector never looks at it.
type window struct{ shards []shard }

type shard struct {
	mu    sync.Mutex
	first int // sets that it begins with
	most  int // sets that it may come to: first, doubled some times
	sets  []set
	_     [64 - 48]byte // the next shard's lock is on another cache line
}

// set is 16 nonces: one cache line that says where a nonce stands, and one for each of them.
type set struct {
	mark uint64          // when the youngest nonce that was given up was made
	tags [ways]uint16    // of the nonces
	_    [24]byte        // so that each of the following begins a cache line
	uses [ways]usedNonce // unused ones have made 0
}

// usedNonce is a nonce that was used with valid credentials. It fills one cache line.
type usedNonce struct {
	key    uint64 // of the nonce
	made   uint64 // when
	counts uint64 // bit i: the nonce count highest-i was used; 0: none was
	last   [remembered]seenRequest
	high   uint32 // the highest nonce count used
	spent  bool   // used without a nonce count where it can be overheard
}

// seenRequest is a request that was let in. The zero seenRequest is none.
type seenRequest struct {
	print uint64 // keyed fingerprint of all its bytes and of where it came from
	at    uint64 // when; 0: never
}

// use is one use of a nonce.
type use struct {
	mint
	now     uint64
	print   uint64 // of the request
	source  uint64 // of where it came from, where no count tells a replay
	nc      uint32
	over    uint64 // nonces made before this are of no more use
	expired bool   // the nonce has; only a request that was let in before is let in still
	counted bool   // it has a nonce count
	private bool   // nobody can overhear it
}

// outcome of a use.
type outcome uint8

const (
	replayed outcome = iota // or so old that nobody can tell
	first                   // the first time that this is seen
	again                   // the same request as before
	expired                 // too late for the first time
)

// newWindow makes a window for so many nonces, rounded up to shards that are of one size and come to it by
// doubling.
func newWindow(nonces int) window {
	sets := (nonces + ways - 1) / ways
	shards := 1
	if sets >= windowShards*firstSets {
		shards = windowShards
	}
	share := (sets + shards - 1) / shards
	doublings := max(bits.Len(uint(share/firstSets))-1, 0)
	first := (share + 1<<doublings - 1) >> doublings
	w := window{make([]shard, shards)}
	for i := range w.shards {
		w.shards[i].first, w.shards[i].most = first, first<<doublings
	}
	return w
}

// admit decides on a use and remembers it. Its caller has found the credentials valid.
func (w *window) admit(u *use) outcome {
	// The code is a fraction of 1: its first bits choose the shard, those behind them the set.
	n, place := bits.Mul64(u.key, uint64(len(w.shards)))
	sh := &w.shards[n]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.set(place)
	i := s.find(u.key, u.at)
	if i < 0 {
		if u.expired {
			return expired
		}
		if u.at <= s.mark {
			return replayed
		}
		if i = s.vacancy(); s.uses[i].made >= max(u.over, 1) && len(sh.sets) < sh.most {
			sh.grow(uint64(len(w.shards)))
			s = sh.set(place)
			i = s.vacancy()
		}
		s.mark = max(s.mark, s.uses[i].made)
		s.tags[i] = uint16(u.key)
		s.uses[i] = usedNonce{key: u.key, made: u.at}
	}
	return s.uses[i].admit(u)
}

// set returns the set at a place, a fraction of 1.
func (sh *shard) set(place uint64) *set {
	if sh.sets == nil {
		sh.sets = make([]set, sh.first)
	}
	n, _ := bits.Mul64(place, uint64(len(sh.sets)))
	return &sh.sets[n]
}

// grow doubles the sets. What was set i is now sets 2i and 2i+1, since a place is a fraction; and whatever
// set i gave up would now belong to one of these, so both have its mark.
func (sh *shard) grow(shards uint64) {
	old := sh.sets
	sh.sets = make([]set, 2*len(old))
	for i := range old {
		sh.sets[2*i].mark, sh.sets[2*i+1].mark = old[i].mark, old[i].mark
		for j := range old[i].uses {
			n := &old[i].uses[j]
			if n.made == 0 {
				continue
			}
			_, place := bits.Mul64(n.key, shards)
			s := sh.set(place)
			k := s.vacancy()
			s.tags[k], s.uses[k] = uint16(n.key), *n
		}
	}
}

// find returns the place of a nonce, or -1.
func (s *set) find(key, made uint64) int {
	for i, tag := range s.tags {
		if tag == uint16(key) && s.uses[i].key == key && s.uses[i].made == made {
			return i
		}
	}
	return -1
}

// vacancy returns a free place, that of the oldest nonce if there is no other.
func (s *set) vacancy() int {
	oldest := 0
	for i := range s.uses {
		if s.uses[i].made == 0 {
			return i
		}
		if s.uses[i].made < s.uses[oldest].made {
			oldest = i
		}
	}
	return oldest
}

func (n *usedNonce) admit(u *use) outcome {
	if n.remembers(u) {
		return again
	}
	switch {
	case u.expired:
		return expired
	case u.counted:
		if !n.count(u.nc) {
			return replayed
		}
	case n.spent:
		// Also where nobody can overhear: these may have been captured where somebody could.
		return replayed
	case u.private:
		// Who has got hold of such credentials has not the connection that they came over.
		if n.last[0].at == 0 {
			n.last[0] = seenRequest{u.source, u.now}
		}
		if n.last[0].print != u.source {
			return replayed
		}
		return first
	default:
		n.spent = true
	}
	copy(n.last[1:], n.last[:])
	n.last[0] = seenRequest{u.print, u.now}
	return first
}

// remembers tells a request that was let in a moment ago.
func (n *usedNonce) remembers(u *use) bool {
	for _, r := range n.last {
		if r.at != 0 && r.print == u.print && u.now < r.at+uint64(rememberFor.Milliseconds()) {
			return true
		}
	}
	return false
}

// count notes a nonce count; false if it was used before or is too old to tell.
//
// RFC 7616 §3.4, §5.5: the same nc twice is a replay. Requests may overtake each other, so one that is
// lower than the highest is let in if it is new.
func (n *usedNonce) count(nc uint32) bool {
	switch {
	case n.counts == 0:
		n.high, n.counts = nc, 1
		return true
	case nc > n.high:
		n.counts = n.counts<<(nc-n.high) | 1 // a shift by ncWindow or more leaves none
		n.high = nc
		return true
	}
	behind := n.high - nc
	if behind >= ncWindow || n.counts&(1<<behind) != 0 {
		return false
	}
	n.counts |= 1 << behind
	return true
}
