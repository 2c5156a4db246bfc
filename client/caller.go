package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"biloxi/sip"
)

// caller is an Agent's role that makes one call.
type caller struct {
	agent   *Agent
	inv     Invitation
	story   *Story
	invite  *outgoing
	targets [][]byte // to try next
	legs    map[string]*leg
	leg     *leg // the one that talks
	began   time.Time
	gone    time.Time // when the first INVITE went
	seq     uint32
	callID  string
	fromTag string
	ringing *alarm
	hangup  *alarm
	noReply error // nobody answered in time, or at all
	byes    int   // that have no answer yet
	done    bool  // nothing is waited for but those
}

// leg is one 2xx: the call, or one more of a fork (RFC 3261 §13.2.2.4).
type leg struct {
	*dialog
	ack      *outgoing
	answered time.Time
}

// Call makes a call and returns what became of it, when it is over. An error that is not nil says that it could
// not be made or ended as it should; a refusal is none. The end of ctx hangs up, or cancels.
func (a *Agent) Call(ctx context.Context, inv Invitation) (*Story, error) {
	u, err := parseURI(inv.Target)
	if err != nil {
		return nil, err
	}
	if !u.IsSIP() {
		return nil, errors.New("a call goes to a sip or sips URI only")
	}
	if inv.Ringing == 0 {
		inv.Ringing = DefaultRinging
	}
	c := &caller{agent: a, inv: inv, legs: map[string]*leg{}, callID: random(), fromTag: random()}
	c.story = &Story{Target: inv.Target, CallID: c.callID}
	u.Headers = nil // RFC 3261 §19.1.5: no part of a Request-URI
	c.targets = [][]byte{u.Append(nil)}
	err = a.run(ctx, c)
	return c.story, err
}

func (c *caller) begin() {
	c.began = time.Now()
	if c.inv.CancelAfter > 0 {
		c.agent.alarms.set(c.inv.CancelAfter, c.cancel)
	}
	c.ringing = c.agent.alarms.set(c.inv.Ringing, func() {
		c.noReply = ErrNoAnswer
		c.cancel()
	})
	c.call()
}

// call sends an INVITE to the next target.
func (c *caller) call() {
	a := c.agent
	target := c.targets[0]
	c.targets = c.targets[1:]
	c.story.Targets = append(c.story.Targets, string(target))
	u, err := sip.ParseURI(target)
	if err != nil {
		c.fail(err)
		return
	}
	servers, identity, err := a.servers(u, len(c.story.Targets) == 1)
	if err != nil {
		c.fail(err)
		return
	}
	to := u
	to.Password = nil
	o := &outgoing{agent: a, servers: servers, identity: identity, answer: c.answer, failed: c.fail}
	secure := u.Scheme == sip.SchemeSIPS
	o.draft = draft{method: sip.Invite, target: target, from: c.from(), to: nameAddr(to), callID: c.callID,
		fields: func(dst []byte, h hop) []byte { return a.appendAbilities(dst, h, secure) },
		body:   func(h hop) []byte { return offerSDP(a.session, h.local.Addr()) }}
	// A 3xx leads away from the first server, and from the routes to it.
	if len(c.story.Targets) == 1 {
		o.routes = a.routes
	}
	o.seq = func() uint32 { c.seq++; return c.seq }
	o.challenged = func(m *sip.Message) { c.note(m, Challenged) }
	c.invite = o
	if c.gone.IsZero() {
		c.gone = time.Now()
	}
	a.notify(Event{Kind: Invited, CallID: c.callID, To: string(target)})
	o.begin()
}

func (c *caller) from() []byte {
	// RFC 3261 §8.1.1.3: the From of one who does not say.
	from := []byte("\"Anonymous\" <sip:anonymous@anonymous.invalid>")
	if !c.agent.aor.IsZero() {
		from = nameAddr(c.agent.aor)
	}
	return append(append(from, ";tag="...), c.fromTag...)
}

// servers is where a request outside a dialog goes, in order; first says that it is the one that was asked for,
// and not one that a 3xx names.
func (a *Agent) servers(u sip.URI, first bool) ([]Server, string, error) {
	own, err := serverOf(u)
	s, identity := own, own.Host
	if t := a.toward(); first && t != (Server{}) {
		s, err = t, nil
	}
	if err != nil {
		return nil, "", err
	}
	// RFC 3261 §26.2.2: a sips URI goes over TLS, and over nothing else.
	if u.Scheme == sip.SchemeSIPS && !s.Transport.Secure() {
		return nil, "", errors.New("a sips URI needs a server that is reached by TLS: sips:" + s.Host)
	}
	return []Server{s}, identity, nil
}

// answer takes a response to the INVITE.
func (c *caller) answer(m *sip.Message) {
	code := m.StatusCode()
	switch {
	case code < 200:
		c.note(m, Progress)
	case code < 300:
		c.accepted(m)
	case code < 400 && c.inv.Follow && c.redirected(m):
		c.note(m, Redirected)
		c.call()
	case len(c.targets) > 0 && code < 600 && !c.invite.given:
		// RFC 3261 §8.1.3.4: the next of the contacts that a 3xx gave.
		c.note(m, Refused)
		c.call()
	default:
		c.note(m, Refused)
		c.story.Cause = c.invite.cause
		if code < 400 {
			c.story.Contacts = contacts(m)
		}
		c.finish()
	}
}

