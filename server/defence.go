package server

import (
	"bytes"
	"net/netip"
	"time"

	"biloxi/config"
	"biloxi/defence"
	"biloxi/digest"
	"biloxi/proxy"
	"biloxi/sip"
	"biloxi/transport"
)

// watchfulness is what the configuration says of those who guess. It is never changed.
type watchfulness struct {
	defence.Policy
	off, watch bool // neither: who guesses is not looked at
	silent     bool // to who is refused
	hide       bool // a user who does not exist from strangers, as one who is not registered
}

// watchfulnessOf translates the configuration. Trusted peers are exempt: what they send is of many people.
func watchfulnessOf(cfg *config.Config) watchfulness {
	d := &cfg.Defence
	w := watchfulness{off: d.Mode == config.DefenceOff, watch: d.Mode == config.DefenceWatch,
		silent: d.Answer == config.DefenceSilent, hide: d.HideUsers,
		Policy: defence.Policy{Tries: d.Tries, Window: time.Duration(d.Window), Interval: time.Duration(d.Interval),
			RefuseAfter: d.RefuseAfter, Refuse: time.Duration(d.Refuse)}}
	for _, list := range [...][]config.Prefix{d.Exempt, cfg.Proxy.Trusted} {
		for _, p := range list {
			w.Exempt = append(w.Exempt, netip.Prefix(p))
		}
	}
	return w
}

// check is the digest's check, after the defence has let it through: one that is not looked at is false, and done with. All credentials
// are judged here, whatever the method and the header field that brings them.
func (s *Server) check(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain, h sip.Header) (digest.Result, bool) {
	watched := !st.watchfulness.off && s.guard.Watched(in.Flow.Remote.Addr()) && !s.exempt(now, st, in.Flow.Remote.Addr())
	if watched && !s.mayTry(now, out, in, x, st, d, h) {
		return digest.Result{}, false
	}
	r := s.checkCredentials(now, x, st, d, h)
	if r.Verdict == digest.Wrong && !st.watchfulness.off && (watched || !s.exempt(now, st, in.Flow.Remote.Addr())) {
		if !watched {
			x.attempt = defence.Attempt{Source: in.Flow.Remote.Addr(), Port: in.Flow.Remote.Port(), User: x.guesses(r.Username, st, d)}
		}
		x.attempt.Told = defence.Told{}
		s.guard.Wrong(now, &st.watchfulness.Policy, &x.attempt)
		s.guard.tell(now, st, &x.attempt)
		s.guard.stir()
	}
	return r, true
}

// mayTry reports whether the credentials of a request, or the challenge that it gets without, are looked at. False:
// it is done with.
func (s *Server) mayTry(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain, h sip.Header) bool {
	user, tries := st.digest.Claim(&x.req, h, d.realm, d.algorithms)
	if !tries {
		user = sip.AppendUnescaped(x.user[:0], x.claimant().User)
		x.user = user
	}
	a := &x.attempt
	*a = defence.Attempt{Source: in.Flow.Remote.Addr(), Port: in.Flow.Remote.Port(), User: x.guesses(user, st, d)}
	a.History = s.history(now, in.Flow.Remote, x)
	var v defence.Verdict
	if tries {
		v = s.guard.Guess(now, &st.watchfulness.Policy, a)
	} else {
		v = s.guard.Challenge(now, &st.watchfulness.Policy, a)
	}
	return s.act(now, out, in, x, st, v)
}

// mayAsk reports whether a stranger's request for a user is looked at. False: it is done with.
func (s *Server) mayAsk(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state) bool {
	from := in.Flow.Remote.Addr()
	if st.watchfulness.off || !s.guard.Watched(from) || s.exempt(now, st, from) {
		return true
	}
	x.attempt = defence.Attempt{Source: from}
	return s.act(now, out, in, x, st, s.guard.Ask(now, &st.watchfulness.Policy, &x.attempt))
}

// asked counts that a stranger asked for a user who does not exist, or may not be told from one.
func (s *Server) asked(now time.Time, x *exchange, st *state) {
	from := x.flow.Remote.Addr()
	if st.watchfulness.off || s.exempt(now, st, from) {
		return
	}
	x.attempt = defence.Attempt{Source: from}
	s.guard.Unknown(now, &st.watchfulness.Policy, &x.attempt)
	s.guard.tell(now, st, &x.attempt)
	s.guard.stir()
}

