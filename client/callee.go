package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"biloxi/sip"
)

// Answering says how calls are answered.
type Answering struct {
	Ring     time.Duration // with 180, before the final answer
	Status   int           // of the final answer, 300-699; 0: 200
	Silent   bool          // no INVITE gets any answer, not even 100
	Duration time.Duration // until we hang up; 0: when the other side does
	Calls    int           // how many calls are taken before the Agent leaves; 0: no limit

	Register bool          // the Agent registers, and removes that when it leaves
	Expires  time.Duration // asked for; 0: DefaultExpires
}

// callee is an Agent's role that answers calls.
type callee struct {
	Answering
	agent        *Agent
	registration *registration // nil: none
	calls        map[string]*taken
	merged       map[string]*taken // by what RFC 3261 §8.2.2.2 compares
	ignored      map[string]bool   // Call-IDs, with Silent
	seen         int
	leaving      bool
	everIn       bool // registered once
}

// taken is a call that has come.
type taken struct {
	callee  *callee
	in      *incoming
	dialog  *dialog
	began   time.Time
	since   time.Time // it has been answered
	ringing *alarm    // the next 180
	ring    *alarm    // the final answer
	expire  *alarm    // RFC 3261 §13.3.1: the INVITE's own limit
	hangup  *alarm
	over    bool
}

// Answer answers calls until ctx is done, or as many as were asked for have been taken. An error that is not nil
// says why it could not begin or go on.
func (a *Agent) Answer(ctx context.Context, how Answering) error {
	if how.Status != 0 && (how.Status < 300 || how.Status > 699) {
		return fmt.Errorf("status %d does not refuse a call: it must be 300 to 699", how.Status)
	}
	if how.Expires == 0 {
		how.Expires = DefaultExpires
	}
	c := &callee{Answering: how, agent: a, calls: map[string]*taken{}, merged: map[string]*taken{}, ignored: map[string]bool{}}
	if how.Register {
		if a.aor.IsZero() {
			return errNoAOR
		}
		c.registration = &registration{agent: a, expires: how.Expires, callID: random(), fromTag: random(),
			registered: c.registered, failed: c.unregistered}
	}
	return a.run(ctx, c)
}

func (c *callee) begin() {
	if c.registration != nil {
		c.registration.keep()
	}
}

func (c *callee) registered(expires time.Duration) {
	c.everIn = true
	r := c.registration
	c.agent.notify(Event{Kind: Registered, To: string(c.agent.aor.Raw()), Contact: r.contact, Expires: expires, Peer: r.hop.to})
}

func (c *callee) unregistered(err error) {
	if c.leaving {
		return
	}
	if !c.everIn {
		c.agent.fail(err)
		return
	}
	c.agent.notify(Event{Kind: RegisterFailed, To: string(c.agent.aor.Raw()), Err: err})
	c.registration.retry()
}

// closed is a connection that has ended: calls come over the one that we registered on.
func (c *callee) closed(flow sip.Flow) {
	r := c.registration
	if r == nil || c.leaving || r.contact == "" || r.hop.flow.Serial != flow.Serial || !flow.Transport.Reliable() {
		return
	}
	c.agent.notify(Event{Kind: RegisterFailed, To: string(c.agent.aor.Raw()), Err: errors.New("the connection to the server was closed")})
	r.refresh.stop()
	r.refresh = c.agent.alarms.set(time.Second, r.keep)
}

// silent tells a call that is to have no answer, and what belongs to it.
func (c *callee) silent(req *sip.Request, flow sip.Flow) bool {
	if !c.Silent || req.Method() == sip.Options {
		return false
	}
	id := string(req.CallID())
	if req.Method() == sip.Invite && !c.ignored[id] && len(c.ignored) < maxCalls {
		c.ignored[id] = true
		c.agent.notify(Event{Kind: Ignored, CallID: id, From: string(req.From.URI.Raw()), To: string(req.Target.Raw()), Peer: flow.Remote})
		c.count()
		if c.full() {
			// The silence lasts for as long as the caller may send it again (RFC 3261 §17.1.1.2, Timer B).
			c.agent.alarms.set(64*c.agent.timers().T1, c.leave)
		}
	}
	return true
}

