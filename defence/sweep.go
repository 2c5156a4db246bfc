package defence

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Sweep lets in whom time has let in, gives back what says nothing any more, and returns how many records are left.
// The changes are told one by one.
func (t *Table) Sweep(now time.Time, p *Policy, tell func(*Change)) (left int) {
	at := t.clock(now)
	var changes []Change
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.each(func(j int, r *record) {
			var told Told
			r.settle(at, p, &told)
			changes = append(changes, told.Changes()...)
			if r.idle(at, p) {
				sh.remove(j)
			}
		})
		sh.refilter()
		left += sh.held
		sh.mu.Unlock()
		for j := range changes {
			tell(&changes[j])
		}
		changes = changes[:0]
	}
	return left
}

// each calls fn for each record. It may remove it.
func (s *shard) each(fn func(i int, r *record)) {
	hashes, records := s.hashes, s.records
	for i, h := range hashes {
		if h != 0 {
			fn(i, &records[i])
		}
	}
}

// Entry is a record, as it is shown.
type Entry struct {
	Kind     Kind
	Standing Standing
	Source   netip.Prefix // zero for a [User]
	User     string       // or its beginning
	Since    time.Time    // the first wrong answer that is remembered
	Last     time.Time    // the last attempt
	Until    time.Time    // that it is refused; zero: it is not
	Guesses  int          // wrong passwords
	Unknown  int          // names of nobody
	Delayed  int          // attempts that were not looked at
	level    int
}

// List returns up to so many records, the worst first.
func (t *Table) List(now time.Time, p *Policy, limit int) (list []Entry) {
	at := t.clock(now)
	when := func(ns int64) time.Time { return now.Add(time.Duration(ns - at)) }
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.each(func(_ int, r *record) {
			e := Entry{Kind: r.kind, Standing: r.standing, Source: r.network.prefix(), User: string(r.name[:r.length]), Since: when(r.since),
				Last: when(r.last), Guesses: int(r.guesses), Unknown: int(r.asked), Delayed: int(r.delayed), level: r.level(at, p)}
			if r.standing == Refused {
				e.Until = when(r.until)
			}
			list = append(list, e)
		})
		sh.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.Standing, a.Standing), cmp.Compare(b.level, a.level), b.Last.Compare(a.Last),
			a.Source.Addr().Compare(b.Source.Addr()), cmp.Compare(a.User, b.User))
	})
	return list[:min(limit, len(list))]
}

// Forget removes what is known of all sources in a network, and of their users; it returns how many records that
// were.
func (t *Table) Forget(network netip.Prefix) int {
	return t.forget(func(r *record) bool { return r.kind != User && network.Overlaps(r.network.prefix()) })
}

// ForgetUser removes what is known of a user, at all sources. Users whose names begin alike for 40 bytes go with it.
func (t *Table) ForgetUser(user []byte) int {
	user = user[:min(len(user), maxName)]
	return t.forget(func(r *record) bool { return bytes.Equal(r.name[:r.length], user) && r.length > 0 })
}

// ForgetAll removes all that is known.
func (t *Table) ForgetAll() int { return t.forget(func(*record) bool { return true }) }

func (t *Table) forget(matches func(*record) bool) (n int) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.each(func(j int, r *record) {
			if matches(r) {
				sh.remove(j)
				n++
			}
		})
		sh.mu.Unlock()
	}
	return n
}
