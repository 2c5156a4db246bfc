package transaction

import "biloxi/sip"

// A transaction that is finished, and has nothing to do any more but to absorb what comes again, leaves its memory to
// another and goes on as a record in a log of its shard. Its machine ends as it does over a reliable transport.

// The logs of a shard, by how long their records last.
const (
	forJ  = iota // Timer J: server transactions of requests other than INVITE, with their response
	forT4        // Timers I and K: INVITE server transactions in Confirmed, and client transactions of other requests
)

// file writes t into a log if what it is there for from now on needs no more, and lets its machine end.
func (s *shard) file(t *transaction, now moment, response []byte) {
	var to *log
	rt := &route{}
	switch {
	case t.kind == nonInviteServer && t.state == Completed:
		rt = &t.route
		if rt.odd != nil || rt.serial != 0 || len(response) == 0 || len(response) > maxLogged {
			return
		}
		to = &s.logs[forJ]
	case t.kind == nonInviteClient && t.state == Completed, t.kind == inviteServer && t.state == Confirmed && !t.old:
		to, response = &s.logs[forT4], nil
	default:
		return
	}
	if !t.server() {
		rt.families = ofClient
	}
	to.add(s.layer.chunks, t.key, uint32((t.end+tick-1)/tick), rt, response)
	s.hold(t.server(), 1) // as a record, from now on
	t.end = now
	s.bound()
}

// filed returns the record of a server transaction with that key and method, nil if there is none. Those of clients are
// in the log of Timer K.
func (s *shard) filed(k key, m sip.Method) record {
	if m == sip.Invite {
		return s.logs[forT4].find(k)
	}
	return s.logs[forJ].find(k)
}

// recall answers a request that has come before with what its record has, and reports whether there is one. That it
// cannot be sent nobody hears of (RFC 6026 §8.8: it changes nothing).
func (s *shard) recall(k key, m sip.Method) bool {
	r := s.filed(k, m)
	if r == nil {
		return false
	}
	s.stats.Absorbed++
	if r.length() == 0 {
		return true // RFC 3261 §17.2.1: in Confirmed nothing is sent
	}
	s.stats.ResponsesAgain++
	var rt route
	response := r.response(&rt)
	flow, to := rt.read()
	if s.layer.sender.Send(flow, to, response) != nil {
		s.stats.TransportErrors++
	}
	return true
}

// finish counts t, which has its final response, among the finished.
func (s *shard) finish(t *transaction) {
	n := int64(cap(t.kept))
	t.finished = true
	s.layer.working.Add(-1)
	s.layer.bytes.Add(-n)
	s.ended += transactionBytes + n
	s.bound()
}

// bound gives the oldest records up while the finished transactions of the shard are more than its share.
func (s *shard) bound() {
	for i := range s.logs {
		l := &s.logs[i]
		for l.index.count > 1 && s.ended+int64(s.logs[forJ].bytes+s.logs[forT4].bytes) > s.layer.share {
			s.release(l)
			s.stats.GivenUp++
		}
	}
}

// expire lets the records go that are over, for a while, and reports whether there may be more.
func (s *shard) expire(now moment) (more bool) {
	for i := range s.logs {
		n := 0
		for n < fireBudget && s.logs[i].over(uint32(now/tick)) {
			s.release(&s.logs[i])
			n++
		}
		more = more || n == fireBudget
	}
	return more
}

// release lets the oldest record of a log go.
func (s *shard) release(l *log) {
	s.hold(l.oldest().families()&ofClient == 0, -1)
	l.drop(s.layer.chunks)
}
