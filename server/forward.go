package server

import (
	"slices"
	"time"

	"biloxi/location"
	"biloxi/proxy"
	"biloxi/redirect"
	"biloxi/sip"
	"biloxi/transaction"
	"biloxi/transport"
)

// forward serves a request that is not REGISTER and belongs to no transaction: RFC 3261 §16.3 to §16.5, and what a
// request gets that goes no further.
func (s *Server) forward(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	st := s.state.Load()
	x.route, x.caller, x.aor = nil, caller{}, x.aor[:0]
	if refusal := s.examine(x, in, st); refusal != nil {
		s.turnDown(now, out, in, x, st, refusal)
		return
	}
	own := x.in.Arrived(st.self)
	if x.in.URI.User == nil && (own || !x.in.Leaves(st.self) && isOwnAddress(&x.in.URI, in.Flow)) || x.lastHop {
		s.serve(now, out, in, x)
		return
	}
	d := (*domain)(nil)
	if own {
		if d = st.domains.find(x.in.URI.Host).domain; d == nil {
			s.turnDown(now, out, in, x, st, proxy.NotFound)
			return
		}
	}
	x.route = st.routing.match(&x.in)
	if refusal := s.called(x, st, d); refusal != nil {
		s.asked(now, x, st)
		s.turnDown(now, out, in, x, st, refusal)
		return
	}
	if !s.may(now, out, in, x, st, d) || s.closed(now, out, in, x) {
		return
	}
	if d != nil && x.caller.standing == stranger && !s.mayAsk(now, out, in, x, st) {
		return
	}
	if d != nil && d.redirects && (x.route == nil || len(x.route.hops) == 0) {
		s.redirect(now, out, in, x, d)
		return
	}
	s.relay(now, out, in, x, st, d)
}

// examine does the checks of RFC 3261 §16.3 and the preprocessing of §16.4.
func (s *Server) examine(x *exchange, in *transport.Arrival, st *state) *proxy.Refusal {
	if refusal := x.number(st); refusal != nil {
		return refusal
	}
	refusal := st.proxy.Validate(&x.req)
	if refusal == proxy.TooManyHops && x.req.Method() == sip.Options {
		refusal = nil // RFC 3261 §11: who asks this very hop is answered by it
		x.lastHop = true
	}
	if refusal != nil {
		return refusal
	}
	refusal = x.in.Preprocess(&x.req, in.Flow, st.self)
	x.plainNumber()
	return refusal
}

// relay forwards a request. d is the domain of its Request-URI, nil if it goes where its URIs or the configuration
// lead.
func (s *Server) relay(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain) {
	breadth, refusal := st.proxy.MaxBreadth(&x.req)
	if refusal != nil {
		s.turnDown(now, out, in, x, st, refusal)
		return
	}
	branches := x.in.Branches(st.self)
	if branches == 0 {
		s.turnDown(now, out, in, x, st, proxy.TooBroad)
		return
	}
	r := s.take(x, st)
	defer r.release()
	defer r.mu.Unlock()
	r.ctx.Reset(st.proxy, r.req.Method(), breadth)
	r.ctx.Limit(branches)
	refusal = s.aim(now, x, r, d)
	// RFC 3261 §16.3 step 4, RFC 5393 §4.1: before it is forked, and when it is known what decides where it goes.
	if r.in.Looped(st.self) {
		refusal = proxy.Loop
	}
	if refusal != nil {
		s.turnDown(now, out, in, x, st, refusal)
		return
	}
	if r.ctx.Targets.NonSIP() {
		s.turnAway(now, out, in, x)
		return
	}
	if !s.begun(now, out, in, x, r) {
		return
	}
	r.perform(now, r.ctx.Begin(now), nil)
}

// begun makes the relay's server transaction, if it has its share of them. False: it is over.
func (s *Server) begun(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, r *relay) bool {
	if refused := s.shares.take(&r.stake, x, r); refused != "" {
		s.busy(now, out, in, x, refused)
		return false
	}
	r.holds.Add(1) // the transaction's
	id, err := s.transactions.Serve(now, transaction.Incoming{Request: &r.req, Flow: r.in.Flow, To: r.to,
		Stranger: x.caller.standing == stranger && !x.caller.proved}, r)
	if err != nil {
		r.holds.Add(-1)
		if err == transaction.ErrFull {
			s.busy(now, out, in, x, "too many transactions")
		}
		return false
	}
	r.tx = id
	if r.req.Method() == sip.Invite {
		// RFC 3261 §16.2: other than for a stateless proxy, the 100 comes at once, since what is downstream takes its time.
		_ = s.transactions.Trying(now, id)
	}
	return true
}