// note keeps a response for the story, and tells of it.
func (c *caller) note(m *sip.Message, kind EventKind) {
	to, _ := m.To()
	r := Reply{Status: m.StatusCode(), Reason: string(m.Reason()), After: time.Since(c.gone), From: c.invite.hop.to,
		Tag: string(to.Tag())}
	if isSDP(m) {
		r.Media = summarySDP(m.Body())
	}
	if len(c.story.Replies) < maxReplies {
		c.story.Replies = append(c.story.Replies, r)
	}
	s := c.story
	s.Transport, s.Local, s.To = c.invite.hop.flow.Transport, c.invite.hop.local, c.invite.hop.to
	if r.Status >= 200 && !s.Answered {
		s.Status, s.Reason, s.Setup = r.Status, r.Reason, r.After
	}
	detail := r.Media
	if kind == Redirected && len(c.targets) > 0 {
		detail = string(c.targets[0])
	}
	c.agent.notify(Event{Kind: kind, CallID: c.callID, Status: r.Status, Reason: r.Reason, After: r.After, Peer: r.From, Detail: detail})
}

// accepted takes a 2xx: the first one is the call, unless it was cancelled; any other is hung up.
func (c *caller) accepted(m *sip.Message) {
	to, _ := m.To()
	tag := string(to.Tag())
	if l := c.legs[tag]; l != nil {
		// RFC 3261 §13.2.2.4: each 2xx that comes again gets its ACK again.
		l.ack.again()
		return
	}
	if len(c.legs) >= maxReplies {
		return
	}
	a := c.agent
	l := &leg{dialog: newDialogAsCaller(c.invite, m), answered: time.Now()}
	c.legs[tag] = l
	a.dialogs[l.key] = l.dialog
	l.agreed = true
	l.bye = func() { c.hungUp(l) }
	l.media = func(body []byte) {
		a.notify(Event{Kind: Reinvited, CallID: c.callID, Detail: summarySDP(body)})
	}
	l.lost, l.acked = func() { c.end(l, EndedByUs) }, func([]byte) {}
	l.ack = a.ack(l.dialog, c.invite)
	if c.leg != nil || c.done {
		c.story.Forked++
		c.note(m, Forked)
		c.bye(l)
		return
	}
	c.leg = l
	c.talk(m)
}

// talk is the call's 2xx.
func (c *caller) talk(m *sip.Message) {
	c.ringing.stop()
	c.note(m, Answered)
	s := c.story
	s.Answered = true
	if isSDP(m) {
		s.Media = summarySDP(m.Body())
	}
	s.Remote = string(c.leg.target)
	for _, r := range c.leg.routes {
		s.Routes = append(s.Routes, string(r))
	}
	if c.invite.given {
		// RFC 3261 §9.1: the 200 crossed the CANCEL. There is a call, which nobody wants: it is hung up.
		s.Answered = false
		c.end(c.leg, EndedByUs)
		return
	}
	if c.inv.Duration > 0 {
		c.hangup = c.agent.alarms.set(c.inv.Duration, func() { c.end(c.leg, EndedByUs) })
	}
}

// end hangs up.
func (c *caller) end(l *leg, by string) {
	if c.done {
		return
	}
	c.hangup.stop()
	c.story.EndedBy, c.story.Talked = by, time.Since(l.answered)
	c.bye(l)
	c.finish()
}

// hungUp is a BYE of theirs.
func (c *caller) hungUp(l *leg) {
	if l != c.leg || c.done {
		return
	}
	c.hangup.stop()
	c.story.EndedBy, c.story.Talked = EndedByThem, time.Since(l.answered)
	c.agent.notify(Event{Kind: HungUp, CallID: c.callID, After: c.story.Talked})
	c.finish()
}

// bye sends BYE on a leg, behind the ACK, which may wait for a look-up or a connection.
func (c *caller) bye(l *leg) {
	c.agent.notify(Event{Kind: HangingUp, CallID: c.callID})
	c.byes++
	over := func(err error) {
		delete(c.agent.dialogs, l.key)
		if err != nil && l == c.leg {
			c.agent.left = fmt.Errorf("hanging up failed: %w", err)
		}
		c.byes--
		c.settle()
	}
	l.ack.whenSent(func() { c.agent.bye(l.dialog, over) })
}

// cancel gives up a call that has no final answer.
func (c *caller) cancel() {
	if c.leg != nil || c.done || c.invite.given {
		return
	}
	c.story.Cancelled = true
	c.targets = nil
	c.agent.notify(Event{Kind: Cancelled, CallID: c.callID, After: time.Since(c.gone)})
	c.invite.cancel()
}

// fail is an INVITE that nobody answered.
func (c *caller) fail(err error) {
	if c.leg != nil {
		return // a further 2xx was waited for
	}
	if len(c.targets) > 0 {
		c.agent.notify(Event{Kind: Failed, CallID: c.callID, Err: err})
		c.call()
		return
	}
	var late *TimeoutError
	if c.story.Cancelled && errors.As(err, &late) {
		err = fmt.Errorf("the call was cancelled, and nobody confirmed that: %w", err)
	}
	if errors.Is(err, errAbandoned) {
		err = nil
	}
	c.agent.left = err
	c.finish()
}

// finish is the end of the call; what is not answered yet is waited for.
func (c *caller) finish() {
	if c.done {
		return
	}
	c.done = true
	c.ringing.stop()
	if c.agent.left == nil && !c.story.Answered && c.noReply != nil {
		c.agent.left = c.noReply
	}
	c.settle()
}

func (c *caller) settle() {
	if !c.done || c.byes > 0 {
		return
	}
	if c.invite != nil {
		c.story.Requests = c.invite.requests
	}
	c.agent.end()
}

// invited refuses: who makes one call takes none.
func (c *caller) invited(in *incoming) { c.agent.respond(in, 486, nil) }

func (c *caller) silent(*sip.Request, sip.Flow) bool { return false }

// interrupted hangs up, or cancels.
func (c *caller) interrupted() {
	if c.leg != nil {
		c.end(c.leg, EndedByUs)
		return
	}
	c.cancel()
}
