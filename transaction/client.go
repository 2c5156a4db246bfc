package transaction

import (
	"net/netip"
	"time"

	"biloxi/sip"
)

// Outgoing is a request that is to be sent, and what of it the layer would read otherwise.
type Outgoing struct {
	Request []byte     // whole; copied where it is needed again
	Method  sip.Method // its method
	Branch  []byte     // of its topmost Via: with the magic cookie, and nobody else has it
	Most    uint8      // how often it is sent over UDP while nothing comes; 0: as often as RFC 3261 has it
}

// NewClient is [Layer.Send] for a request that the layer reads first. The error can be ErrMessage too.
func (l *Layer) NewClient(now time.Time, request []byte, flow sip.Flow, to netip.AddrPort, owner any) (ID, error) {
	m := l.parsed.Get().(*sip.Message)
	defer l.parsed.Put(m)
	if m.Parse(request) != nil || !m.IsRequest() {
		return ID{}, ErrMessage
	}
	via, err := m.Via()
	if cseq, e := m.CSeq(); err != nil || e != nil || cseq.Method != m.Method() {
		return ID{}, ErrMessage
	}
	return l.Send(now, Outgoing{m.Bytes(), m.Method(), via.Branch(), 0}, flow, to, owner)
}

// Send sends a request along flow to `to`, in a client transaction of its own (RFC 3261 §17.1). ACK has no
// transaction. With a final response to another request than INVITE the user's part is over: Terminated comes right
// behind it, and what comes again is absorbed all the same (Timer K). An INVITE that gets nothing but provisional
// responses is held until the user calls Cancel or Terminate (RFC 3261 §16.6 step 11, Timer C).
//
// The error is ErrFull, ErrExists for a branch that is in use, ErrMessage for an ACK or a branch without the cookie,
// or the sender's: the transaction does not exist then, and the user hears nothing of it.
func (l *Layer) Send(now time.Time, o Outgoing, flow sip.Flow, to netip.AddrPort, owner any) (ID, error) {
	if o.Method == sip.Ack || !hasCookie(o.Branch) {
		return ID{}, ErrMessage
	}
	k := l.keys.client(o.Branch, o.Method)
	s := l.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(k) != nil || s.logs[forT4].find(k) != nil {
		return ID{}, ErrExists
	}
	if !s.admit(l.max) {
		return ID{}, ErrFull
	}
	return s.client(k, &o, l.moment(now), flow, to, owner)
}

// client makes a client transaction and sends its request.
func (s *shard) client(k key, o *Outgoing, now moment, flow sip.Flow, to netip.AddrPort, owner any) (ID, error) {
	kind := nonInviteClient
	if o.Method == sip.Invite {
		kind = inviteClient
	}
	reliable := flow.Transport.Reliable()
	t := s.add(k, start(kind, reliable, s.layer.timers, now).atMost(o.Most), flow, to, owner)
	if !reliable || kind == inviteClient {
		s.keep(t, o.Request)
	}
	if err := s.out(t, o.Request); err != nil {
		// RFC 3261 §17.1.4: the transaction is over.
		s.fail(t, now)
		s.settle(t)
		s.memory.recycle(t)
		return ID{}, err
	}
	if reliable && kind == inviteClient {
		s.shorten(t)
	}
	s.settle(t)
	return t.id(), nil
}

// Cancel cancels the INVITE client transaction id (RFC 3261 §9.1): a CANCEL goes out once a provisional response
// has come, in a transaction that the user hears nothing of. What becomes of the INVITE it hears as usual, a
// Timeout if no final response comes within 64*T1. Any other transaction, and one that has its final response, is
// left as it is.
func (l *Layer) Cancel(now time.Time, id ID) error { return l.CancelFor(now, id, nil) }

// CancelFor is [Layer.Cancel] with header fields that the CANCEL is to have, whole lines that say why (RFC 3326 §2). They
// are copied; nil: none.
func (l *Layer) CancelFor(now time.Time, id ID, fields []byte) error {
	t := id.lock()
	if t == nil {
		return ErrTerminated
	}
	defer t.shard.mu.Unlock()
	if t.kind != inviteClient || t.cancelled {
		return nil
	}
	t.shard.step(t, l.moment(now), userCancel, fields, nil) // a CANCEL's error is not the INVITE's
	t.shard.postpone(t, fields)
	return nil
}

// Client is the client transaction of a branch and a method, zero if there is none. The empty method stands for any but
// CANCEL that this package knows: for a response whose CSeq cannot be read.
func (l *Layer) Client(branch []byte, m sip.Method) ID {
	k := l.keys.client(branch, m)
	s := l.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.find(k); t != nil {
		return t.id()
	}
	if m == "" {
		if t := s.cancelled(k); t != nil {
			return t.id()
		}
	}
	return ID{}
}

// ReceiveResponse takes a response from the network. One that no client transaction waits for is dropped and
// counted (RFC 6026 §8.9): false, unless it is one that came before. That its topmost Via is ours its branch shows (RFC 3261 §18.1.2).
func (l *Layer) ReceiveResponse(now time.Time, resp *sip.Message, flow sip.Flow) bool {
	var branch []byte
	if via, _, err := resp.TopVia(); err == nil {
		branch = via.Branch()
	}
	method := resp.CSeqMethod()
	k := l.keys.client(branch, method)
	s := l.shard(k)
	s.mu.Lock()
	t := s.find(k)
	if t == nil || !resp.IsResponse() {
		known := method != sip.Invite && s.logs[forT4].find(k) != nil // until Timer K fires
		if !known {
			s.stats.Strays++
		}
		s.mu.Unlock()
		return known
	}
	tell, err := s.step(t, l.moment(now), statusEvent(resp.StatusCode()), nil, resp)
	n := s.notice(t, tell, err)
	s.mu.Unlock()
	l.deliver(now, n, nil, resp, flow)
	return true
}

// Undelivered takes back a message that the sender took and could not deliver after all: the transaction that sent
// it learns of it (RFC 3261 §17.1.4, RFC 6026 §8.8). m is the message as it was sent. A response to an RFC 2543
// client cannot be told whose it was.
func (l *Layer) Undelivered(now time.Time, m *sip.Message, cause error) {
	via, err := m.Via()
	cseq, e := m.CSeq()
	if err != nil || e != nil {
		return
	}
	var k key
	switch {
	case m.IsResponse():
		k = l.keys.server(&via, cseq.Method)
	case m.Method() == sip.Ack:
		k = l.keys.client(via.Branch(), sip.Invite)
	default:
		k = l.keys.client(via.Branch(), m.Method())
	}
	s := l.shard(k)
	s.mu.Lock()
	t := s.find(k)
	if t == nil {
		if s.logs[forJ].find(k) != nil {
			s.stats.TransportErrors++
		}
		s.mu.Unlock()
		return
	}
	tell := s.fail(t, l.moment(now)) & tells
	s.settle(t)
	n := s.notice(t, tell, cause)
	s.mu.Unlock()
	l.deliver(now, n, nil, nil, sip.Flow{})
}
