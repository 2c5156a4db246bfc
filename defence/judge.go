package defence

import "time"

// Guess judges an attempt whose credentials are about to be looked at.
func (t *Table) Guess(now time.Time, p *Policy, a *Attempt) Verdict {
	s, sh := t.see(t.clock(now), p, a)
	if sh == nil {
		return Look
	}
	defer sh.mu.Unlock()
	if s.wide == nil {
		return Look
	}
	return t.count(s.guess())
}

// Ask judges a stranger's request for a user, before it is looked whether there is one.
func (t *Table) Ask(now time.Time, p *Policy, a *Attempt) Verdict {
	s, sh := t.see(t.clock(now), p, a)
	if sh == nil {
		return Look
	}
	defer sh.mu.Unlock()
	if s.wide == nil {
		return Look
	}
	r := s.worst()
	switch r.standing {
	case Open:
		return Look
	case Refused:
		return t.count(s.deny(r))
	}
	return t.count(s.wait(r, &r.ask, whole))
}

// Challenge judges an attempt that brings no credentials yet: it is refused where those would be, and else costs
// nothing, so that it counts nothing.
func (t *Table) Challenge(now time.Time, p *Policy, a *Attempt) Verdict {
	s, sh := t.see(t.clock(now), p, a)
	if sh == nil {
		return Look
	}
	defer sh.mu.Unlock()
	switch {
	case s.wide == nil:
		return Look
	case s.pair != nil && s.pair.standing == Refused:
		return t.count(s.deny(s.pair))
	case s.worst().standing == Refused && a.History == Stranger:
		return t.count(s.deny(s.worst()))
	}
	return Look
}

func (t *Table) count(v Verdict) Verdict {
	switch v {
	case Delay:
		t.counts.delayed.Add(1)
	case Refuse:
		t.counts.refused.Add(1)
	}
	return v
}

// guess decides on credentials: by the source, and by the user of it.
func (s *sight) guess() Verdict {
	r := s.worst()
	fine := s.fine()
	switch {
	case s.pair != nil && s.pair.standing == Refused:
		return s.deny(s.pair)
	case r.standing == Open && fine:
		return Look
	case r.standing == Open:
		return s.wait(s.pair, &s.pair.guess, alone)
	case s.attempt.History != Stranger && fine && (s.attempt.History == SameFlow || s.room()):
		s.attempt.counts = guest
		return Look
	case r.standing == Throttled && fine:
		return s.wait(r, &r.guess, whole)
	case r.standing == Throttled:
		// It is the user who goes on: what comes of that is theirs.
		return s.wait(s.pair, &s.pair.guess, alone)
	case s.attempt.History == Stranger:
		return s.deny(r)
	}
	return s.queue(whole)
}

// fine reports whether the user has tries left at this source.
func (s *sight) fine() bool {
	if s.pair == nil {
		return true
	}
	tries := s.policy.tries(UserAtSource)
	if s.attacked || s.worst().standing != Open {
		tries = min(tries, attackedTries)
	}
	return s.pair.standing == Open && s.pair.level(s.now, s.policy) < tries
}

// room reports whether the users who are registered from a source that is not open have tries left together: half of
// what the source had.
func (s *sight) room() bool {
	return s.wide.guest.level(s.now, s.policy.cost(s.wide.kind)) < max(s.policy.Tries/2, 1)
}

// wait takes a turn or, where there is none, counts the attempt: whoever goes on is refused.
func (s *sight) wait(r *record, d *debt, counts manner) Verdict {
	v := s.queue(counts)
	if v == Delay {
		r.delayed++
		d.add(s.now, s.policy.cost(r.kind), s.policy.most(r.kind))
		r.weigh(s.now, s.policy, &s.attempt.Told)
	}
	return v
}

// queue takes a turn of the source, if it is free.
func (s *sight) queue(counts manner) Verdict {
	if !s.wide.turn(s.now, s.policy) {
		s.attempt.counts = judged
		return Delay
	}
	s.attempt.counts = counts
	return Look
}

func (s *sight) deny(r *record) Verdict {
	r.delayed++
	s.attempt.counts = judged
	return Refuse
}
