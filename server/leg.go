package server

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"biloxi/proxy"
	"biloxi/resolve"
	"biloxi/sip"
	"biloxi/transaction"
)

// errNoAddress: all addresses of a next hop have been tried.
var errNoAddress = errors.New("no address is left")

// start sends a branch's copy on its way (RFC 3261 §16.6 steps 7 to 10).
func (r *relay) start(now time.Time, a proxy.Action) {
	l := r.leg(a.Branch)
	l.breadth, l.beyond = a.Breadth, a.Branches
	if a.Again {
		r.attempt(now, l)
		return
	}
	t := r.ctx.Target(l.branch)
	if !r.in.Direct(t) {
		r.lookUp(now, l)
		return
	}
	r.sendDown(now, l)
}

// sendDown sends the copy for a branch over its target's flow.
func (r *relay) sendDown(now time.Time, l *leg) {
	t := r.ctx.Target(l.branch)
	if !r.server.transport.Alive(t.Flow) {
		// RFC 5626 §5.3.1
		r.event(r.ctx.Unsent(now, l.branch, 430, false))
		return
	}
	l.target = resolve.Target{Transport: t.Flow.Transport, Addr: t.Flow.Remote}
	r.send(now, l, t, t.Flow)
}

// otherwise reports whether a branch goes over the flow that its target has for when its URI leads nowhere, err, or,
// nil, to that flow's other end: then nobody need be connected to. It is the target's own flow from then on.
func (r *relay) otherwise(l *leg, err error) bool {
	t := r.ctx.Target(l.branch)
	if !t.FlowLast || !r.server.transport.Alive(t.Flow) {
		return false
	}
	if err == nil && !(t.Flow.Transport.Reliable() && leadsTo(&l.targets, t.Flow)) {
		return false
	}
	t.FlowLast = false
	return r.in.Direct(t)
}

// leadsTo reports whether one of the addresses that were found is that of a flow's other end.
func leadsTo(found *resolve.Targets, flow sip.Flow) bool {
	return slices.ContainsFunc(found.All(), func(t resolve.Target) bool {
		return t.Transport == flow.Transport && t.Addr.Addr().Unmap() == flow.Remote.Addr().Unmap()
	})
}

// lookUp asks for the addresses of the branch's next hop.
func (r *relay) lookUp(now time.Time, l *leg) {
	q, refusal := r.query(l)
	if refusal != nil {
		r.event(r.ctx.Unsent(now, l.branch, refusal.Status, false))
		return
	}
	l.looking = true
	r.holds.Add(1) // before: it may be done at once, elsewhere
	ready, err := r.server.resolver.Lookup(q, &l.targets, l)
	if !ready && err == nil {
		return
	}
	l.looking = false
	r.holds.Add(-1) // who calls holds too
	r.found(now, l, err)
}

// query is what leads to the branch's next hop: what the configuration says, else what its URIs do.
func (r *relay) query(l *leg) (q resolve.Query, refusal *proxy.Refusal) {
	q, refusal = r.in.NextHop(r.ctx.Target(l.branch), &l.uri)
	if hops := r.way(l); l.hop < len(hops) {
		q.URI = &hops[l.hop].uri
	}
	q.Stream, q.For = l.size == streamOnly, r.asker
	return q, refusal
}

// Resolved implements resolve.Done.
func (l *leg) Resolved(err error) {
	r, now := l.relay, l.relay.server.now()
	r.mu.Lock()
	l.looking = false
	r.queue = r.queue[:0]
	if !l.given {
		r.found(now, l, err)
	}
	r.perform(now, r.queue, nil)
	s := r.server
	r.leave() // the look-up's own hold
	s.transport.Flush()
}

// found goes on when the addresses are known, or it is known that there are none.
func (r *relay) found(now time.Time, l *leg, err error) {
	switch {
	case err == nil && r.otherwise(l, nil):
		r.sendDown(now, l)
	case err == nil:
		r.attempt(now, l)
	case l.size == streamOnly:
		l.size = datagramAfterAll
		r.lookUp(now, l)
	case l.hop+1 < len(r.way(l)):
		l.hop++
		r.lookUp(now, l)
	case r.otherwise(l, err):
		r.sendDown(now, l)
	default:
		r.event(r.ctx.Unsent(now, l.branch, r.unresolved(l, err), false))
	}
}

