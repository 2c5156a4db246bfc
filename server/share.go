package server

import (
	"sync/atomic"

	"biloxi/resolve"
	"biloxi/sip"
	"biloxi/tally"
	"biloxi/transaction"
)

// shares say who may have how much of what max_transactions bounds. What callers have at work is counted from when
// their server transaction is made until the relay is done, with all branches: so is most of the memory of a call.
//
// Strangers have a share of the whole, in transactions and in bytes. Within it there is a bound for each source, each
// callee, and each source that calls one callee. Who has authenticated has a bound as a user, and a dialog has one for
// what goes on within it. A trusted peer has none.
type shares struct {
	most      int64        // max_transactions
	strangers atomic.Int64 // transactions
	bytes     atomic.Int64 // of requests, as they came and in each copy that goes out
	counts    *tally.Counts
}

func newShares(most int) *shares {
	if most <= 0 {
		most = transaction.DefaultMax
	}
	return &shares{most: int64(most), counts: tally.New(shareSlots)}
}

// What shares are counted by.
const (
	byCallee byte = 1 + iota
	byUser
	byDialog
)

// stake is what a relay has of the shares.
type stake struct {
	keys         [4]tally.Key
	stranger     bool
	transactions int32
	bytes        int64
}

// user is what the requests of a user of a domain are counted by.
func (s *shares) user(name, domain []byte) tally.Key {
	return s.counts.Join(s.counts.Key(byUser, name), domain)
}

// part is that part of the whole, and at least so many.
func (s *shares) part(of, least int64) int { return int(max(s.most/of, least)) }

// take takes what a relay needs to begin. What is refused it says; nothing is taken then.
func (s *shares) take(k *stake, x *exchange, r *relay) (refused string) {
	c := &x.caller
	switch {
	case c.proved:
		refused = s.one(k, s.counts.Key(byDialog, r.req.CallID()), dialogMost, "too much within one dialog")
	case c.standing == stranger:
		refused = s.stranger(k, x, r)
	case c.standing == authenticated:
		refused = s.one(k, c.payer, s.part(userPart, userLeast), "too many requests of one user")
	}
	if refused == "" && c.standing == stranger {
		refused = s.strange(k, int64(len(r.raw)), c.proved)
	}
	if refused != "" {
		return refused
	}
	for _, key := range k.keys {
		s.counts.Add(key, 1)
	}
	return ""
}

// one is a bound on the count of one key.
func (s *shares) one(k *stake, key tally.Key, most int, why string) (refused string) {
	if s.counts.Of(key) >= most {
		return why
	}
	k.keys[0] = key
	return ""
}

// stranger looks at the bounds that strangers have each.
func (s *shares) stranger(k *stake, x *exchange, r *relay) (refused string) {
	source := s.counts.Sources(r.in.Flow.Remote.Addr())
	callee := s.counts.Key(byCallee, x.aor)
	pair := s.counts.Join(source[0], x.aor)
	if len(x.aor) == 0 {
		callee, pair = 0, 0
	}
	each := s.part(sourcePart, sourceLeast)
	switch {
	case s.counts.Of(source[0]) >= each || s.counts.Of(source[1]) >= 2*each:
		return "too many requests of one source"
	case s.counts.Of(pair) >= s.part(pairPart, pairLeast):
		return "too many requests of one source for one user"
	case s.counts.Of(callee) >= s.part(calleePart, calleeLeast):
		return "too many requests of strangers for one user"
	}
	k.keys = [4]tally.Key{source[0], source[1], callee, pair}
	return ""
}

// strange takes a transaction of the strangers' share, for a request of so many bytes.
func (s *shares) strange(k *stake, bytes int64, proved bool) (refused string) {
	limit := s.most * strangersShare / shareOf
	if proved {
		limit = s.most * provedShare / shareOf
	}
	if s.strangers.Load() >= limit || s.bytes.Load() >= limit*transaction.MaxBytesEach {
		return "too many requests of strangers"
	}
	k.stranger = true
	s.grow(k, bytes)
	return ""
}

// grow counts one more transaction of a relay, for a message of so many bytes.
func (s *shares) grow(k *stake, bytes int64) {
	if !k.stranger {
		return
	}
	k.transactions++
	k.bytes += bytes
	s.strangers.Add(1)
	s.bytes.Add(bytes)
}

// give gives back what a relay has taken.
func (s *shares) give(k *stake) {
	for _, key := range k.keys {
		s.counts.Add(key, -1)
	}
	if k.stranger {
		s.strangers.Add(-int64(k.transactions))
		s.bytes.Add(-k.bytes)
	}
	*k = stake{}
}

// asker is in whose name DNS is asked for a request that came over a flow. A trusted peer has no bound there either.
func (c *caller) asker(flow sip.Flow) (a resolve.Asker) {
	if c.standing != trusted {
		a = resolve.Asker{Source: flow.Remote.Addr(), Stranger: c.standing == stranger}
	}
	return a
}
