package digest

import (
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"biloxi/sip"
)

// Check judges the credentials that a request has for the realm, in header field h: Authorization for a
// registrar or user agent server, Proxy-Authorization for a proxy. Those for other realms are passed over
// (RFC 3261 §22.3).
//
// The user is asked for by username alone: `bob` for the user bob, whatever the request's URIs are. Now
// is best one of time.Now, with its monotonic reading. With secure, the request came over TLS, where
// nobody can overhear credentials; it decides only how often a nonce serves without a nonce count: until
// it expires, else once. The algorithms are those offered for the realm; empty: those of the Config.
//
// Neither ACK nor CANCEL is to be checked: they cannot be challenged (RFC 3261 §22.1).
func (a *Authenticator) Check(now time.Time, req *sip.Request, h sip.Header, realm []byte, secure bool,
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
	a.admit(s, &c, &r, a.clock(now), req, realm, secure)
	return r
}

// find reads the credentials for the realm into c; false if there are none, or none that can be read.
// With several for the realm, those with an offered algorithm count, else the first.
func find(c *sip.Credentials, r *Result, req *sip.Request, h sip.Header, realm []byte, algorithms []sip.Algorithm) bool {
	found, unreadable := false, false
	r.Reason = ReasonNone
	for i := req.Index(h); i >= 0; i = req.Next(i) {
		_, _, value := req.Field(i)
		next, isDigest, err := sip.ParseCredentials(value)
		switch {
		case !isDigest:
			// RFC 3261 §22: Basic is never accepted.
			r.Reason = ReasonScheme
		case next.Realm != nil && !isText(next.Realm, realm):
			r.Reason = ReasonRealm
		case err != nil || next.Realm == nil:
			unreadable = true
		case !found || !offered(c, algorithms) && offered(&next, algorithms):
			found, *c = true, next
		}
	}
	if !found && unreadable {
		r.Verdict, r.Reason = Malformed, ReasonSyntax
	}
	return found
}

// offered reports whether the credentials' algorithm is one of those.
func offered(c *sip.Credentials, algorithms []sip.Algorithm) bool {
	a := algorithmOf(c.Algorithm)
	return a != sip.NoAlgorithm && slices.Contains(algorithms, a)
}

// algorithmOf names the algorithm of credentials or a challenge; MD5 if they say none (RFC 7616 §3.3).
func algorithmOf(name []byte) sip.Algorithm {
	if name == nil {
		return sip.MD5
	}
	return sip.AlgorithmOf(name)
}

// readable checks all that can be checked without the user.
func (a *Authenticator) readable(c *sip.Credentials, r *Result, algorithms []sip.Algorithm) bool {
	r.Algorithm = algorithmOf(c.Algorithm)
	switch {
	case c.Username == nil, c.Nonce == nil, c.URI == nil, c.Response == nil:
		// RFC 7616 §3.4: a missing parameter is a 4xx.
		r.Verdict, r.Reason = Malformed, ReasonMissing
		return false
	case len(c.Nonce) == 0:
		// RFC 8760 §2.7: a client that was not challenged yet leaves nonce and response empty.
		r.Verdict, r.Reason = None, ReasonUnchallenged
		return false
	case !offered(c, algorithms):
		// RFC 8760 §2.3, and the -sess variants, which need a nonce of an earlier request.
		r.Verdict, r.Reason = None, ReasonAlgorithm
		return false
	}
	var err error
	if r.URI, err = sip.ParseURI(c.URI); err != nil {
		r.Verdict, r.Reason = Malformed, ReasonURI
		return false
	}
	return a.readableQOP(c, r)
}

func (a *Authenticator) readableQOP(c *sip.Credentials, r *Result) bool {
	switch {
	case c.QOP == nil:
		// RFC 3261 §22.4 item 8: a client that knows no qop is served.
		return true
	case !isWord(c.QOP, qopAuth) && !(a.authInt && isWord(c.QOP, qopAuthInt)):
		r.Verdict, r.Reason = None, ReasonQOP
		return false
	case c.CNonce == nil || !isCount(c.NC):
		// RFC 2617 §3.2.2, RFC 7616 §3.4: with qop both must be there.
		r.Verdict, r.Reason = Malformed, ReasonCount
		return false
	}
	return true
}

// isCount tells 8LHEX; upper-case digits too.
func isCount(nc []byte) bool {
	_, ok := parseCount(nc)
	return ok
}

func parseCount(nc []byte) (n uint32, ok bool) {
	var b [4]byte
	if len(nc) != hex.EncodedLen(len(b)) {
		return 0, false
	}
	_, err := hex.Decode(b[:], nc)
	return binary.BigEndian.Uint32(b[:]), err == nil
}

// proves compares the response with that of the user. For a user that there is not it does the same
// work with an HA1 of no one.
func (a *Authenticator) proves(s *scratch, c *sip.Credentials, r *Result, req *sip.Request, realm []byte, users Users) bool {
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
func (a *Authenticator) admit(s *scratch, c *sip.Credentials, r *Result, now uint64, req *sip.Request, realm []byte, secure bool) {
	r.Verdict, r.Reason = Stale, ""
	m, ok := a.openNonce(s, c.Nonce, realm)
	if !ok {
		r.Reason = ReasonForeignNonce
		return
	}
	u := use{mint: m, now: now, expired: now >= m.at+a.lifetime, counted: c.QOP != nil, private: secure}
	if u.counted {
		u.nc, _ = parseCount(c.NC)
	}
	if u.counted || !u.private {
		u.print = a.requestKey.print(req.Bytes())
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