// unresolved is the status of a branch whose next hop has no address: 503 if that may be another time; for a domain
// that is not ours 404, as RFC 3261 §21.4.5 has it of one that nobody serves; 408 for a contact of our own user, who
// has others perhaps (§16.6 step 7).
func (r *relay) unresolved(l *leg, err error) int {
	var e *resolve.Error
	switch {
	case !errors.As(err, &e) || e.Temporary():
		return 503
	case !r.ctx.Targets.Responsible:
		return 404
	case r.ctx.Target(l.branch).FlowLast:
		return 430 // its flow has gone too
	}
	return 408
}

// more reports whether the branch has another address to try.
func (r *relay) more(l *leg) bool {
	return !l.given && (l.targets.Len() > 0 || l.hop+1 < len(r.way(l)) || l.size == streamOnly)
}

// unreached is what follows when the copy could not be sent, or was lost on its way (RFC 3261 §16.9: as if it had been
// answered 503). A target's flow is another way then; where that has gone too, the phone has.
func (r *relay) unreached(now time.Time, l *leg) []proxy.Action {
	t := r.ctx.Target(l.branch)
	if !t.FlowLast {
		return r.ctx.TransportError(now, l.branch, r.more(l))
	}
	return r.ctx.Unsent(now, l.branch, 430, r.more(l) || !l.given && r.server.transport.Alive(t.Flow))
}

// attempt sends the copy to the next address (RFC 3263 §4.3).
func (r *relay) attempt(now time.Time, l *leg) {
	target, ok := l.targets.Next()
	if !ok {
		r.exhausted(now, l)
		return
	}
	l.target = target
	if status := r.denied(l); status > 0 {
		r.event(r.ctx.Unsent(now, l.branch, status, r.more(l)))
		return
	}
	flow, err := r.server.transport.Open(target.Transport, target.Addr, target.ServerName)
	if err != nil {
		l.targets.Failed(target, 0)
		r.event(r.unreached(now, l))
		return
	}
	r.send(now, l, r.ctx.Target(l.branch), flow)
}

// denied is the status of a branch that may not go to the address that was found for it; 0 if it may.
func (r *relay) denied(l *leg) int {
	t, addr := r.ctx.Target(l.branch), l.target.Addr.Addr()
	if r.state.self.listensAt(l.target.Transport, l.target.Addr) {
		// It would come back at once, whatever name led there (RFC 3261 §16.3 step 4).
		return 482
	}
	if r.ctx.Targets.Responsible && len(r.way(l)) == 0 && r.state.routing.reserved.barsAddr(addr, t.Source) {
		return 480
	}
	l.unproven = r.isUnproven(l, t, addr)
	if l.unproven && r.most(l) == 0 {
		return 480
	}
	return 0
}

// exhausted goes on behind the last address of a next hop.
func (r *relay) exhausted(now time.Time, l *leg) {
	switch {
	case l.size == streamOnly:
		// RFC 3261 §18.1.1: where TCP is refused a large request goes over UDP after all.
		l.size = datagramAfterAll
	case l.hop+1 < len(r.way(l)):
		l.hop++
	case r.otherwise(l, errNoAddress):
		r.sendDown(now, l)
		return
	default:
		// RFC 3261 §16.6 step 7: no address is left.
		r.event(r.ctx.Unsent(now, l.branch, 408, false))
		return
	}
	r.lookUp(now, l)
}

