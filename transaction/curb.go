package transaction

// Who forges the source of an INVITE has its refusal sent there eleven times by Timer G, since nobody acknowledges it.
// So strangers have a bounded number of refusals that are sent again as RFC 3261 §17.2.1 says, each source and all
// together. Who acknowledges within a round trip never sees it.

// curb counts a stranger's refusal that Timer G is to send again, or leaves it with one copy; or stops counting one that
// has been acknowledged or given up.
func (s *shard) curb(t *transaction) {
	if t.kind != inviteServer || t.reliable {
		return
	}
	if t.state != Completed {
		s.uncount(t)
		return
	}
	l := s.layer
	flow, _ := t.route.read()
	source := l.refused.Sources(flow.Remote.Addr())
	if l.unacknowledged.Load() >= maxUnacknowledged || l.refused.Of(source[0]) >= maxUnacknowledgedEach ||
		l.refused.Of(source[1]) >= 2*maxUnacknowledgedEach {
		t.once = true
		return
	}
	t.counted = true
	l.unacknowledged.Add(1)
	for _, k := range source {
		l.refused.Add(k, 1)
	}
}

// uncount stops counting t, if it is counted.
func (s *shard) uncount(t *transaction) {
	if !t.counted {
		return
	}
	t.counted = false
	l := s.layer
	l.unacknowledged.Add(-1)
	flow, _ := t.route.read()
	for _, k := range l.refused.Sources(flow.Remote.Addr()) {
		l.refused.Add(k, -1)
	}
}
