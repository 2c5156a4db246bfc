package server

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/proxy"
	"biloxi/resolve"
	"biloxi/sip"
	"biloxi/transaction"
)

// relay is a request on its way through this server as a proxy: the request itself, its server transaction, its
// response context, and a leg for each branch. Relays are pooled and keep their memory.
//
// Who owns what: whoever holds mu owns all of it but holds. What may still call for it, a transaction, a look-up, a
// timer, or a goroutine at work on it, holds it; at no hold it goes back to the pool. A transaction that the relay
// needs no more is detached, or goes to a [late], and holds no longer: what it began to tell on another goroutine is
// known by its ID, which is no longer the relay's.
type relay struct {
	server *Server
	holds  atomic.Int32

	mu          sync.Mutex
	state       *state
	*request                   // which all below refers to
	to          netip.AddrPort // where its responses go over UDP
	tx          transaction.ID // its server transaction; zero: it has none, as an ACK, or it is detached
	answered    bool           // with success
	ctx         proxy.ResponseContext
	legs        []*leg
	hops        []hop // where it goes, if not where its URIs lead
	recordRoute bool
	proved      bool
	realms      [][]byte // as in caller; the state's own
	located     []byte   // the address-of-record that it is for, if in.AOR says so
	aor         []byte   // scratch of Lead
	stake       stake    // of the shares
	asker       resolve.Asker
	reasons     []byte // of the caller's CANCEL, whole lines
	standing
	identity identity
	queue    []proxy.Action
	deadline alarm
}

// leg is one branch of a relay: one target, and the addresses that it may have.
type leg struct {
	relay    *relay
	branch   int
	client   transaction.ID // zero: none, or detached
	breadth  uint32
	beyond   uint32 // branches that there may be of its copy
	hop      int    // of relay.way
	targets  resolve.Targets
	target   resolve.Target // that it was sent to
	unproven bool           // nobody knows that somebody is there
	looking  bool           // a look-up is under way
	given    bool           // it is over: cancelled before it was sent
	size     sizing
	uri      sip.URI     // scratch of its look-up
	stream   waiting     // of the connection that it went over
	proof    proxy.Proof // in its copy's Record-Route; zero: it has none
}

// sizing is what a leg does about a request that is too large for a datagram.
type sizing uint8

const (
	anySize          sizing = iota
	streamOnly              // RFC 3261 §18.1.1: over a stream
	datagramAfterAll        // nobody listens there: over UDP after all
)

func (s *Server) newRelay() any { return &relay{server: s, request: new(request)} }

// take makes a relay of an exchange, whose request is decoded and preprocessed. The request is the relay's from then on;
// the exchange may look at it for as long as the caller holds the relay, and its lock, as it does now.
func (s *Server) take(x *exchange, st *state) *relay {
	r := s.relays.Get().(*relay)
	r.holds.Store(1)
	r.mu.Lock()
	x.spare, r.request = r.request, x.request
	r.state, r.to = st, x.to
	r.proved, r.recordRoute, r.hops = x.caller.proved, st.routing.recordRoute, nil
	r.standing = x.caller.standing
	r.identity.take(x, st)
	r.realms, r.asker = x.caller.realms, x.caller.asker(r.in.Flow)
	s.owe(x.flow)
	if x.route != nil {
		r.recordRoute = x.route.recordRoute
		r.in.Selector = x.route.selector
	}
	return r
}

// release ends one hold.
func (r *relay) release() {
	if r.holds.Add(-1) > 0 {
		return
	}
	r.mu.Lock() // what was begun elsewhere and is stale looks at the IDs
	r.server.shares.give(&r.stake)
	r.state, r.tx, r.answered, r.hops, r.realms = nil, transaction.ID{}, false, nil, nil
	r.queue, r.reasons = r.queue[:0], r.reasons[:0]
	for _, l := range r.legs {
		l.reset()
	}
	r.request.trim()
	r.mu.Unlock()
	r.server.relays.Put(r)
}

// leg is that of a branch.
func (r *relay) leg(branch int) *leg {
	for len(r.legs) <= branch {
		r.legs = append(r.legs, &leg{relay: r, branch: len(r.legs)})
	}
	return r.legs[branch]
}

func (l *leg) reset() {
	l.client, l.breadth, l.beyond, l.hop, l.target = transaction.ID{}, 0, 0, 0, resolve.Target{}
	l.looking, l.unproven, l.given, l.size, l.proof = false, false, false, anySize, proxy.Proof{}
	l.relay.server.streams.remove(l)
}

// enter takes hold of the relay for what the transaction tells: false if the leg has done with that.
func (l *leg) enter(id transaction.ID) bool {
	r := l.relay
	r.mu.Lock()
	if l.client != id {
		r.mu.Unlock()
		return false
	}
	r.holds.Add(1)
	return true
}

// seize is enter for one whom the leg's transaction does not hold the relay for: that may be over.
func (l *leg) seize(id transaction.ID) bool {
	r := l.relay
	for n := r.holds.Load(); ; n = r.holds.Load() {
		if n == 0 {
			return false
		}
		if r.holds.CompareAndSwap(n, n+1) {
			break
		}
	}
	r.mu.Lock()
	if id.IsZero() || l.client != id {
		r.leave()
		return false
	}
	return true
}

