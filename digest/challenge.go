package digest

import (
	"time"

	"biloxi/sip"
)

// AppendChallenge appends the header fields of a challenge: h, which is WWW-Authenticate or
// Proxy-Authenticate, once for each algorithm in their order, the most preferred first (RFC 8760 §2.3),
// each with its CRLF. They share one new nonce. Empty algorithms: those of the Config. Stale tells the
// client that its password was right, and its nonce was not.
func (a *Authenticator) AppendChallenge(dst []byte, now time.Time, h sip.Header, realm []byte,
	algorithms []sip.Algorithm, stale bool) []byte {
	if len(algorithms) == 0 {
		algorithms = a.algorithms
	}
	s := borrow()
	defer s.release()
	var text [nonceChars]byte
	nonce := a.appendNonce(text[:0], s, a.clock(now), realm)
	for _, algorithm := range algorithms {
		dst = append(dst, h.String()...)
		dst = append(dst, ": Digest realm="...)
		dst = sip.AppendQuoted(dst, realm)
		dst = append(dst, `, nonce="`...)
		dst = append(dst, nonce...)
		// RFC 3261 §22.4 item 8: a challenge always has qop. RFC 7616 §3.3: qop has quotes, algorithm and
		// stale have none.
		dst = append(dst, `", qop="auth`...)
		if a.authInt {
			dst = append(dst, ",auth-int"...)
		}
		dst = append(dst, `", algorithm=`...)
		dst = append(dst, algorithm.String()...)
		if stale {
			dst = append(dst, ", stale=TRUE"...)
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}
