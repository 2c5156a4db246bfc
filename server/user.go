package server

import (
	"time"

	"biloxi/proxy"
	"biloxi/sip"
	"biloxi/transaction"
)

// user is the server as what stands above the transaction layer (RFC 3261 §17). The owner of a server transaction is
// its relay, that of a client transaction its leg; both may come to be a late. nil is that of one whose end nobody waits
// for.
type user struct{ *Server }

// Request implements transaction.User. It is not called: [Server.Receive] looks for the transaction of a request
// itself.
func (u user) Request(time.Time, *sip.Request, sip.Flow) {}

// Cancel implements transaction.User.
func (u user) Cancel(now time.Time, id transaction.ID, owner any, req *sip.Request, flow sip.Flow) {
	u.confirmCancel(now, req, flow)
	r, ok := owner.(*relay)
	if !ok || !r.enter(id) {
		return
	}
	defer r.leave()
	r.reasons = appendReasons(r.reasons[:0], req.Message)
	r.perform(now, r.ctx.Cancel(now), nil)
}

// confirmCancel answers a CANCEL that means a transaction of ours: 200 at once, whatever comes of it (RFC 3261 §16.10).
func (u user) confirmCancel(now time.Time, req *sip.Request, flow sip.Flow) {
	d := drafts.Get().(*draft)
	defer d.release()
	d.token = u.tagger.append(d.token[:0], req.Message)
	d.message = sip.AppendEnd(req.AppendResponse(d.message[:0], 200, "", d.token, flow.Remote), nil)
	u.answerAlone(now, transaction.Incoming{Request: req, Flow: flow}, 200, d.message)
}

// answerAlone answers a request in a server transaction that nothing more is wanted of. Without room for one the
// answer goes out all the same.
func (s *Server) answerAlone(now time.Time, in transaction.Incoming, status int, b []byte) {
	in.To = s.responseAddr(&in.Request.Via, in.Flow)
	s.owe(in.Flow)
	id, err := s.transactions.Serve(now, in, nil)
	switch err {
	case nil:
		s.ledger.answer(status)
		_ = s.transactions.Respond(now, id, b)
		s.transactions.Detach(id)
	case transaction.ErrFull:
		s.ledger.answer(status)
		_ = s.transport.Send(in.Flow, in.To, b)
	}
}

// Ack implements transaction.User.
func (u user) Ack(now time.Time, _ transaction.ID, _ any, req *sip.Request, flow sip.Flow) {
	x := u.exchanges.Get().(*exchange)
	defer x.release()
	if x.parse(req.Bytes()) != nil || x.req.Decode(&x.msg) != nil {
		return
	}
	x.flow, x.to = flow, u.responseAddr(&x.req.Via, flow)
	u.acknowledge(now, x)
}

// Response implements transaction.User.
func (u user) Response(now time.Time, id transaction.ID, owner any, resp *sip.Message, flow sip.Flow) {
	l, ok := owner.(*leg)
	if !ok || !l.enter(id) {
		// The leg may have handed its transaction over just now, while this response was on its way to it.
		if after, ok := u.transactions.Owner(id).(*late); ok {
			u.state.Load().proxy.AnsweredLate(now, resp)
			after.pass(now, resp, u.lies(resp, flow))
		}
		return
	}
	r := l.relay
	defer r.leave()
	if l.unproven {
		l.unproven = false
		u.answerers.note(l.target.Addr.Addr())
	}
	if damage := proxy.Damage(resp, r.req.Via.Branch()); damage != "" {
		u.ledger.refuse(now, refusedDamage, flow.Remote, damage, senderOf(resp))
		r.perform(now, r.ctx.Damaged(now, l.branch, resp.StatusCode(), false), nil)
		return
	}
	r.identity.cut = r.identity.cut || u.lies(resp, flow)
	l.noteTargets(now, resp)
	switch status := resp.StatusCode(); {
	case status == 503:
		// RFC 3261 §21.5.4: for as long as it asks for.
		l.targets.Failed(l.target, retryAfter(resp))
	case !r.in.Direct(r.ctx.Target(l.branch)):
		u.resolver.Answered(l.target)
	}
	r.perform(now, r.ctx.Response(now, l.branch, resp, r.more(l)), resp)
}

// retryAfter is what a response asks for, 0 if it asks for nothing.
func retryAfter(resp *sip.Message) time.Duration {
	v, ok := resp.Value(sip.HeaderRetryAfter)
	if !ok {
		return 0
	}
	end := 0
	for end < len(v) && '0' <= v[end] && v[end] <= '9' {
		end++
	}
	seconds, ok := sip.ParseDeltaSeconds(v[:end])
	if !ok {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// Timeout implements transaction.User.
func (u user) Timeout(now time.Time, id transaction.ID, owner any) {
	l, ok := owner.(*leg)
	if !ok || !l.enter(id) {
		return // Timer H: the caller has not acknowledged, and is not there any more
	}
	r := l.relay
	defer r.leave()
	l.targets.Failed(l.target, 0)
	r.perform(now, r.ctx.Timeout(now, l.branch, r.more(l)), nil)
}

// TransportError implements transaction.User.
func (u user) TransportError(now time.Time, id transaction.ID, owner any, _ error) {
	l, ok := owner.(*leg)
	if !ok || !l.enter(id) {
		return // a response: RFC 3261 §16.9 has the branches go on
	}
	r := l.relay
	defer r.leave()
	l.targets.Failed(l.target, 0)
	r.perform(now, r.unreached(now, l), nil)
}

// Terminated implements transaction.User.
func (u user) Terminated(_ time.Time, _ transaction.ID, owner any) {
	switch o := owner.(type) {
	case *relay:
		o.release()
	case *leg:
		o.relay.release()
	}
}
