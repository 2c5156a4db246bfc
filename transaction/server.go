package transaction

import (
	"net/netip"
	"time"

	"biloxi/sip"
)

// ReceiveRequest takes a request from the network, which is decoded and well-formed. One that belongs to a server
// transaction is Absorbed; any other goes to the user.
func (l *Layer) ReceiveRequest(now time.Time, req *sip.Request, flow sip.Flow) {
	if !l.Absorb(now, req, flow) {
		l.user.Request(now, req, flow)
	}
}

// Absorb takes a request that belongs to a server transaction (RFC 3261 §17.2.3): it is a retransmission, answered
// with what was sent last, or an ACK, or a CANCEL that the user is told of. False: it belongs to none, and nothing
// has been done.
func (l *Layer) Absorb(now time.Time, req *sip.Request, flow sip.Flow) bool {
	switch req.Method() {
	case sip.Ack:
		return l.receiveAck(now, req, flow)
	case sip.Cancel:
		return l.absorb(now, req) || l.receiveCancel(now, req, flow)
	}
	return l.absorb(now, req)
}

// absorb takes a request that has come before, and reports whether it has.
func (l *Layer) absorb(now time.Time, req *sip.Request) bool {
	k, _ := l.keys.request(req, req.Method())
	s := l.shard(k)
	s.mu.Lock()
	t := s.find(k)
	if t == nil {
		known := s.recall(k, req.Method())
		s.mu.Unlock()
		return known
	}
	n := s.again(t, l.moment(now))
	s.mu.Unlock()
	l.deliver(now, n, nil, nil, sip.Flow{})
	return true
}

// again is a retransmission of t's request.
func (s *shard) again(t *transaction, now moment) notice {
	s.stats.Absorbed++
	tell, err := s.step(t, now, retransmission, nil, nil)
	return s.notice(t, tell, err)
}

// receiveAck takes an ACK of an INVITE server transaction, and reports whether there is one.
func (l *Layer) receiveAck(now time.Time, req *sip.Request, flow sip.Flow) bool {
	// RFC 3261 §17.2.3: an RFC 2543 client's ACK has the To tag of the response. That of the INVITE is the same
	// within a dialog, and none before.
	k, old := l.keys.request(req, sip.Invite)
	if l.ackTo(now, k, req, flow) {
		return true
	}
	return old && l.ackTo(now, l.keys.old(req, nil, sip.Invite), req, flow)
}

// ackTo gives an ACK to the INVITE server transaction k if it is that one's.
func (l *Layer) ackTo(now time.Time, k key, req *sip.Request, flow sip.Flow) bool {
	s := l.shard(k)
	s.mu.Lock()
	t := s.find(k)
	if t == nil && s.logs[forT4].find(k) != nil {
		s.stats.Absorbed++ // RFC 3261 §17.2.1: until Timer I fires
		s.mu.Unlock()
		return true
	}
	// In Accepted, several 2xx with a tag each may have been sent, and the ACK is the user's anyway.
	if t == nil || t.old && t.state != Accepted && t.toTag != l.keys.tag(req.To.Tag()) {
		s.mu.Unlock()
		return false
	}
	tell, err := s.step(t, l.moment(now), ack, nil, nil)
	if tell == 0 {
		s.stats.Absorbed++
	}
	n := s.notice(t, tell, err)
	s.mu.Unlock()
	l.deliver(now, n, req, nil, flow)
	return true
}

// receiveCancel tells the user of a CANCEL, if it means a transaction.
//
// RFC 3261 §9.2: the one that it would belong to if its method were another than CANCEL and ACK.
func (l *Layer) receiveCancel(now time.Time, req *sip.Request, flow sip.Flow) bool {
	k, _ := l.keys.request(req, sip.Cancel)
	s := l.shard(k)
	s.mu.Lock()
	t := s.cancelled(k)
	if t == nil {
		known := s.cancelsFiled(k)
		s.mu.Unlock()
		if known {
			l.user.Cancel(now, ID{}, nil, req, flow)
		}
		return known
	}
	n := notice{id: t.id(), owner: t.owner}
	t.calls++
	s.mu.Unlock()
	l.user.Cancel(now, n.id, n.owner, req, flow)
	s.told(&n)
	l.deliver(now, n, nil, nil, sip.Flow{})
	return true
}

// cancelled finds the transaction that a CANCEL with key k means. Most likely it is an INVITE, the first of all
// methods.
func (s *shard) cancelled(k key) *transaction {
	for _, m := range methods {
		if m == sip.Cancel {
			continue
		}
		if t := s.find(k.of(m)); t != nil {
			return t
		}
	}
	return nil
}

// cancelsFiled reports whether a CANCEL with key k means a transaction that is a record.
func (s *shard) cancelsFiled(k key) bool {
	for _, m := range methods {
		if m != sip.Cancel && s.filed(k.of(m), m) != nil {
			return true
		}
	}
	return false
}

// Incoming is a request that a server transaction is to be made for, and what is known of it.
type Incoming struct {
	Request *sip.Request
	Flow    sip.Flow       // that it came over, and its responses go over
	To      netip.AddrPort // where they go over UDP (RFC 3261 §18.2.2)

	// Stranger: nothing shows that its sender is who they say, or where. New work for strangers is refused while half of
	// what may be held of finished transactions is, and refusals that they do not acknowledge are sent again for a
	// bounded number of them at a time.
	Stranger bool
}

// NewServer is [Layer.Serve] for who is no stranger.
func (l *Layer) NewServer(now time.Time, req *sip.Request, flow sip.Flow, to netip.AddrPort, owner any) (ID, error) {
	return l.Serve(now, Incoming{Request: req, Flow: flow, To: to}, owner)
}