// send makes the copy for a flow and gives it to a client transaction of its own, or for an ACK to the transport.
func (r *relay) send(now time.Time, l *leg, t *proxy.Target, flow sip.Flow) {
	s := r.server
	d := drafts.Get().(*draft)
	defer d.release()
	r.copy(d, l, t, flow)
	if len(d.message) > maxDatagram && flow.Transport == sip.UDP && l.size == anySize && !r.in.Direct(t) {
		// RFC 3261 §18.1.1: a request that does not safely fit a datagram goes over a stream.
		l.size = streamOnly
		r.lookUp(now, l)
		return
	}
	// A connection that has closed is not opened again for a request, as it is for an answer: the next address is
	// for that.
	to := l.target.Addr
	if flow.Transport.Reliable() {
		to = netip.AddrPort{}
	}
	if r.req.Method() == sip.Ack {
		r.sendAck(now, l, d, flow, to)
		return
	}
	r.leaveClient(l)
	r.holds.Add(1) // the client transaction's
	o := transaction.Outgoing{Request: d.message, Method: r.req.Method(), Branch: d.branch}
	if l.unproven {
		o.Most = r.most(l)
	}
	id, err := s.transactions.Send(now, o, flow, to, l)
	if err == nil {
		l.client = id
		s.shares.grow(&r.stake, int64(len(d.message)))
		s.ledger.forwarded.Add(1)
		r.watch(now, l, flow)
		return
	}
	r.holds.Add(-1)
	if errors.Is(err, transaction.ErrFull) {
		r.event(r.ctx.Unsent(now, l.branch, 503, false))
		return
	}
	l.targets.Failed(l.target, 0)
	r.event(r.unreached(now, l))
}

// sendAck sends an ACK's copy. What is sent for it over a stream that does not open is sent again as a datagram.
func (r *relay) sendAck(now time.Time, l *leg, d *draft, flow sip.Flow, to netip.AddrPort) {
	s := r.server
	switch {
	case s.transport.Send(flow, to, d.message) == nil:
		if l.size == streamOnly {
			s.heldAcks.hold(now, l, d.branch)
		}
	case r.more(l):
		r.event(r.unreached(now, l))
	default:
		s.ledger.lostAcks.Add(1)
	}
}

// leaveClient lets go of the transaction of an address that was tried before.
func (r *relay) leaveClient(l *leg) {
	if !l.client.IsZero() && r.server.transactions.Detach(l.client) {
		r.holds.Add(-1) // never the last: who calls holds too
	}
	l.client = transaction.ID{}
	r.server.streams.remove(l)
}

// watch has the leg hear of the end of the connection that its request went over, which may have come already.
func (r *relay) watch(now time.Time, l *leg, flow sip.Flow) {
	if !flow.Transport.Reliable() {
		return
	}
	r.server.streams.add(l, flow.Serial)
	if !r.server.transport.Alive(flow) {
		r.event(r.severed(now, l))
	}
}

// copy puts the copy for a target together (RFC 3261 §16.6 steps 1 to 9).
func (r *relay) copy(d *draft, l *leg, t *proxy.Target, flow sip.Flow) {
	st := r.state
	d.host = st.self.appendSentBy(d.host[:0], flow)
	c := proxy.Copy{URI: t.URI, MaxBreadth: l.breadth, Routes: t.Routes, Realms: r.realms,
		Transport: flow.Transport, SentBy: d.host}
	c.KeepIdentity, c.Identity = r.identity.toward(&r.msg, st.routing.trusts(flow.Remote.Addr()))
	if hops := r.way(l); l.hop < len(hops) && hops[l.hop].value != nil {
		c.Routes = hops[l.hop].value
	}
	if r.req.Method() == sip.Ack {
		d.branch = st.proxy.AppendStatelessBranch(d.branch[:0], &r.in)
	} else {
		d.branch = st.proxy.AppendBranch(d.branch[:0], &r.in, l.beyond)
		r.record(d, l, t, flow)
		c.RecordRoute = d.record
	}
	c.Branch = d.branch
	d.message = r.in.Append(d.message[:0], &c)
}

