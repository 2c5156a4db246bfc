package transaction

import (
	"net/netip"
	"sync"

	"biloxi/sip"
)

// shard is one part of a layer, with the transactions of some branches. All is under its lock.
type shard struct {
	mu    sync.Mutex
	layer *Layer
	table
	wheel  wheel
	memory memory
	stats  Stats
	logs   [2]log // by lasting
	ended  int64  // bytes of the transactions that are finished and in no log

	postponed map[*transaction][]byte // what a CANCEL is to have that waits for a provisional response

	message sip.Message // scratch
	buf     []byte      // scratch

	_ [64]byte // the next shard's lock is on another cache line
}

// notice is what the user is to be told of a transaction once the lock is free.
type notice struct {
	id     ID
	owner  any
	tells  do
	last   bool  // and that it is over
	silent bool  // the user does not want to know
	err    error // of tellError
}

// add makes a transaction with that machine.
func (s *shard) add(k key, m machine, flow sip.Flow, to netip.AddrPort, owner any) *transaction {
	t := s.memory.transaction(s)
	t.machine, t.key, t.route, t.owner = m, k, newRoute(flow, to), owner
	s.insert(t)
	s.stats.Created++
	s.hold(t.server(), 1)
	return t
}

// hold counts n more transactions that are held, servers or clients.
func (s *shard) hold(servers bool, n int) {
	if servers {
		s.stats.Servers += n
	} else {
		s.stats.Clients += n
	}
}

// step lets e happen to t, does what is to be sent, and returns what the user is to be told. give is the response
// that the user gave, or what a CANCEL is to have; got is the response that came. The error is one of the sender's.
func (s *shard) step(t *transaction, now moment, e event, give []byte, got *sip.Message) (tell do, err error) {
	before := t.state
	next, d := t.machine.step(s.layer.timers, now, e)
	t.machine = next
	if t.stranger && t.state != before {
		s.curb(t)
	}
	if t.state != before && t.end > now {
		s.file(t, now, give)
	}
	if err = s.send(t, now, e, d, give, got); err != nil {
		d |= s.fail(t, now)
	}
	// A timer of zero fires at once.
	if t.state != before && t.end <= now {
		next, more := t.machine.step(s.layer.timers, now, endFires)
		t.machine, d = next, d|more
	}
	s.settle(t)
	if d&tellTimeout != 0 {
		s.stats.Timeouts++
	}
	return d & tells, err
}

// fail tells t's machine that the transport failed.
func (s *shard) fail(t *transaction, now moment) do {
	s.stats.TransportErrors++
	next, d := t.machine.step(s.layer.timers, now, transportError)
	t.machine = next
	return d
}

// send sends what a step says.
func (s *shard) send(t *transaction, now moment, e event, d do, give []byte, got *sip.Message) error {
	switch {
	case d&sendRequest != 0:
		s.stats.RequestsAgain++
		return s.out(t, t.kept)
	case d&sendAck != 0:
		return s.sendAck(t, got)
	case d&sendCancel != 0:
		s.sendCancel(t, now, give)
	case d&sendResponse != 0 && give != nil:
		if (t.state == Proceeding || t.state == Completed) && t.end > now {
			s.keep(t, give)
		}
		return s.out(t, give)
	case d&sendResponse != 0:
		if e == retransmission || t.state == Completed {
			s.stats.ResponsesAgain++
		}
		return s.out(t, t.kept)
	}
	return nil
}

func (s *shard) out(t *transaction, b []byte) error {
	flow, to := t.route.read()
	return s.layer.sender.Send(flow, to, b)
}

// sendAck acknowledges a response. RFC 3261 §17.1.1.2: the ACK goes where the request went. Each response gets an
// ACK of its own, for the To is the response's.
func (s *shard) sendAck(t *transaction, response *sip.Message) error {
	if err := s.message.Parse(t.kept); err != nil {
		return nil // it was parsed before
	}
	s.buf = AppendAck(s.buf[:0], &s.message, response)
	err := s.out(t, s.buf)
	s.tidy()
	return err
}

// sendCancel cancels t, in a transaction that nobody hears of. RFC 3261 §9.1: it goes where the request went. fields are
// more of its header fields, nil for those that were postponed.
func (s *shard) sendCancel(t *transaction, now moment, fields []byte) {
	if fields == nil {
		fields = s.postponed[t]
	}
	delete(s.postponed, t)
	k := t.key.of(sip.Cancel)
	if s.find(k) != nil || s.logs[forT4].find(k) != nil || s.message.Parse(t.kept) != nil {
		return // the user has made one
	}
	s.buf = appendCancel(s.buf[:0], &s.message, fields)
	s.layer.working.Add(1)
	flow, to := t.route.read()
	c := s.add(k, start(nonInviteClient, t.reliable, s.layer.timers, now), flow, to, nil)
	c.silent = true
	if !c.reliable {
		s.keep(c, s.buf)
	}
	if s.out(c, s.buf) != nil {
		s.fail(c, now)
	}
	s.settle(c)
	s.notice(c, 0, nil)
	s.tidy()
}

