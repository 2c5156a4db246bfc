package digest

import (
	"crypto/subtle"
	"encoding/hex"
	"time"

	"biloxi/sip"
)

// Check judges the credentials that a request has for the realm, in header field h: Authorization for a
// registrar or user agent server, Proxy-Authorization for a proxy. Those for other realms are passed over
// (RFC 3261 §22.3).
//
// The user is asked for by username alone: `bob` for the user bob, whatever the request's URIs are. Now
// is best one of time.Now, with its monotonic reading. The flow is how the request came: over TLS nobody
// can overhear credentials, so that a nonce serves without a nonce count until it expires, on one connection, else
// once; and what was let in is let in again only over the same flow. The algorithms are those offered for the realm; empty:
// those of the Config.
//
// Neither ACK nor CANCEL is to be checked: they cannot be challenged (RFC 3261 §22.1).
func (a *Authenticator) Check(now time.Time, req *sip.Request, h sip.Header, realm []byte, flow sip.Flow,
	algorithms []sip.Algorithm, users Users) (r Result) {
	if len(algorithms) == 0 {
		algorithms = a.algorithms
	}
	var c sip.Credentials
	if !find(&c, &r, req, h, realm, algorithms) {
		return r
	}
	r.Username = unescaped(c.Username)
	if !a.readable(&c, &r, algorithms) {
		return r
	}
	s := borrow()
	defer s.release()
	// RFC 7616 §3.3: stale says that the digest was right but for the nonce, so the digest comes first.
	if !a.proves(s, &c, &r, req, realm, users) {
		return r
	}
	a.admit(s, &c, &r, a.clock(now), req, realm, flow)
	return r
}

// proves compares the response with that of the user. For a user that there is not it does the same
// work with an HA1 of no one.
func (a *Authenticator) proves(s *scratch, c *sip.Credentials, r *Result, req *sip.Request, realm []byte,
	users Users) bool {
	s.ha1 = a.stranger
	known := users.HA1(r.Username, realm, r.Algorithm, &s.ha1)
	want := s.response(&answer{
		algorithm: r.Algorithm, method: req.Method(), uri: c.URI, nonce: c.Nonce,
		qop: c.QOP, integrity: isWord(c.QOP, qopAuthInt), nc: c.NC, cnonce: c.CNonce, body: req.Body(),
	})
	size := r.Algorithm.Size()
	var got [32]byte
	right := 0
	if len(c.Response) == 2*size {
		if _, err := hex.Decode(got[:size], c.Response); err == nil {
			right = subtle.ConstantTimeCompare(got[:size], want[:size])
		}
	}
	switch {
	case !known:
		r.Verdict, r.Reason = Wrong, ReasonUnknownUser
	case right == 0:
		r.Verdict, r.Reason = Wrong, ReasonWrongPassword
	default:
		return true
	}
	return false
}

// admit looks at the nonce of credentials that are right.
func (a *Authenticator) admit(s *scratch, c *sip.Credentials, r *Result, now uint64, req *sip.Request,
	realm []byte, flow sip.Flow) {
	r.Verdict, r.Reason = Stale, ""
	m, ok := a.openNonce(s, c.Nonce, realm)
	if !ok {
		r.Reason = ReasonForeignNonce
		return
	}
	u := use{mint: m, now: now, expired: now >= m.at+a.lifetime, counted: c.QOP != nil, private: flow.Transport.Secure()}
	if kept := a.lifetime + uint64(rememberFor.Milliseconds()); now > kept {
		u.over = now - kept
	}
	if u.counted {
		u.nc, _ = parseCount(c.NC)
	}
	if u.counted || !u.private {
		u.print = a.requestKey.print(req.Bytes(), flow)
	} else {
		u.source = a.requestKey.print(nil, flow)
	}
	switch a.window.admit(&u) {
	case first:
		r.Verdict = Valid
	case again:
		r.Verdict, r.Retransmission = Valid, true
	case expired:
		r.Reason = ReasonExpiredNonce
	default:
		r.Reason = ReasonReplay
	}
}
