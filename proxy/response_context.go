package proxy

import (
	"time"

	"biloxi/sip"
)

// Do is what an [Action] asks to be done.
type Do uint8

const (
	// Start: make a copy of the request for the branch's target, with the breadth given, and send it in a client
	// transaction of its own (RFC 3261 §16.6). Again: to the next address that its next hop has (step 7).
	Start Do = 1 + iota
	// Relay: pass the response that just came on, without its topmost Via ([AppendPopped]).
	Relay
	// Respond: send Response, which is whole.
	Respond
	// Answer: make a response with Status and send it.
	Answer
	// Silence: the request is not answered (RFC 4320 §4.2). Its server transaction can go.
	Silence
	// CancelBranch: cancel the branch's client transaction (RFC 3261 §9.1). One that was not made yet is given up
	// instead, with [ResponseContext.Unsent].
	CancelBranch
	// Abandon: end the branch's client transaction without a word.
	Abandon
	// Done: the final response is sent and every branch has had its own. Nothing will be started any more; only
	// further 2xx to an INVITE may still come.
	Done
)

// Action is one thing that a [ResponseContext] asks for. Actions are done in their order.
type Action struct {
	Do       Do
	Branch   int    // of Start, CancelBranch and Abandon
	Again    bool   // of Start
	Breadth  uint32 // of Start: the Max-Breadth of the copy
	Branches uint32 // of Start: how many branches there may be beyond this one ([Received.Branches])
	Status   int    // of Answer; of Respond, Relay too, for the log; of CancelBranch: what ended the search, 0: no response
	Response []byte // of Respond: the context's own, valid until its next event
}

// ResponseContext is what RFC 3261 §16.7 calls so: it associates a server transaction with the client
// transactions that its request was forwarded in, starts them by q and Max-Breadth, gathers their responses and
// chooses the best. It is a function of (state, now, event): the server feeds it what the transactions tell, and
// does what it asks for.
//
// The zero ResponseContext is ready for Reset and is used again without losing its memory. It is for one
// goroutine at a time.
type ResponseContext struct {
	Targets TargetSet

	proxy     *Proxy
	invite    bool
	begun     time.Time
	breadth   uint32 // RFC 5393 §5.3.2: Incoming Max-Breadth
	used      uint32 // Outgoing Max-Breadth
	left      uint32 // branches that may still be made, here and beyond
	attempts  int    // that were made, at further addresses too
	branches  []branch
	active    int  // branches without a final response
	closed    bool // no more branches are started: cancelled, 6xx, or a final response is sent
	cancelled bool // by the caller
	answered  bool // a final response is sent
	done      bool

	best best
	acts []Action
}

// branch is one target that the request was forwarded to.
type branch struct {
	target   int
	breadth  uint32
	left     uint32    // branches that there may be beyond
	timerC   time.Time // zero: not set
	state    branchState
	giveUp   bool // it was cancelled because Timer C fired
	cancelIt bool // it was cancelled
	doubt    int  // not 0: timerC is when it ends as if with this status
	more     bool // of doubt: its next hop has another address to try
}

type branchState uint8

const (
	trying     branchState = iota // nothing has come
	proceeding                    // a provisional response has
	finished                      // its final response has, or will not come
)

// Reset readies the context for a request of that method with that Incoming Max-Breadth. Its Targets are emptied.
func (c *ResponseContext) Reset(p *Proxy, method sip.Method, breadth uint32) {
	c.Targets.Reset()
	clear(c.acts[:cap(c.acts)])
	*c = ResponseContext{Targets: c.Targets, proxy: p, invite: method == sip.Invite, breadth: breadth, left: MaxBranches,
		branches: c.branches[:0], acts: c.acts[:0], best: best{response: c.best.response[:0], challenges: c.best.challenges[:0]}}
}

// Limit says how many branches there may be in all, here and beyond: [Received.Branches], which is not 0.
func (c *ResponseContext) Limit(branches uint32) { c.left = min(branches, MaxBranches) }

// Branches is how many branches have been started.
func (c *ResponseContext) Branches() int { return len(c.branches) }

// Target is the target of a branch.
func (c *ResponseContext) Target(branch int) *Target {
	return c.Targets.Target(c.branches[branch].target)
}

// Answered reports whether a final response has been sent.
func (c *ResponseContext) Answered() bool { return c.answered }

