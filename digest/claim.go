package digest

import "biloxi/sip"

// Claim returns the user whose password Check would compare with the same arguments; false if it would compare none,
// since the request has no credentials for the realm that can be read and were asked for. The username is as
// Result.Username. It costs no look at a user and no hash: it is for who decides whether to check at all.
func (a *Authenticator) Claim(req *sip.Request, h sip.Header, realm []byte, algorithms []sip.Algorithm) (username []byte, ok bool) {
	if len(algorithms) == 0 {
		algorithms = a.algorithms
	}
	var c sip.Credentials
	var r Result
	if !find(&c, &r, req, h, realm, algorithms) || !a.readable(&c, &r, algorithms) {
		return nil, false
	}
	return unescaped(c.Username), true
}