// record makes the Record-Route of a copy (RFC 3261 §16.6 step 4).
func (r *relay) record(d *draft, l *leg, t *proxy.Target, flow sip.Flow) {
	st, method := r.state, r.req.Method()
	d.record = d.record[:0]
	if !proxy.MakesRoute(method) {
		return
	}
	d.token = d.token[:0]
	d.peer = st.self.appendSentBy(d.peer[:0], r.in.Flow)
	in := proxy.Side{Transport: r.in.Flow.Transport, Host: d.peer, NoSIPS: r.in.WritesTLS()}
	out := proxy.Side{Transport: flow.Transport, Host: d.host}
	if r.keepsFlow() {
		d.token = st.proxy.AppendFlowToken(d.token, r.in.Flow, r.req.CallID())
	}
	middle := len(d.token)
	if r.needsFlow(t) {
		d.token = st.proxy.AppendFlowToken(d.token, flow, r.req.CallID())
	}
	l.proof = st.proxy.Prove(r.server.now(), &r.in, uint8(r.standing), t.URI, flow.Remote.Addr())
	in.Proof, out.Proof = l.proof[:], l.proof[:]
	in.Token, out.Token = d.token[:middle], d.token[middle:]
	d.record = st.proxy.AppendRecordRoute(d.record, method, in, out, r.in.Secure(t), r.recordRoute)
}

// noteTargets notes where the ends of the dialog are, of which resp is a response that the leg got.
func (l *leg) noteTargets(now time.Time, resp *sip.Message) {
	r := l.relay
	switch {
	case l.proof == (proxy.Proof{}):
	case r.req.To.Tag() == nil:
		r.state.proxy.Answered(now, resp, &l.proof)
	case r.proved:
		r.state.proxy.Refreshed(now, &r.in, resp, &l.proof)
	}
}

// keepsFlow reports whether what comes back within the dialog must go down the flow that this request came over: it is
// a phone's own, a connection, one that the phone asks to be kept, or from behind a NAT, which shows by an address in
// its Via that is not the packet's.
func (r *relay) keepsFlow() bool {
	vias := r.in.Vias()
	vias.Next()
	if vias.Next() {
		return false // from another proxy, which its URI leads to
	}
	if r.in.Flow.Transport.Reliable() || r.asksForFlow() {
		return true
	}
	addr, ok := (&sip.URI{Host: r.in.Via.Host}).HostAddr()
	if !ok {
		return false
	}
	port := r.in.Via.Port
	if port == 0 {
		port = sip.UDP.DefaultPort()
	}
	from := r.in.Flow.Remote
	return addr.Unmap() != from.Addr().Unmap() || port != from.Port()
}

// asksForFlow reports whether the Contact has ob: the phone wants what comes within the dialog down its flow (RFC 5626
// §5.3.2).
func (r *relay) asksForFlow() bool {
	v, ok := r.in.Value(sip.HeaderContact)
	if !ok {
		return false
	}
	contact, err := sip.ParseNameAddr(v)
	return err == nil && contact.URI.Params.Has("ob")
}

// needsFlow reports whether requests within the dialog must go to a target down the flow that this one goes over.
func (r *relay) needsFlow(t *proxy.Target) bool {
	if !r.in.Direct(t) {
		return false
	}
	if t.Flow.Transport.Reliable() || t.URI == nil {
		return true
	}
	u, err := sip.ParseURI(t.URI)
	if err != nil {
		return true
	}
	addr, ok := u.HostAddr()
	port := u.Port
	if port == 0 {
		port = sip.UDP.DefaultPort()
	}
	return !ok || addr.Unmap() != t.Flow.Remote.Addr().Unmap() || port != t.Flow.Remote.Port()
}

// cancel cancels a branch (RFC 3261 §9.1), for that final response of another branch, or for the caller if it is 0.
func (r *relay) cancel(now time.Time, l *leg, cause int) {
	if l.client.IsZero() || l.looking {
		l.given = true
		r.event(r.ctx.Unsent(now, l.branch, 487, false))
		return
	}
	if cause == 0 {
		_ = r.server.transactions.CancelFor(now, l.client, r.reasons)
		return
	}
	d := drafts.Get().(*draft)
	defer d.release()
	d.record = appendReason(d.record[:0], cause)
	_ = r.server.transactions.CancelFor(now, l.client, d.record)
}