// aim makes the target set of a relay (RFC 3261 §16.5).
func (s *Server) aim(now time.Time, x *exchange, r *relay, d *domain) *proxy.Refusal {
	targets := &r.ctx.Targets
	flow, refusal := r.state.proxy.TokenFlow(&r.in)
	if refusal != nil {
		return refusal
	}
	if !flow.IsZero() && !x.caller.proved && !x.caller.trusted {
		return s.overFlow(now, x, r, d, flow)
	}
	if !flow.IsZero() && !r.in.Routed() && (flow.Transport.Secure() || r.in.URI.Scheme != sip.SchemeSIPS) {
		switch {
		case s.transport.Alive(flow):
			targets.Down(&r.in, flow)
			return nil
		case x.caller.flowOnly || !proxy.Named(&r.in.URI):
			return proxy.FlowFailed
		}
	}
	if x.caller.flowOnly {
		return proxy.FlowFailed // its scheme is not the flow's
	}
	if x.route != nil && len(x.route.hops) > 0 && !r.in.Routed() && !r.proved {
		r.hops = x.route.hops
		targets.Only(&r.in, nil)
		if x.tel {
			targets.Target(0).URI = r.in.RequestURI() // a route leaves it as it is
		}
		return nil
	}
	if d == nil {
		if !r.in.Routed() && !r.proved {
			r.hops = r.state.routing.outbound
		}
		targets.Only(&r.in, nil)
		return nil
	}
	return s.locate(now, x, r, d)
}

// locate makes the contacts of a user of ours the targets.
func (s *Server) locate(now time.Time, x *exchange, r *relay, d *domain) *proxy.Refusal {
	if !s.shows(now, x, r.state, s.view(now, x, d)) {
		return proxy.NotFound
	}
	if refusal := x.toOthers(now, r.state, d); refusal != nil {
		return refusal
	}
	r.located = append(r.located[:0], x.aor...)
	r.in.AOR = r.located
	r.ctx.Targets.Bindings(now, &r.in, &x.record, nil, r)
	return s.plain(x, r.state, r.ctx.Targets.Refusal())
}

// overFlow makes the contacts of a user of ours that were registered over a flow the targets. A flow token shows which
// flow is meant, and gives nobody else the right to use it: who has no proof reaches over it only whom it was for.
func (s *Server) overFlow(now time.Time, x *exchange, r *relay, d *domain, flow sip.Flow) *proxy.Refusal {
	if d == nil || x.route != nil && len(x.route.hops) > 0 || !s.view(now, x, d) {
		return proxy.ForeignFlow
	}
	x.record.Bindings = slices.DeleteFunc(x.record.Bindings, func(b location.Binding) bool {
		return b.Flow.Transport != flow.Transport || b.Flow.Remote != flow.Remote || b.Flow.Serial != flow.Serial
	})
	if len(x.record.Bindings) == 0 {
		return proxy.ForeignFlow
	}
	r.ctx.Targets.Bindings(now, &r.in, &x.record, nil, r)
	return r.ctx.Targets.Refusal()
}

// view reads what the location service knows of the user of the Request-URI into x.record; false if there is no such
// user, of whom it knows nothing and is asked all the same, so that both take as long.
func (s *Server) view(now time.Time, x *exchange, d *domain) (exists bool) {
	x.user = sip.AppendUnescaped(x.user[:0], x.in.URI.User)
	_, exists = s.subscribers.Lookup(x.user, d.name)
	x.aor = location.AppendAOR(x.aor[:0], x.in.URI.User, d.name)
	var some bool
	if x.view, some = s.location.View(now, x.aor, &x.record, x.view[:0]); !some {
		x.record.Bindings = x.record.Bindings[:0]
	}
	return exists
}

// redirect answers with the contacts of a user of ours (RFC 3261 §8.3).
func (s *Server) redirect(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, d *domain) {
	x.req.Target = x.in.URI
	st := s.state.Load()
	exists := s.shows(now, x, st, s.view(now, x, d))
	if refusal := x.toOthers(now, st, d); exists && refusal != nil {
		s.turnDown(now, out, in, x, st, refusal)
		return
	}
	s.answerContacts(now, out, in, x, exists, false)
}

