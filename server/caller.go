package server

import (
	"bytes"
	"time"

	"biloxi/digest"
	"biloxi/sip"
	"biloxi/tally"
	"biloxi/transport"
)

// standing is what the evidence that a caller brings makes of them.
type standing uint8

const (
	stranger      standing = iota // no evidence
	authenticated                 // credentials of a user of ours, or a dialog that such a user made
	trusted                       // the address of a trusted peer, or a dialog that such a peer made
)

// caller is what is known of who sent a request that is to be forwarded (RFC 3261 §16.3 step 6).
type caller struct {
	standing
	payer   tally.Key // who has authenticated, as shares count them; zero: nobody
	trusted bool      // his address is
	proved  bool      // the request is of a dialog that was made through this server
	realms  [][]byte  // whose credentials have done their work here and go no further (§22.3)
}

// may reports whether the request of x may go where it wants to; d is the domain of its Request-URI, nil if that is
// none of ours or the request goes on to another. False: it is answered.
//
//   - A request of a dialog that was made through this server goes on, and that of a trusted peer.
//   - Who claims to be a user of ours shows that he is.
//   - Anybody may call a user of ours, unless the domain wants everybody to show credentials.
//   - For nobody else is anything forwarded elsewhere.
func (s *Server) may(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain) bool {
	x.caller = caller{proved: st.proxy.Proves(&x.in), trusted: st.routing.trusts(in.Flow.Remote.Addr()) || x.route != nil && x.route.trusted}
	switch {
	case x.caller.proved:
		x.caller.standing = authenticated
		// What a phone shows us without being asked again is for us all the same.
		x.caller.realms = st.domains.realms
		out.Keep(in) // whoever it is: his connection lives on with the call
		return true
	case x.caller.trusted:
		x.caller.standing = trusted
		out.Authenticated(in, nil, nil)
		return true
	}
	if claimed := claimedDomain(st, x); claimed != nil {
		return s.authenticate(now, out, in, x, st, claimed, true)
	}
	stays := d != nil && (x.route == nil || len(x.route.hops) == 0)
	switch {
	case stays && d.closed:
		return s.authenticate(now, out, in, x, st, d, false)
	case stays:
		return true
	case isAnonymous(x.req.From.URI.Host):
		// RFC 3323 §4.1: one who does not say who he is in From still says it in his credentials.
		return s.authenticate(now, out, in, x, st, st.domains.first, false)
	}
	s.refuse(now, out, in, x, refusedRelay, 403, "Forbidden: not relayed for strangers")
	return false
}

// claimedDomain is the domain of ours that the From names, nil if it names none. An address with another port than one
// of ours is a phone's own; a name with any port is still that name, to who reads it on a display.
func claimedDomain(st *state, x *exchange) *domain {
	u := &x.req.From.URI
	if !u.IsSIP() {
		return nil
	}
	if _, address := u.HostAddr(); address && !st.self.Is(u.Host, u.Port) {
		return nil
	}
	return st.domains.find(u.Host).domain
}

// isAnonymous reports whether a From's host is the one of those who keep their name to themselves (RFC 3323 §4.1.1.3).
func isAnonymous(host []byte) bool { return bytes.EqualFold(host, []byte("anonymous.invalid")) }

// authenticate asks for credentials of a user of domain d, who is the one that From names if asOwner says so (RFC 3261
// §22.3). A domain that redirects is a user agent server, whose challenge is a 401 (§22.1).
func (s *Server) authenticate(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain, asOwner bool) bool {
	h := sip.HeaderProxyAuthorization
	if d.redirects {
		h = sip.HeaderAuthorization
	}
	result, ok := s.check(now, out, in, x, st, d, h)
	if !ok {
		return false
	}
	if result.Verdict != digest.Valid {
		s.challenge(now, out, in, x, st, d, result, h)
		return false
	}
	out.Authenticated(in, d.realm, result.Username)
	x.caller.realms, x.caller.standing = d.realms, authenticated
	x.caller.payer = s.shares.user(result.Username, d.name)
	if !asOwner {
		return true
	}
	x.user = sip.AppendUnescaped(x.user[:0], x.req.From.URI.User)
	if string(x.user) == string(result.Username) || d.thirdParty[string(result.Username)] {
		return true
	}
	s.refuse(now, out, in, x, refusedOwner, 403, "Forbidden: From is not the user of the credentials")
	return false
}
