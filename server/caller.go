package server

import (
	"bytes"
	"time"

	"biloxi/digest"
	"biloxi/sip"
	"biloxi/tally"
	"biloxi/transport"
)

// standing is what the evidence that a caller brings makes of them. A proof carries that of who made the dialog.
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
	trusted bool      // their address is
	proved  bool      // the request is of a dialog that was made through this server, and goes to its other end
	// flowOnly says that it goes there down the flow of a token, and may not go where its URIs lead.
	flowOnly bool
	user     []byte // of the credentials, and their domain; nil: none were needed
	domain   *domain
	realms   [][]byte // whose credentials have done their work here and go no further (§22.3)
}

// may reports whether the request of x may go where it wants to; d is the domain of its Request-URI, nil if that is
// none of ours or the request goes on to another. False: it is answered.
func (s *Server) may(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, d *domain) bool {
	e, claimed := s.evidence(now, x, st)
	switch admission[kindRequest][e][placeOf(x, d)] {
	case askOwner:
		return s.authenticate(now, out, in, x, st, demand{of: claimed, by: d, owner: true})
	case askUser:
		return s.authenticate(now, out, in, x, st, demand{of: d, by: d})
	case askAny:
		// RFC 3323 §4.1: one who does not say who they are in From still says it in the credentials.
		return s.authenticate(now, out, in, x, st, demand{of: st.domains.first, by: d})
	case forbid:
		s.refuse(now, out, in, x, refusedRelay, 403, "Forbidden: not relayed for strangers")
		return false
	}
	switch e {
	case evidenceProof:
		out.Keep(in) // whoever it is: their connection lives on with the call
	case evidencePeer:
		out.Authenticated(in, nil, nil)
	}
	return true
}

// evidence is what the request of x says of its sender, and the domain whose user they claim to be, nil if none. It
// fills x.caller.
func (s *Server) evidence(now time.Time, x *exchange, st *state) (e evidence, claimed *domain) {
	shown, proved := st.proxy.Proves(now, &x.in)
	x.caller = caller{proved: proved, flowOnly: shown.FlowOnly, trusted: st.routing.trusts(x.in.Flow.Remote.Addr()) || x.route != nil && x.route.trusted}
	switch {
	case proved:
		// What a phone shows us without being asked again is for us all the same.
		x.caller.standing, x.caller.realms = standing(shown.Class), st.domains.realms
		return evidenceProof, nil
	case x.caller.trusted:
		x.caller.standing = trusted
		return evidencePeer, nil
	}
	if claimed = claimedDomain(st, x); claimed != nil {
		return evidenceClaim, claimed
	}
	if isAnonymous(x.req.From.URI.Host) {
		return evidenceAnonymous, nil
	}
	return evidenceNone, nil
}

// claimedDomain is the domain of ours that the From names, nil if it names none. An address with another port than one
// of ours is a phone's own; a name with any port is still that name, to who reads it on a display, and so is one behind
// another scheme: im and pres are those of instant messages and presence.
func claimedDomain(st *state, x *exchange) *domain {
	u := &x.req.From.URI
	if !u.IsSIP() {
		_, host := userAtHost(u)
		return st.domains.find(host).domain
	}
	d := st.domains.find(u.Host).domain
	if _, address := u.HostAddr(); address {
		switch {
		case !st.self.Is(u.Host, u.Port):
			return nil
		case d == nil:
			return st.domains.first // the server itself: nobody's but its users'
		}
	}
	return d
}

// userAtHost reads the user and host of a URI with another scheme than sip and sips, empty if it has none.
func userAtHost(u *sip.URI) (user, host []byte) {
	b := u.Opaque
	if i := bytes.IndexAny(b, ";?"); i >= 0 {
		b = b[:i]
	}
	i := bytes.LastIndexByte(b, '@')
	if i < 0 {
		return nil, nil
	}
	user, host = b[:i], b[i+1:]
	if j := bytes.LastIndexByte(host, ':'); j >= 0 && bytes.IndexByte(host[j:], ']') < 0 {
		host = host[:j]
	}
	return user, host
}

// isAnonymous reports whether a From's host is the one of those who keep their name to themselves (RFC 3323 §4.1.1.3).
func isAnonymous(host []byte) bool { return bytes.EqualFold(host, []byte("anonymous.invalid")) }

// demand is whose credentials a request is asked for.
type demand struct {
	of    *domain // their domain
	by    *domain // that of the Request-URI, nil if none of ours: its role decides who asks
	owner bool    // the user that From names, and no other
}

// authenticate asks for credentials (RFC 3261 §22.2, §22.3). False: the request is answered.
func (s *Server) authenticate(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, st *state, a demand) bool {
	// RFC 3261 §22.1: a proxy asks with 407; a redirect server is a user agent server, which asks with 401.
	h := sip.HeaderProxyAuthorization
	if a.by != nil && a.by.redirects && placeOf(x, a.by) != placeBeyond {
		h = sip.HeaderAuthorization
	}
	d := a.of
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
	x.caller.user, x.caller.domain = result.Username, d
	if !coversTarget(st, &result.URI, x.asksFor()) {
		s.refuse(now, out, in, x, refusedDigestURI, 403, "Forbidden: the digest's uri is not the Request-URI")
		return false
	}
	if !a.owner {
		return true
	}
	x.user = appendUserOf(x.user[:0], &x.req.From.URI)
	if string(x.user) == string(result.Username) || d.thirdParty[string(result.Username)] {
		return true
	}
	s.refuse(now, out, in, x, refusedOwner, 403, "Forbidden: From is not the user of the credentials")
	return false
}

// appendUserOf appends the user of a URI, escapes decoded.
func appendUserOf(dst []byte, u *sip.URI) []byte {
	if u.IsSIP() {
		return sip.AppendUnescaped(dst, u.User)
	}
	user, _ := userAtHost(u)
	return sip.AppendUnescaped(dst, user)
}

// coversTarget reports whether credentials made for a URI are for a request to target.
//
// RFC 7616 §3.4.6: they are the same resource. A proxy on the way may have put another of our names into the
// Request-URI; user, host and port tell where it goes, and what phones leave out of the rest does not.
func coversTarget(st *state, uri, target *sip.URI) bool {
	if !uri.IsSIP() || !target.IsSIP() {
		return bytes.EqualFold(uri.Raw(), target.Raw())
	}
	ours := st.self.Is(uri.Host, uri.Port) || st.domains.find(uri.Host).domain != nil
	if uri.User == nil && ours {
		return true // sipp and others name the server that they send to (docs/peers.md): no other element takes them
	}
	if !bytes.Equal(uri.User, target.User) {
		var a, b [128]byte
		if !bytes.Equal(sip.AppendUnescaped(a[:0], uri.User), sip.AppendUnescaped(b[:0], target.User)) {
			return false
		}
	}
	if bytes.EqualFold(uri.Host, target.Host) && samePort(uri, target) {
		return true
	}
	return ours
}

func samePort(a, b *sip.URI) bool { return a.Port == b.Port || a.Port == 0 || b.Port == 0 }
