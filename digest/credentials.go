package digest

import (
	"encoding/binary"
	"encoding/hex"
	"slices"

	"biloxi/sip"
)

// find reads the credentials for the realm into c; false if there are none, or none that can be read.
// With several for the realm, those with an offered algorithm count, else the first.
func find(c *sip.Credentials, r *Result, req *sip.Request, h sip.Header, realm []byte,
	algorithms []sip.Algorithm) bool {
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