// postpone keeps what a CANCEL is to have while it waits for a provisional response (RFC 3261 §9.1).
func (s *shard) postpone(t *transaction, fields []byte) {
	if t.state != Calling || len(fields) == 0 {
		return
	}
	if s.postponed == nil {
		s.postponed = map[*transaction][]byte{}
	}
	s.postponed[t] = append([]byte(nil), fields...)
}

// tidy lets go of a scratch buffer that one large message made.
func (s *shard) tidy() {
	if cap(s.buf) > scratchBytes {
		s.buf = nil
	}
}

// keep makes a copy of b what t keeps.
func (s *shard) keep(t *transaction, b []byte) {
	s.drop(t)
	t.kept = s.memory.block(b)
	s.account(t, int64(cap(t.kept)))
}

// drop lets go of what t keeps.
func (s *shard) drop(t *transaction) {
	if t.kept == nil {
		return
	}
	s.account(t, -int64(cap(t.kept)))
	s.memory.free(t.kept)
	t.kept = nil
}

// account counts bytes of messages that t keeps.
func (s *shard) account(t *transaction, n int64) {
	s.stats.Bytes += n
	if t.finished {
		s.ended += n
	} else {
		s.layer.bytes.Add(n)
	}
}

// settle gives a machine that has changed its timers, and lets go of what its state needs no more.
func (s *shard) settle(t *transaction) {
	if t.state == Terminated {
		s.forget(t)
		return
	}
	if !t.finished && t.state >= Completed {
		s.finish(t)
	}
	switch {
	case t.state == Accepted, t.state == Confirmed, t.kind == nonInviteClient && t.state == Completed:
		s.drop(t)
	case t.kind == inviteClient && t.state != Calling:
		s.shorten(t)
	}
	s.wheel.schedule(t)
}

// shorten keeps of an INVITE that is not sent again what an ACK and a CANCEL are made of, once messages take up so much
// memory that it is worth the work.
func (s *shard) shorten(t *transaction) {
	if t.short || t.state != Completed && s.layer.bytes.Load() < shortenFrom && len(t.kept) < shortenSize ||
		s.message.Parse(t.kept) != nil {
		return
	}
	t.short = true
	to, _ := s.message.Value(sip.HeaderTo)
	s.buf = appendHop(s.buf[:0], sip.Invite, &s.message, to)
	s.keep(t, s.buf)
	s.tidy()
}

// forget takes a transaction that is over out of everything. Its memory stays until the user has been told.
func (s *shard) forget(t *transaction) {
	s.remove(t)
	s.wheel.unlink(t)
	s.uncount(t)
	s.drop(t)
	delete(s.postponed, t)
	if t.finished {
		s.ended -= transactionBytes
	} else {
		s.layer.working.Add(-1)
	}
	s.hold(t.server(), -1)
}

// notice prepares to tell the user, with the lock still held.
func (s *shard) notice(t *transaction, tell do, err error) notice {
	over := t.state == Terminated
	if t.silent {
		if over && t.calls == 0 {
			s.memory.recycle(t)
		}
		return notice{}
	}
	n := notice{id: t.id(), owner: t.owner, tells: tell, err: err}
	if tell != 0 {
		t.calls++
	}
	n.last = over && t.calls == 0
	return n
}

// told notes that a method of the user's for n has returned, and whether and whom it is to tell that the transaction
// is over.
func (s *shard) told(n *notice) {
	t := n.id.t
	s.mu.Lock()
	t.calls--
	n.last, n.silent, n.owner = t.calls == 0 && t.state == Terminated, t.silent, t.owner
	s.mu.Unlock()
}

// empty reports whether nothing is held whose time will come.
func (s *shard) empty() bool {
	return s.count == 0 && s.logs[forJ].oldest() == nil && s.logs[forT4].oldest() == nil
}

// fire lets the timers that are due at now fire, for a while. It returns what the user is to be told, in out,
// whether there may be more, and else whether the shard is empty.
func (s *shard) fire(now moment, out []notice) (told []notice, more, empty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	more = s.expire(now)
	for range fireBudget {
		t := s.wheel.next(now)
		if t == nil {
			return out, more, s.empty()
		}
		e, due := t.fired(now)
		if !due {
			s.wheel.schedule(t)
			continue
		}
		tell, err := s.step(t, now, e, nil, nil)
		if n := s.notice(t, tell, err); n.tells != 0 || n.last {
			out = append(out, n)
		}
	}
	return out, true, false
}
