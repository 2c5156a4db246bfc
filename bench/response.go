package bench

import (
	"biloxi/sip"
)

// response takes an answer to the request that a lane waits for.
func (w *worker) response(l *lane, m *sip.Message) {
	code := m.StatusCode()
	if f := w.check(l, m); f != faultNone {
		w.refuse(l, f, m)
		return
	}
	switch {
	case code < 200:
		w.provisional(l, code)
	case code == 401 || code == 407:
		w.challenged(l, m)
	case code < 300:
		w.accepted(l, m)
	default:
		w.refuse(l, faultStatus, m)
	}
}

// provisional: RFC 3261 §17.1.1.2 ends the retransmissions of an INVITE, §17.1.2.2 slows those of others
// down to T2.
func (w *worker) provisional(l *lane, code int) {
	if l.step == stepInvite {
		l.retransmit = 0
		l.expire = w.now + ringTimeout
		l.ringing = l.ringing || code > 100
		return
	}
	if l.retransmit > 0 {
		l.interval = w.config.T2
		l.retransmit = w.now + l.interval
	}
}

// challenged sends the request again, with credentials (RFC 3261 §22.2). A second challenge means that
// they were not taken, unless the nonce was stale.
func (w *worker) challenged(l *lane, m *sip.Message) {
	w.counters.challenges.Add(1)
	l.tries++
	if l.step == stepInvite {
		w.acknowledge(l, m)
	}
	login := &w.logins[0]
	if m.StatusCode() == 407 {
		login = &w.logins[1]
	}
	if l.tries > 2 || !login.take(m, l.user) {
		w.fail(l, faultStatus, m)
		return
	}
	w.request(l)
}

// refuse ends the operation for what is wrong with an answer.
func (w *worker) refuse(l *lane, f fault, m *sip.Message) {
	if l.step == stepInvite && m.StatusCode() >= 300 {
		w.acknowledge(l, m)
	}
	w.fail(l, f, m)
}

// acknowledge sends the ACK of a refused INVITE.
func (w *worker) acknowledge(l *lane, m *sip.Message) {
	to, _ := m.Value(sip.HeaderTo)
	w.appendRefusalAck(l, to)
	w.wire.send(l.ack)
}

// accepted takes a 2xx: the step is done.
func (w *worker) accepted(l *lane, m *sip.Message) {
	l.tries = 0
	switch l.step {
	case stepClear, stepRegister, stepQuery:
		if f := w.checkContacts(l, m); f != faultNone {
			w.fail(l, f, m)
			return
		}
	case stepInvite:
		w.establish(l, m)
		return
	}
	if l.then == stepNone {
		w.finish(l)
		return
	}
	l.step, l.then = l.then, stepNone
	w.request(l)
}

// establish makes the dialog of a 200 to an INVITE, sends its ACK and hangs up.
func (w *worker) establish(l *lane, m *sip.Message) {
	if f := w.dialog(l, m); f != faultNone {
		w.fail(l, f, m)
		return
	}
	if !l.ringing {
		w.counters.overtaken.Add(1) // over UDP, a server with several processes may let it
	}
	if len(l.routes) == 0 {
		// The server does not stay in the way: what follows would go from phone to phone.
		w.counters.direct.Add(1)
		w.hungUp(l.index)
		w.finish(l)
		return
	}
	w.appendAck(l)
	w.counters.requests.Add(1)
	w.counters.established.Add(1)
	w.wire.send(l.ack)
	l.step = stepBye
	w.request(l)
}

// acknowledgeAgain: RFC 3261 §13.2.2.4: each 200 to an INVITE gets an ACK, however late it comes.
func (w *worker) acknowledgeAgain(m *sip.Message) {
	if c, err := m.CSeq(); err != nil || c.Method != sip.Invite || m.StatusCode()/100 != 2 || w.dialog(&w.late, m) != faultNone {
		return
	}
	if len(w.late.routes) == 0 {
		return
	}
	start := len(w.arena)
	w.arena = w.appendLateAck(w.arena, m, w.late.target, w.late.routes)
	w.wire.send(w.arena[start:])
}

// dialog takes from the 200 what later requests of the call need (RFC 3261 §12.1.2, §12.2.1.1).
func (w *worker) dialog(l *lane, m *sip.Message) fault {
	contacts := m.Values(sip.HeaderContact)
	if !contacts.Next() {
		return faultContact
	}
	l.target = append(l.target[:0], contacts.URI.Raw()...)
	to, _ := m.Value(sip.HeaderTo)
	l.remote = append(l.remote[:0], to...)
	w.routes = w.routes[:0]
	records := m.Values(sip.HeaderRecordRoute)
	for records.Next() {
		w.routes = append(w.routes, records.Raw())
	}
	if records.Err() != nil {
		return faultSyntax
	}
	// RFC 3261 §12.1.2: the route set is in reverse order.
	l.routes = l.routes[:0]
	for i := len(w.routes) - 1; i >= 0; i-- {
		l.routes = append(l.routes, "Route: "...)
		l.routes = append(l.routes, w.routes[i]...)
		l.routes = append(l.routes, "\r\n"...)
	}
	return faultNone
}