// enter takes hold of the relay for what its server transaction tells.
func (r *relay) enter(id transaction.ID) bool {
	r.mu.Lock()
	if r.tx != id {
		r.mu.Unlock()
		return false
	}
	r.holds.Add(1)
	return true
}

// leave is the end of enter.
func (r *relay) leave() {
	r.mu.Unlock()
	r.release()
}

// perform does what the response context asks for. resp is the response that it was told of, nil if none.
func (r *relay) perform(now time.Time, acts []proxy.Action, resp *sip.Message) {
	r.queue = append(r.queue[:0], acts...)
	for i := 0; i < len(r.queue); i++ {
		r.do(now, r.queue[i], resp)
	}
	r.queue = r.queue[:0]
	r.server.alarms.set(r, r.ctx.Deadline())
}

// event adds what another event asks for, one that came of doing what the first asked for.
func (r *relay) event(acts []proxy.Action) { r.queue = append(r.queue, acts...) }

func (r *relay) do(now time.Time, a proxy.Action, resp *sip.Message) {
	s := r.server
	if r.req.Method() == sip.Ack && a.Do != proxy.Start {
		return // RFC 3261 §17.2.3: nothing answers an ACK
	}
	switch a.Do {
	case proxy.Start:
		r.start(now, a)
	case proxy.Relay:
		r.pass(now, resp)
	case proxy.Respond:
		r.respond(now, a.Status, a.Response)
	case proxy.Answer:
		r.answer(now, a.Status)
	case proxy.Silence:
		s.ledger.silent.Add(1)
		s.transactions.Terminate(now, r.tx)
	case proxy.CancelBranch:
		r.cancel(now, r.legs[a.Branch], a.Status)
	case proxy.Abandon:
		if id := r.legs[a.Branch].client; s.waits(id) {
			s.transactions.Terminate(now, id)
		}
	case proxy.Done:
		r.settle()
	}
}

// settle lets go of the transactions: nothing more is wanted of them, but for those of an INVITE that succeeded, of
// which further 2xx are passed on for as long as they live.
func (r *relay) settle() {
	var after *late
	if r.answered && r.req.Method() == sip.Invite {
		after = &late{server: r.server, tx: r.tx}
	}
	for _, l := range r.legs {
		r.server.streams.remove(l)
		if r.server.handOver(l.client, after) {
			l.client = transaction.ID{}
			r.holds.Add(-1) // never the last: who calls holds too
		}
	}
	if r.server.handOver(r.tx, after) {
		r.tx = transaction.ID{}
		r.holds.Add(-1)
	}
}

// pass sends a response on, without our own Via (RFC 3261 §16.7 steps 3 and 9). A caller whose call rings keeps the
// connection that he came by, whoever he is: the answer may take longer than strangers are given, and his ACK comes after it.
func (r *relay) pass(now time.Time, resp *sip.Message) {
	d := drafts.Get().(*draft)
	defer d.release()
	b, ok := proxy.AppendPopped(d.message[:0], resp)
	d.message = b
	if ok {
		r.respond(now, resp.StatusCode(), b)
	}
	if r.in.Flow.Transport.Reliable() && resp.StatusCode() < 300 && r.req.Method() == sip.Invite {
		r.server.transport.Keep(r.in.Flow)
	}
}

// answer sends a response of our own.
func (r *relay) answer(now time.Time, status int) {
	d := drafts.Get().(*draft)
	defer d.release()
	d.token = r.server.tagger.appendFor(d.token[:0], &r.msg, r.req.Via.Branch())
	d.message = r.req.AppendResponse(d.message[:0], status, "", d.token, r.in.Flow.Remote)
	if r.server.drain.begun.Load() {
		d.message = sip.AppendFieldUint(d.message, sip.HeaderRetryAfter, uint64(retryAfterLoad/time.Second))
	}
	d.message = sip.AppendEnd(d.message, nil)
	r.give(now, status, d.message)
}

func (r *relay) respond(now time.Time, status int, b []byte) {
	if status >= 200 && len(b) > maxPayload && !r.in.Flow.Transport.Reliable() {
		// RFC 3261 §18.2.2: it goes the way that the request came, and does not fit there.
		r.server.ledger.refuse(now, refusedDamage, r.in.Flow.Remote, "it does not fit a datagram", sender{})
		r.answer(now, proxy.Speaking(status))
		return
	}
	r.give(now, status, b)
}

// give sends a response.
func (r *relay) give(now time.Time, status int, b []byte) {
	if status/100 == 2 && !r.answered {
		r.answered = true
		if r.req.Method() == sip.Invite {
			r.server.drain.answer(now)
		}
	}
	if r.identity.cut {
		b = proxy.CutIdentity(b)
	}
	r.server.ledger.answer(status)
	// What cannot be sent is the caller's loss, and no branch's (RFC 3261 §16.9).
	_ = r.server.transactions.Respond(now, r.tx, b)
}

// draft is where a message is put together.
type draft struct {
	message, record, host, peer, token, branch []byte
}

var drafts = sync.Pool{New: func() any { return new(draft) }}

func (d *draft) release() {
	if cap(d.message) <= maxKept {
		drafts.Put(d)
	}
}
