package defence

import "net/netip"

// History is what is known for the good of a user who comes from a source.
type History uint8

// The histories.
const (
	Stranger   History = iota // nothing
	Registered                // a phone of theirs is registered from there
	SameFlow                  // from there, and from that very port or connection
)

// Attempt is a request, as the defence sees it. It is made for one request, given to the functions that judge it and,
// if it was wrong, to those that count it; the changes of all these calls are in Told.
type Attempt struct {
	Source  netip.Addr
	Port    uint16
	User    []byte // name and domain, in one form for one user; nil: it tries no user's password. It is not kept
	History History
	Told

	counts manner
}

// manner is what a wrong answer counts against.
type manner uint8

const (
	whole  manner = iota // the source and the user
	alone                // the user of this source: a throttled one does not weigh on its neighbours
	guest                // the same, and what users of a source that is not open may have together
	judged               // nothing: it has been counted as an attempt that is not looked at
)

// Verdict is what is to become of an attempt.
type Verdict uint8

// The verdicts.
const (
	Look   Verdict = iota // it is looked at
	Delay                 // not now: the client may try again in a while
	Refuse                // not for a while
)

// sight is an attempt with the records that it is about, in their shard, which is locked. wide and near are one
// record for IPv4; without wide nothing is known.
type sight struct {
	now        int64
	policy     *Policy
	attempt    *Attempt
	wide, near *record
	pair       *record // nil: none
	attacked   bool    // the user is, from many sources
}

// see finds the records of an attempt. The shard is to be unlocked if it is not nil.
func (t *Table) see(now int64, p *Policy, a *Attempt) (s sight, locked *shard) {
	if t.live.Load() == 0 {
		return s, nil
	}
	k := t.keysOf(a)
	sh := t.shard(k.wideKey)
	s = sight{now: now, policy: p, attempt: a}
	if a.User != nil {
		s.attacked = t.attacked(now, p, k.userKey)
	}
	sh.mu.Lock()
	if s.wide = sh.find(k.wideKey); s.wide == nil {
		return s, sh
	}
	s.near = s.wide
	if near := sh.find(k.nearKey); near != nil {
		s.near = near
	}
	if a.User != nil {
		s.pair = sh.find(k.pairKey)
	}
	for _, r := range [...]*record{s.wide, s.near, s.pair} {
		if r != nil {
			r.settle(now, p, &a.Told)
			r.last = now
		}
	}
	return s, sh
}

// attacked reports whether a user is, from all sources together.
func (t *Table) attacked(now int64, p *Policy, key uint64) bool {
	sh := t.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := sh.find(key)
	return r != nil && r.standing != Open && r.level(now, p) > p.tries(User)/2
}

// worst is the record of the source that stands worse.
func (s *sight) worst() *record {
	if s.near.standing > s.wide.standing {
		return s.near
	}
	return s.wide
}
