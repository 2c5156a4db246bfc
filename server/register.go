package server

import (
	"bytes"
	"time"

	"biloxi/digest"
	"biloxi/location"
	"biloxi/sip"
	"biloxi/transport"
)

// register answers a REGISTER (RFC 3261 §10.3): here the steps that ask whose it is, in the registrar
// those that ask what it wants.
func (s *Server) register(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	st := s.state.Load()
	// RFC 3261 §10.3 step 1: is the domain of the Request-URI one of ours?
	target := st.domains.find(x.req.Target.Host)
	if target.domain == nil {
		s.refuse(now, out, in, x, refusedDomain, 404, "Not Found: domain is not served here")
		return
	}
	// RFC 3261 §10.3 step 2: extensions, before anything is asked of the client that it cannot use.
	if !st.registrar.Extensions(&x.registration, &x.req, in.Flow, x.toTag()) {
		s.registrarRefuses(now, out, in, x, refusedExtension)
		return
	}
	if !x.req.To.URI.IsSIP() {
		// RFC 3261 §10.2: an address of record is a SIP URI; RFC 4475 §3.3.4 has 400 for any other.
		s.refuse(now, out, in, x, refusedHeader, 400, "Bad Request: To is not a SIP URI")
		return
	}
	d := s.domainOfAOR(st, x, target)
	if d == nil {
		s.refuse(now, out, in, x, refusedDomain, 404, "Not Found: To is not in a domain served here")
		return
	}
	// RFC 3261 §10.3 step 3: authentication, for a query as for a change.
	result, ok := s.check(now, out, in, x, st, d, sip.HeaderAuthorization)
	if !ok {
		return
	}
	if result.Verdict != digest.Valid {
		s.challenge(now, out, in, x, st, d, result, sip.HeaderAuthorization)
		return
	}
	out.Authenticated(in, d.realm, result.Username)
	if !s.authorize(now, out, in, x, st, d, result) {
		return
	}
	if !s.bodyUnderstood(now, out, in, x) {
		return
	}
	// RFC 3261 §10.3 steps 6 to 8 are the registrar's.
	x.registration.Ahead = s.clock.aheadOf()
	if !st.registrar.Prepare(&x.registration, now, &x.req, in.Flow, x.toTag(), branchHash(x.req.Via)) {
		s.registrarRefuses(now, out, in, x, refusedRegistration)
		return
	}
	s.change(now, out, in, x, d)
}

// registrarRefuses sends what the registrar refused with.
func (s *Server) registrarRefuses(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, why refusal) {
	s.ledger.refuse(now, why, in.Flow.Remote, x.registration.Reason, x.sender())
	s.reply(out, in, x, x.registration.Status, x.registration.Response)
}

// change has the location service make the change, and answers if that needs no waiting for the disk.
func (s *Server) change(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, d *domain) {
	x.aor = location.AppendAOR(x.aor[:0], x.req.To.URI.User, d.name)
	out.Owe(in)
	x.at, x.hurried, x.contacts = now.UnixMilli(), false, s.state.Load().config.Registrar.MaxContacts
	durable, err := s.location.Update(now, x.aor, x.registering, x.registering)
	switch {
	case err != nil:
		s.unavailable(now, x.registering, err)
	case !durable:
		// It may have been answered already, and be another's.
		x.registering = s.registering.Get().(*registering)
		return
	case x.registration.Status >= 300:
		out.Settle(in)
		s.registrarRefuses(now, out, in, x, x.refusal())
		return
	}
	out.Settle(in)
	s.reply(out, in, x, x.registration.Status, x.registration.Response)
}

// domainOfAOR is the domain of the To, nil if it is none of ours or not that of the Request-URI
// (RFC 3261 §10.3 step 5). A Request-URI with a server's own host name stands for all of its domains
// (RFC 3665 §2.1 registers bob@biloxi.example.com at ss2.biloxi.example.com).
func (s *Server) domainOfAOR(st *state, x *exchange, target host) *domain {
	if x.req.To.URI.User == nil {
		return nil
	}
	to := target
	if !bytes.Equal(x.req.To.URI.Host, x.req.Target.Host) {
		to = st.domains.find(x.req.To.URI.Host)
	}
	if to.domain == nil || to.domain != target.domain && !target.alias {
		return nil
	}
	return to.domain
}