func (c *callee) count() { c.seen++ }

// full reports whether as many calls have come as were asked for.
func (c *callee) full() bool { return c.Calls > 0 && c.seen >= c.Calls }

// mergeKey is what tells one request that came over two ways (RFC 3261 §8.2.2.2).
func mergeKey(req *sip.Request) string {
	return fmt.Sprintf("%s\n%s\n%d", req.CallID(), req.From.Tag(), req.CSeq.Number)
}

// invited takes a call.
func (c *callee) invited(in *incoming) {
	a := c.agent
	req := in.req
	key := mergeKey(req)
	switch {
	case c.merged[key] != nil:
		a.respond(in, 482, nil)
		return
	case c.leaving || c.full():
		a.respond(in, 480, nil)
		return
	case len(c.calls) >= maxCalls:
		a.respond(in, 486, nil)
		return
	}
	c.count()
	t := &taken{callee: c, in: in, began: time.Now(), dialog: newDialogAsCallee(a, req, in.tag, in.flow)}
	d := t.dialog
	d.bye, d.lost, d.acked, d.media = t.bye, t.lost, t.acked, t.changed
	c.calls[in.tag], c.merged[key] = t, t
	a.dialogs[d.key] = d
	in.cancel = t.cancel
	a.notify(Event{Kind: Invited, CallID: string(req.CallID()), From: string(req.From.URI.Raw()), To: string(req.Target.Raw()),
		Peer: in.flow.Remote, Detail: summarySDP(req.Body())})
	if v, ok := req.Value(sip.HeaderExpires); ok {
		if seconds, ok := sip.ParseDeltaSeconds(v); ok {
			t.expire = a.alarms.set(sip.Seconds(seconds), func() { t.refuse(487, Refused) })
		}
	}
	if c.Ring <= 0 {
		t.answer()
		return
	}
	t.ring180()
	t.ring = a.alarms.set(c.Ring, t.answer)
}

// ring180 says that it rings, and again every minute (RFC 3261 §13.3.1.1).
func (t *taken) ring180() {
	a := t.callee.agent
	b := a.start(t.in, 180)
	b = appendRecordRoute(b, t.in.req.Message)
	b = a.appendContact(b, t.dialog.hop, t.dialog.secure, "")
	a.respondWith(t.in, sip.AppendEnd(b, nil))
	t.tell(Event{Kind: Progress, Status: 180, Reason: sip.StatusText(180)})
	t.ringing = a.alarms.set(ringAgain, t.ring180)
}

// tell tells of the call.
func (t *taken) tell(e Event) {
	e.CallID, e.After = t.dialog.key.callID, time.Since(t.began)
	t.callee.agent.notify(e)
}

// answer gives the final answer.
func (t *taken) answer() {
	c, a := t.callee, t.callee.agent
	if t.over || t.in.over {
		return
	}
	if c.Status != 0 {
		t.refuse(c.Status, Refused)
		return
	}
	body, err := a.describe(t.in, t.dialog.hop)
	if err != nil {
		t.refuse(488, Refused)
		return
	}
	t.stop()
	t.since = time.Now()
	a.persist(t.dialog, t.in, a.accept(t.in, t.dialog, t.dialog.hop, body))
	t.tell(Event{Kind: Answered, Status: 200, Reason: sip.StatusText(200), Detail: summarySDP(t.in.req.Body())})
	if c.Duration > 0 {
		t.hangup = a.alarms.set(c.Duration, t.end)
	}
}

// stop stops what waits for the final answer.
func (t *taken) stop() {
	t.ring.stop()
	t.ringing.stop()
	t.expire.stop()
}

