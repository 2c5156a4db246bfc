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