// Serve makes a server transaction for a request that the user was given (RFC 3261 §17.2). Its responses go
// along the flow to where they are to go (RFC 3261 §18.2.2). A 100 goes out if the user does not answer: to an INVITE
// after 200 ms (§17.2.1), to another request when the client's Timer E has reached T2 (RFC 4320 §4.1).
//
// An INVITE that the user never answers is held until it does, or calls Terminate: no timer ends Proceeding.
//
// The user's part ends before the transaction does where nothing but to absorb is left of that: with the final response
// to another request than INVITE, and with the ACK of a refusal. Terminated comes then, while what comes again is
// answered as it was until Timer J or I fires.
//
// The error is ErrFull, ErrExists or, for an ACK, ErrMessage. The last eighth of what may be held is kept for
// requests within a dialog, and a CANCEL of what is at work is never refused.
func (l *Layer) Serve(now time.Time, in Incoming, owner any) (ID, error) {
	req := in.Request
	if req.Method() == sip.Ack {
		return ID{}, ErrMessage
	}
	k, old := l.keys.request(req, req.Method())
	s := l.shard(k)
	s.mu.Lock()
	if t := s.find(k); t != nil {
		n := s.again(t, l.moment(now))
		s.mu.Unlock()
		l.deliver(now, n, nil, nil, sip.Flow{})
		return ID{}, ErrExists
	}
	defer s.mu.Unlock()
	if s.recall(k, req.Method()) {
		return ID{}, ErrExists
	}
	limit := s.limit(k, req)
	if in.Stranger && s.crowded(limit) || !s.admit(limit) {
		return ID{}, ErrFull
	}
	return s.server(k, old, &in, l.moment(now), owner), nil
}

// limit is how many transactions may be at work with a new one for req.
func (s *shard) limit(k key, req *sip.Request) int64 {
	limit := s.layer.max
	switch {
	case req.Method() == sip.Cancel && s.cancelled(k) != nil:
		return 2 * limit // one at the most for each that is at work
	case req.To.Tag() != nil:
		return limit
	}
	return limit - limit/reserve
}

// server makes a server transaction, which keeps its 100.
func (s *shard) server(k key, old bool, in *Incoming, now moment, owner any) ID {
	req := in.Request
	kind, delay := nonInviteServer, s.layer.timers.untilT2()
	if req.Method() == sip.Invite {
		kind, delay = inviteServer, 0
	}
	t := s.add(k, start(kind, in.Flow.Transport.Reliable(), s.layer.timers, now), in.Flow, in.To, owner)
	t.old, t.stranger = old, in.Stranger
	// RFC 3261 §17.2.1: no tag is put into the To of a 100.
	s.buf = req.AppendResponse(s.buf[:0], 100, "", nil, in.Flow.Remote)
	s.buf = req.AppendTimestamp(s.buf, delay)
	s.buf = sip.AppendEnd(s.buf, nil)
	s.keep(t, s.buf)
	s.tidy()
	s.settle(t)
	return t.id()
}

// Trying sends the 100 to an INVITE now, unless the user has answered already (RFC 3261 §17.2.1): it will take its
// time. To another request a 100 goes when it is due, and this does nothing.
func (l *Layer) Trying(now time.Time, id ID) error {
	t := id.lock()
	if t == nil {
		return ErrTerminated
	}
	defer t.shard.mu.Unlock()
	if t.kind != inviteServer {
		return nil
	}
	_, err := t.shard.step(t, l.moment(now), userTrying, nil, nil)
	return err
}

// Respond sends a response, whole, on the server transaction id; it is copied where it is needed again. One that
// the transaction's state has no place for is discarded, as is a 100 to a non-INVITE request before its time.
//
// The error is ErrTerminated, so that a late response goes nowhere (RFC 4320 §4.2, RFC 6026 §8.3), ErrMessage,
// ErrProvisional, or the sender's: the transaction goes on then (RFC 6026 §8.8), and TransportError is not called.
func (l *Layer) Respond(now time.Time, id ID, response []byte) error {
	code := statusCode(response)
	if code == 0 {
		return ErrMessage
	}
	t := id.lock()
	if t == nil {
		return ErrTerminated
	}
	switch {
	case !t.server():
		t.shard.mu.Unlock()
		return ErrMessage
	case t.kind == nonInviteServer && code > 100 && code < 200:
		t.shard.mu.Unlock()
		return ErrProvisional
	}
	s := t.shard
	if t.old && t.state == Proceeding && code >= 300 {
		t.toTag = s.toTag(response)
	}
	_, err := s.step(t, l.moment(now), statusEvent(code), response, nil)
	n := s.notice(t, 0, nil)
	s.mu.Unlock()
	l.deliver(now, n, nil, nil, sip.Flow{})
	return err
}

// toTag is the hash of the To tag of a response that we made.
func (s *shard) toTag(response []byte) uint64 {
	var tag []byte
	if s.message.Parse(response) == nil {
		if to, err := s.message.To(); err == nil {
			tag = to.Tag()
		}
	}
	return s.layer.keys.tag(tag)
}

// statusCode reads the status-line of a response that we made, 0 if it is none.
func statusCode(b []byte) int {
	const version = "SIP/2.0 "
	if len(b) < len(version)+4 || string(b[:len(version)]) != version {
		return 0
	}
	code := 0
	for _, c := range b[len(version) : len(version)+3] {
		if c < '0' || c > '9' {
			return 0
		}
		code = code*10 + int(c-'0')
	}
	if code < 100 || code > 699 {
		return 0
	}
	return code
}