// shows reports whether the caller is shown that the user of the Request-URI exists; x.record has their bindings. What
// a stranger is told of somebody who does not exist is counted, and where that is hidden so is what looks the same.
func (s *Server) shows(now time.Time, x *exchange, st *state, exists bool) bool {
	if x.caller.standing != stranger || x.msg.Method() == sip.Ack {
		return exists
	}
	if !exists || st.watchfulness.hide && len(x.record.Bindings) == 0 {
		s.asked(now, x, st)
	}
	return exists || st.watchfulness.hide
}

// plain is a refusal without what tells strangers that there is such a user, where that is hidden.
func (s *Server) plain(x *exchange, st *state, refusal *proxy.Refusal) *proxy.Refusal {
	if (refusal == proxy.Disconnected || refusal == proxy.NotFound) && st.watchfulness.hide && x.caller.standing == stranger {
		return proxy.Unavailable
	}
	return refusal
}

// exempt reports whether nothing is counted for an address.
func (s *Server) exempt(now time.Time, st *state, from netip.Addr) bool {
	if rule, ok := s.guard.rules.Load().Find(now, from); ok {
		return rule.Action == defence.Allow
	}
	return st.watchfulness.Exempts(from)
}

// act does what the defence says. What is delayed gets no answer over UDP: the client's retransmission is the delay,
// and nothing is kept for it. Over TCP and TLS nothing is sent again, so that it is asked to come later (RFC 3261
// §21.5.4). True: the request goes on.
func (s *Server) act(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, v defence.Verdict) bool {
	s.guard.tell(now, st, &x.attempt)
	if v == defence.Look || st.watchfulness.watch {
		return true
	}
	s.ledger.refused[refusedGuessing].count.Add(1)
	switch {
	case v == defence.Refuse:
		s.forbid(out, in, x, st)
	case in.Flow.Transport.Reliable():
		b := s.begin(out, in, x, 503, "")
		after := (st.watchfulness.Interval + time.Second - 1) / time.Second
		b = sip.AppendFieldUint(b, sip.HeaderRetryAfter, uint64(after))
		s.reply(out, in, x, 503, sip.AppendEnd(b, nil))
	}
	return false
}

// forbid answers who is refused, as the configuration says.
func (s *Server) forbid(out *transport.Out, in *transport.Arrival, x *exchange, st *state) {
	if st.watchfulness.silent || x.msg.Method() == sip.Ack {
		return
	}
	s.reply(out, in, x, 403, sip.AppendEnd(s.begin(out, in, x, 403, "Forbidden: too many failures"), nil))
}

// denied reports whether an administrator has denied the source of a request. True: it is done with.
func (s *Server) denied(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) bool {
	rules := s.guard.rules.Load()
	if rules == nil {
		return false
	}
	if rule, ok := rules.Find(now, in.Flow.Remote.Addr()); !ok || rule.Action != defence.Deny {
		return false
	}
	s.ledger.refused[refusedDenied].count.Add(1)
	s.forbid(out, in, x, s.state.Load())
	return true
}

// claimant is the URI of who sends a request: of a REGISTER To, else From.
func (x *exchange) claimant() *sip.URI {
	if x.msg.Method() == sip.Register {
		return &x.req.To.URI
	}
	return &x.req.From.URI
}

// guesses is the user whose password is tried, in the one form that they are counted in, that of an AOR: credentials
// may call them user or user@domain. It is good until the next call.
func (x *exchange) guesses(user []byte, st *state, d *domain) []byte {
	if at := bytes.LastIndexByte(user, '@'); at >= 0 && st.domains.find(user[at+1:]).domain == d {
		user = user[:at]
	}
	x.guessed = append(append(append(x.guessed[:0], user...), '@'), d.name...)
	return x.guessed
}

// history is what is known for the good of the user of x.guessed who comes from an address: whether a phone of theirs
// is registered from there. An office behind a NAT is known by that, and nothing is kept for it.
func (s *Server) history(now time.Time, from netip.AddrPort, x *exchange) defence.History {
	var some bool
	if x.view, some = s.location.View(now, x.guessed, &x.record, x.view[:0]); !some {
		return defence.Stranger
	}
	best := defence.Stranger
	for i := range x.record.Bindings {
		switch was := x.record.Bindings[i].Flow.Remote; {
		case was == from:
			return defence.SameFlow
		case was.IsValid() && defence.SameSource(was.Addr(), from.Addr()):
			best = defence.Registered
		}
	}
	return best
}