// refuse answers with a status that is no 2xx.
func (t *taken) refuse(code int, kind EventKind) {
	if t.over || t.in.over {
		return
	}
	t.stop()
	t.callee.agent.respond(t.in, code, nil)
	t.tell(Event{Kind: kind, Status: code, Reason: sip.StatusText(code)})
	t.close()
}

// cancel is a CANCEL (RFC 3261 §9.2).
func (t *taken) cancel() { t.refuse(487, Cancelled) }

// acked is the ACK for our 200.
func (t *taken) acked(body []byte) { t.tell(Event{Kind: Acknowledged, Detail: summarySDP(body)}) }

// changed is a re-INVITE.
func (t *taken) changed(body []byte) { t.tell(Event{Kind: Reinvited, Detail: summarySDP(body)}) }

// lost is a 200 that has no ACK for 64*T1: the call is hung up (RFC 3261 §13.3.1.4).
func (t *taken) lost() {
	t.tell(Event{Kind: Unacknowledged})
	t.end()
}

// bye is a BYE of theirs.
func (t *taken) bye() {
	if t.over {
		return
	}
	t.hangup.stop()
	t.stop()
	// RFC 3261 §15.1.2: an INVITE that is not answered yet gets 487.
	if !t.in.over {
		t.refuse(487, HungUp)
		return
	}
	t.tell(Event{Kind: HungUp})
	t.close()
}

// end hangs up.
func (t *taken) end() {
	if t.over {
		return
	}
	a := t.callee.agent
	t.hangup.stop()
	// RFC 3261 §15: the callee sends no BYE before the ACK has come or is given up.
	if p := t.dialog.final; p != nil && !t.dialog.agreed {
		t.dialog.acked = func(body []byte) { t.acked(body); t.end() }
		return
	}
	t.dialog.settle()
	t.tell(Event{Kind: HangingUp})
	t.over = true
	a.bye(t.dialog, func(err error) {
		t.over = false
		if err != nil {
			t.tell(Event{Kind: Failed, Err: fmt.Errorf("hanging up failed: %w", err)})
		}
		t.close()
	})
}

// close forgets the call.
func (t *taken) close() {
	if t.over {
		return
	}
	t.over = true
	c, a := t.callee, t.callee.agent
	var talked time.Duration
	if !t.since.IsZero() {
		talked = time.Since(t.since)
	}
	a.notify(Event{Kind: Ended, CallID: t.dialog.key.callID, After: talked})
	delete(a.dialogs, t.dialog.key)
	delete(c.calls, t.in.tag)
	// A merged request may come for as long as the transaction lives.
	a.alarms.set(64*a.timers().T1, func() { delete(c.merged, mergeKey(t.in.req)) })
	switch {
	case c.leaving && len(c.calls) == 0:
		c.gone()
	case c.full() && len(c.calls) == 0:
		c.leave()
	}
}

// interrupted refuses what rings, hangs up what talks, and leaves.
func (c *callee) interrupted() {
	c.leaving = true
	for _, t := range c.calls {
		if !t.in.over {
			t.refuse(480, Refused)
		} else {
			t.end()
		}
	}
	if len(c.calls) == 0 {
		c.gone()
	}
}

// leave is the end: as many calls have been taken as were asked for.
func (c *callee) leave() {
	if !c.leaving {
		c.leaving = true
		c.gone()
	}
}

// gone removes the registration, and ends.
func (c *callee) gone() {
	a := c.agent
	if c.registration == nil {
		a.end()
		return
	}
	r := c.registration
	c.registration = nil
	contact := r.contact
	r.leave(func(err error) {
		switch {
		case err != nil:
			a.left = fmt.Errorf("the registration could not be removed: %w", err)
		case contact != "":
			a.notify(Event{Kind: Unregistered, To: string(a.aor.Raw()), Contact: contact})
		}
		a.end()
	})
}
