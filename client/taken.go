package client

import (
	"fmt"
	"time"

	"biloxi/sip"
)

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