// turnAway answers with contacts that nothing can be forwarded to (RFC 3261 §16.5: the caller may reach a mailto).
func (s *Server) turnAway(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	s.answerContacts(now, out, in, x, true, true)
}

// answerContacts answers with what redirects; a 3xx briefly only if that is said.
//
// RFC 3261 §8.3: a redirect server keeps the transaction of what it redirects; who does not acknowledge a great many
// has them sent again once ([transaction.Incoming]).
func (s *Server) answerContacts(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, exists, brief bool) {
	x.toTag()
	d := drafts.Get().(*draft)
	defer d.release()
	var status int
	d.message, status = redirect.Append(d.message[:0], now, &x.req, &x.record, exists, x.tag, x.flow.Remote)
	if (brief || status >= 400) && x.brief() {
		s.reply(out, in, x, status, append(out.Buffer(), d.message...))
		return
	}
	s.answerAlone(now, transaction.Incoming{Request: &x.req, Flow: x.flow, Stranger: x.caller.standing == stranger}, status, d.message)
}

// turnDown answers with what the proxy refuses. To who has authenticated, an INVITE's answer is sent until it is
// acknowledged (RFC 3261 §17.2.1).
func (s *Server) turnDown(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, refusal *proxy.Refusal) {
	phrase := refusal.Phrase
	if phrase == "" {
		phrase = sip.StatusText(refusal.Status)
	}
	s.ledger.refuse(now, refusedRoute, in.Flow.Remote, phrase, x.sender())
	x.toTag()
	if x.msg.Method() != sip.Invite || x.brief() {
		s.reply(out, in, x, refusal.Status, refusal.Append(out.Buffer(), st.proxy, &x.req, x.tag, in.Flow.Remote))
		return
	}
	d := drafts.Get().(*draft)
	defer d.release()
	d.message = refusal.Append(d.message[:0], st.proxy, &x.req, x.tag, in.Flow.Remote)
	s.answerAlone(now, transaction.Incoming{Request: &x.req, Flow: in.Flow}, refusal.Status, d.message)
}

// busy answers 503 while as many transactions are held as may be, or as this caller may have (RFC 3261 §21.5.4);
// nothing is kept for it.
func (s *Server) busy(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, why string) {
	s.ledger.refuse(now, refusedLoad, in.Flow.Remote, why, x.sender())
	b := s.begin(out, in, x, 503, "")
	b = sip.AppendFieldUint(b, sip.HeaderRetryAfter, uint64(retryAfterLoad/time.Second))
	s.reply(out, in, x, 503, sip.AppendEnd(b, nil))
}

// acknowledge forwards the ACK of a 2xx, a request of its own that is never answered (RFC 3261 §13.2.2.4, §16.6).
func (s *Server) acknowledge(now time.Time, x *exchange) {
	st := s.state.Load()
	x.route, x.caller = nil, caller{}
	if tag := x.req.To.Tag(); tag != nil && s.tagger.made(&x.msg, tag) {
		return // RFC 3261 §17.2.1: of a response that we gave, and kept nothing for
	}
	if st.proxy.Validate(&x.req) != nil || x.in.Preprocess(&x.req, x.flow, st.self) != nil {
		s.ledger.lostAcks.Add(1)
		return
	}
	own := x.in.Arrived(st.self)
	var d *domain
	if own {
		if d = st.domains.find(x.in.URI.Host).domain; d == nil || x.in.URI.User == nil {
			return
		}
	}
	// RFC 3261 §22.1: an ACK is not challenged. It goes where the dialog's other requests could.
	if e, _ := s.evidence(now, x, st); admission[kindAck][e][placeOf(x, d)] != pass {
		s.ledger.lostAcks.Add(1)
		return
	}
	x.caller.realms = st.domains.realms
	r := s.take(x, st)
	defer r.release()
	defer r.mu.Unlock()
	r.ctx.Reset(st.proxy, sip.Ack, 1)
	if s.aim(now, x, r, d) != nil || r.in.Looped(st.self) || r.ctx.Targets.Len() == 0 {
		s.ledger.lostAcks.Add(1)
		return
	}
	r.perform(now, r.ctx.Begin(now), nil)
	s.drain.acknowledge()
}