// challenge answers with new nonces: 401 to what is asked for in Authorization (RFC 3261 §22.2), 407 to what is in
// Proxy-Authorization (§22.3); or 400 if the credentials cannot be read. No state is kept for it, and an INVITE's is not
// sent again (§26.3.2.4: whoever floods us with requests is not helped).
func (s *Server) challenge(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain, r digest.Result, h sip.Header) {
	who := x.sender()
	who.username = r.Username
	switch r.Verdict {
	case digest.Malformed:
		s.refuse(now, out, in, x, refusedHeader, 400, x.badRequest(append(append(x.phrase[:0], "credentials: "...), r.Reason...)))
		return
	case digest.Wrong:
		s.ledger.refuse(now, refusedCredentials, in.Flow.Remote, x.login.explain(&r), who)
	case digest.Stale:
		s.ledger.refuse(now, refusedStale, in.Flow.Remote, r.Reason, who)
	}
	status, ask := 401, sip.HeaderWWWAuthenticate
	if h == sip.HeaderProxyAuthorization {
		status, ask = 407, sip.HeaderProxyAuthenticate
	}
	b := s.begin(out, in, x, status, "")
	b = st.digest.AppendChallenge(b, now, ask, d.realm, d.algorithms, r.Verdict == digest.Stale)
	s.reply(out, in, x, status, sip.AppendEnd(b, nil))
}

// authorize sees that the AOR exists and that the user may change it. False: it is answered.
func (s *Server) authorize(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain, r digest.Result) bool {
	// RFC 8760 §2.6: credentials made for a URI of somebody else's are not for us.
	if !bytes.Equal(r.URI.Host, x.req.Target.Host) && st.domains.find(r.URI.Host).domain == nil {
		s.refuse(now, out, in, x, refusedOwner, 403, "Forbidden: the digest's uri is not served here")
		return false
	}
	x.user = sip.AppendUnescaped(x.user[:0], x.req.To.URI.User)
	if string(x.user) == string(r.Username) {
		return true
	}
	third := d.thirdParty[string(r.Username)]
	if !third && !s.mayAsk(now, out, in, x, st) {
		return false
	}
	// RFC 3261 §10.3 step 5: an address-of-record that nobody has is 404.
	if _, ok := s.subscribers.Lookup(x.user, d.name); !ok {
		if !third {
			s.asked(now, x, st)
		}
		s.refuse(now, out, in, x, refusedUser, 404, "")
		return false
	}
	// RFC 3261 §10.3 step 4: a third party registers for another only by name.
	if !third {
		s.refuse(now, out, in, x, refusedOwner, 403, "Forbidden: not the owner of this address-of-record")
		return false
	}
	return true
}

// bodyUnderstood refuses a body that its sender says must be understood (RFC 3261 §8.2.3): a REGISTER has no use
// for any. Where nothing is said §20.11 would assume that it must be; but what devices put into a REGISTER is for
// other registrars, and they come back with the same. So it is passed over, whatever its type and encoding.
func (s *Server) bodyUnderstood(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) bool {
	if len(x.msg.Body()) == 0 {
		return true
	}
	v, _ := x.msg.Value(sip.HeaderContentDisposition)
	if handling, _ := paramsOf(v).Value("handling"); !bytes.EqualFold(handling, []byte("required")) {
		return true
	}
	s.ledger.refuse(now, refusedBody, in.Flow.Remote, "a REGISTER with a body", x.sender())
	b := s.begin(out, in, x, 415, "")
	b = sip.AppendFieldString(b, sip.HeaderAccept, "")
	if x.msg.Has(sip.HeaderContentEncoding) {
		// RFC 3261 §8.2.3: the encodings that are understood; §20.2: none is identity.
		b = sip.AppendFieldString(b, sip.HeaderAcceptEncoding, "identity")
	}
	s.reply(out, in, x, 415, sip.AppendEnd(b, nil))
	return false
}

// paramsOf returns the parameters behind a token value.
func paramsOf(v []byte) sip.Params {
	for i, c := range v {
		if c == ';' {
			return sip.Params(v[i:])
		}
	}
	return nil
}
