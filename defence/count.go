package defence

import "time"

// Wrong counts an attempt whose credentials were looked at and were wrong.
func (t *Table) Wrong(now time.Time, p *Policy, a *Attempt) {
	t.counts.guesses.Add(1)
	if a.counts == judged {
		return
	}
	at, k := t.clock(now), t.keysOf(a)
	sh := t.shard(k.wideKey)
	sh.mu.Lock()
	t.countSource(sh, at, p, a, &k, func(r *record, cost int64, most int) {
		switch {
		case a.counts == whole:
			r.guesses++
			r.guess.add(at, cost, most)
		case a.counts == guest && r.kind != Source || a.counts == guest && k.near == k.wide:
			r.guest.add(at, cost, most)
		}
	})
	if a.User != nil {
		t.countUser(sh, at, p, a, k.pairKey, UserAtSource, k.near)
	}
	sh.mu.Unlock()
	if a.User == nil {
		return
	}
	sh = t.shard(k.userKey)
	sh.mu.Lock()
	t.countUser(sh, at, p, a, k.userKey, User, network{})
	sh.mu.Unlock()
}

// Unknown counts an attempt that asked for a user whom there is not.
func (t *Table) Unknown(now time.Time, p *Policy, a *Attempt) {
	t.counts.unknown.Add(1)
	if a.counts == judged {
		return
	}
	at, k := t.clock(now), t.keysOf(a)
	sh := t.shard(k.wideKey)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	t.countSource(sh, at, p, a, &k, func(r *record, cost int64, most int) {
		r.asked++
		r.ask.add(at, cost, most)
	})
}

// countSource counts for both prefixes of a source.
func (t *Table) countSource(sh *shard, at int64, p *Policy, a *Attempt, k *keys, add func(r *record, cost int64, most int)) {
	one := func(key uint64, kind Kind, of network) {
		r := t.take(sh, key, at, p, kind)
		r.last, r.network = at, of
		if r.wide() {
			sh.mark(key)
		}
		add(r, p.cost(kind), p.most(kind))
		r.weigh(at, p, &a.Told)
	}
	if k.near != k.wide {
		one(k.wideKey, Network, k.wide)
	}
	one(k.nearKey, Source, k.near)
}

// countUser counts for a user: of one source, or of all.
func (t *Table) countUser(sh *shard, at int64, p *Policy, a *Attempt, key uint64, kind Kind, of network) {
	r := t.take(sh, key, at, p, kind)
	r.last, r.network, r.length = at, of, uint8(copy(r.name[:], a.User))
	r.settle(at, p, &a.Told)
	r.guesses++
	r.guess.add(at, p.cost(kind), p.most(kind))
	r.weigh(at, p, &a.Told)
}

func (t *Table) take(sh *shard, key uint64, at int64, p *Policy, kind Kind) *record {
	r, evicted := sh.take(key, at, p, kind)
	if evicted {
		t.counts.evicted.Add(1)
	}
	return r
}