// Deadline is when Advance is to be called, the zero time if it need not be: the first Timer C or end of a doubt, or when
// a request other than INVITE waits no longer for what could be better than the refusal that it has.
func (c *ResponseContext) Deadline() (first time.Time) {
	if !c.invite && !c.answered && c.best.rank != 0 {
		first = c.begun.Add(nonInvitePatience)
	}
	for i := range c.branches {
		if at := c.branches[i].timerC; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// Begin starts the first branches. The set of targets is not empty. What all events return is valid until the next.
func (c *ResponseContext) Begin(now time.Time) []Action {
	c.acts, c.begun = c.acts[:0], now
	c.proceed(now)
	return c.acts
}

// Response is a response to a branch. more says that its next hop has another address to try.
func (c *ResponseContext) Response(now time.Time, i int, resp *sip.Message, more bool) []Action {
	c.acts = c.acts[:0]
	code := resp.StatusCode()
	more = more && c.attempts < MaxBranches
	switch {
	case code < 200:
		c.provisional(now, i, code)
	case code < 300:
		c.success(now, i, code)
	case c.branches[i].state == finished:
		// The transaction passes one final response up; another is nobody's.
	case code == 503 && more && !c.closed && !c.branches[i].cancelIt:
		// RFC 3263 §4.3: 503 fails over to the next address.
		c.again(now, i)
	default:
		c.failure(now, i, resp)
	}
	return c.acts
}

// Timeout is a client transaction that got no final response (Timers B and F, or 64*T1 after a CANCEL).
func (c *ResponseContext) Timeout(now time.Time, i int, more bool) []Action {
	c.acts = c.acts[:0]
	if c.branches[i].state == finished {
		return c.acts
	}
	// RFC 3261 §16.6 step 7: the next address. A request other than INVITE has had its time: its client gave up
	// when its own Timer F fired (RFC 4320 §4.2).
	if more && c.attempts < MaxBranches && c.invite && !c.closed && !c.branches[i].cancelIt {
		c.again(now, i)
		return c.acts
	}
	c.unanswered(now, i)
	return c.acts
}

// TransportError is a client transaction whose request could not be sent (RFC 3261 §16.9: as if it were 503).
func (c *ResponseContext) TransportError(now time.Time, i int, more bool) []Action {
	return c.Unsent(now, i, 503, more)
}

// Unsent is a branch that could not be sent, for which no client transaction tells anything more: no address was
// found (408, RFC 3261 §16.6 step 7; 503 if it may be found soon), a flow has gone (430), or it was cancelled before
// (487). status stands for the response that it is like.
func (c *ResponseContext) Unsent(now time.Time, i int, status int, more bool) []Action {
	c.acts = c.acts[:0]
	switch {
	case c.branches[i].state == finished:
	case more && c.attempts < MaxBranches && !c.closed && !c.branches[i].cancelIt:
		c.again(now, i)
	default:
		c.note(status)
		// RFC 5626 §7: a flow that fails leaves the instance its other flows.
		c.finish(now, i, status == 503 || status == 430 || status == 408)
	}
	return c.acts
}

// Cancel is a CANCEL of the request, which the server has answered 200 (RFC 3261 §16.10). It means something to an
// INVITE alone (§9.2).
func (c *ResponseContext) Cancel(now time.Time) []Action {
	c.acts = c.acts[:0]
	if !c.invite || c.answered || c.cancelled {
		return c.acts
	}
	c.cancelled, c.closed = true, true
	if c.best.rank != 0 {
		c.best.rank = c.rank(c.best.status)
	}
	c.note(487)
	c.cancelAll(0)
	c.conclude(nil)
	return c.acts
}

// Advance is the time: each Timer C that is due fires (RFC 3261 §16.8).
func (c *ResponseContext) Advance(now time.Time) []Action {
	c.acts = c.acts[:0]
	if !c.invite && !c.answered && c.best.rank != 0 && !c.begun.Add(nonInvitePatience).After(now) {
		// RFC 4321 §1.5: one branch that says nothing is not to cost the caller the answers of all others.
		c.answered, c.closed = true, true
		c.answer(nil)
		return c.acts
	}
	for i := 0; i < len(c.branches); i++ {
		b := &c.branches[i]
		if b.timerC.IsZero() || b.timerC.After(now) {
			continue
		}
		b.timerC = time.Time{}
		if b.doubt != 0 {
			c.do(Action{Do: Abandon, Branch: i})
			c.lose(now, i)
			continue
		}
		if b.state == proceeding {
			// §16.8: with a provisional response the branch is cancelled.
			b.giveUp = true
			c.cancel(i, 0)
			continue
		}
		// §16.8: without one it is as if it had answered 408.
		c.do(Action{Do: Abandon, Branch: i})
		c.unanswered(now, i)
	}
	return c.acts
}

func (c *ResponseContext) do(a Action) { c.acts = append(c.acts, a) }

// provisional is RFC 3261 §16.7 step 2, and 5 for a 1xx.
func (c *ResponseContext) provisional(now time.Time, i, code int) {
	b := &c.branches[i]
	if b.state == finished {
		return
	}
	b.state = proceeding
	if code == 100 || !c.invite {
		return // §16.7 step 5: a 100 is never forwarded; RFC 4320 §4.1: nor any other to a non-INVITE request
	}
	// §16.7 step 2: 101 to 199 reset Timer C.
	if !b.timerC.IsZero() {
		b.timerC, b.doubt = now.Add(c.proxy.timerC), 0
	}
	if !c.answered {
		c.do(Action{Do: Relay, Status: code})
	}
}

// success is a 2xx: RFC 3261 §16.7 steps 5 and 10.
func (c *ResponseContext) success(now time.Time, i, code int) {
	// §16.7 step 5: each 2xx to an INVITE goes on at once, whatever went before; of other requests exactly one.
	if c.invite || !c.answered {
		c.do(Action{Do: Relay, Status: code})
	}
	c.answered, c.closed = true, true
	// §16.7 step 10: what still rings is cancelled.
	c.stop(i)
	c.cancelAll(code)
	c.conclude(nil)
}

// failure is a final response of 300-699: RFC 3261 §16.7 steps 4 to 6.
func (c *ResponseContext) failure(now time.Time, i int, resp *sip.Message) {
	code := resp.StatusCode()
	b := &c.branches[i]
	if code == 487 && b.giveUp && !c.cancelled {
		// §16.8: the CANCEL was ours, and the caller did not ask for it. To him nobody answered.
		c.unanswered(now, i)
		return
	}
	if code == 430 && c.Targets.Responsible {
		// RFC 5626 §11.5: it is for the proxy that knows the user's flows, which is this one, and for no endpoint.
		c.note(code)
		c.finish(now, i, true)
		return
	}
	if code >= 600 {
		// §16.7 step 5: nothing new is tried, and what is pending is cancelled.
		c.closed = true
	}
	if c.mayRecurse(code) && c.recursion(now, i, resp) {
		return
	}
	c.stop(i)
	if code >= 600 {
		c.cancelAll(code)
	}
	if !c.idle(i, code == 408) || !c.relayable(code) {
		c.gather(code, resp, nil)
		resp = nil
	}
	c.proceed(now)
	c.conclude(resp)
}

// unanswered finishes a branch that has no final response of its own.
func (c *ResponseContext) unanswered(now time.Time, i int) {
	status := 408
	if c.cancelled {
		status = 487
	}
	if !c.invite {
		c.closed = true // RFC 4320 §4.2: nobody waits for what a target of a lower q would say
	}
	c.note(status)
	c.finish(now, i, !c.branches[i].cancelIt)
}

// finish ends a branch without a response and goes on.
func (c *ResponseContext) finish(now time.Time, i int, flowFailed bool) {
	c.stop(i)
	c.idle(i, flowFailed)
	c.proceed(now)
	c.conclude(nil)
}

// stop marks a branch as having its final response, and gives its breadth back (RFC 5393 §5.3.3.1), once.
func (c *ResponseContext) stop(i int) {
	b := &c.branches[i]
	if b.state == finished {
		return
	}
	b.state = finished
	b.timerC = time.Time{}
	c.used -= b.breadth
	c.active--
}

// cancelAll cancels every branch that is pending (RFC 3261 §16.7 step 10, §16.10), for that final response of another or
// for none.
func (c *ResponseContext) cancelAll(cause int) {
	for i := range c.branches {
		c.cancel(i, cause)
	}
}

// cancel cancels an INVITE's branch, once. RFC 3261 §9.1: that the CANCEL waits for a provisional response is the
// transaction's to see to; nothing but an INVITE is cancelled.
func (c *ResponseContext) cancel(i, cause int) {
	b := &c.branches[i]
	if !c.invite || b.state == finished || b.cancelIt {
		return
	}
	b.cancelIt = true
	if b.doubt == 0 {
		b.timerC = time.Time{}
	}
	c.do(Action{Do: CancelBranch, Branch: i, Status: cause})
}

// again tries the next address of a branch's next hop.
func (c *ResponseContext) again(now time.Time, i int) {
	b := &c.branches[i]
	b.state, b.doubt, b.timerC = trying, 0, time.Time{}
	b.left /= 2 // so that all attempts together have no more than twice what the first had
	c.attempts++
	c.setTimerC(now, b)
	c.do(Action{Do: Start, Branch: i, Again: true, Breadth: b.breadth, Branches: b.left})
}

// setTimerC is RFC 3261 §16.6 step 11.
func (c *ResponseContext) setTimerC(now time.Time, b *branch) {
	if c.invite {
		b.timerC = now.Add(c.proxy.timerC)
	}
}

// conclude sends the best response once nothing is pending (RFC 3261 §16.7 step 6), and says when all is over. last
// is the response that just came, if it was not gathered because it may be the best as it is.
func (c *ResponseContext) conclude(last *sip.Message) {
	if c.active > 0 || c.done || !c.closed && c.pending() {
		return
	}
	if !c.answered {
		c.answered, c.closed = true, true
		c.answer(last)
	}
	c.done = true
	c.do(Action{Do: Done})
}

// answer chooses the final response.
func (c *ResponseContext) answer(last *sip.Message) {
	switch {
	case last != nil:
		c.do(Action{Do: Relay, Status: last.StatusCode()})
	case c.best.rank == 0 && !c.invite:
		// RFC 4320 §4.2: no 408 to a request that is no INVITE.
		c.do(Action{Do: Silence})
	case c.best.rank == 0 || c.best.status == 408 && c.best.own:
		// §16.7 step 6: nothing has come.
		c.do(Action{Do: Answer, Status: c.proxy.noAnswer})
	default:
		c.do(c.best.action())
	}
}
