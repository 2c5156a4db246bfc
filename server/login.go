package server

import (
	"bytes"
	"context"
	"slices"
	"time"

	"biloxi/config"
	"biloxi/digest"
	"biloxi/sip"
	"biloxi/subscriber"
)

// login is one request's digest username as its domain's subscribers have it: user, or user@domain as clients write it
// who have a name for the whole world. It gives the digest check the HA1s of that name.
type login struct {
	domain *domain
	cache  *subscriber.Cache
	user   []byte // of the subscriber; the username itself where it is nobody's
	lacks  bool   // user@domain, and the subscriber has no HA1s for it
}

// HA1 implements digest.Users. A subscriber whose user part is the whole username comes first, so that nobody takes
// the place of another.
func (l *login) HA1(username, realm []byte, a sip.Algorithm, ha1 *[32]byte) bool {
	l.user, l.lacks = username, false
	set, known := l.cache.Lookup(username, l.domain.name)
	if user, ok := cutDomain(username, l.domain.name); ok {
		if at, there := l.cache.LookupAtDomain(user, l.domain.name); there && !known {
			set, known = at, true
			l.user, l.lacks = user, at.Has == 0
		}
	}
	return known && set.Fill(a, ha1)
}

// cutDomain returns the user of user@domain. The domain's case makes no difference for whose name it is, but a digest
// is over the name as it is written.
func cutDomain(username, domain []byte) (user []byte, ok bool) {
	at := len(username) - len(domain) - 1
	if at < 1 || username[at] != '@' || !bytes.EqualFold(username[at+1:], domain) {
		return nil, false
	}
	return username[:at], true
}

// checkCredentials checks the credentials of a request for a domain. The Result's Username is the user, whether it came
// with the domain or not.
func (s *Server) checkCredentials(now time.Time, x *exchange, st *state, d *domain, h sip.Header) digest.Result {
	x.login = login{domain: d, cache: s.subscribers}
	r := st.digest.Check(now, &x.req, h, d.realm, x.flow, d.algorithms, &x.login)
	if x.login.user != nil {
		r.Username = x.login.user
	}
	return r
}

// explain is why credentials are wrong, for the log alone. The peer gets a challenge, whoever it is.
func (l *login) explain(r *digest.Result) string {
	switch {
	case r.Verdict != digest.Wrong || l.user == nil:
	case l.lacks:
		return "user@domain as digest user name, of a subscriber stored before there was a digest for it: biloxi subscriber passwd makes one"
	case r.Reason == digest.ReasonUnknownUser && bytes.IndexByte(l.user, '@') >= 0:
		return "unknown user: a digest user name is the user alone, or user@domain with the domain's own name in lower case"
	}
	return r.Reason
}

// offered are the algorithms that some domain offers.
func offered(domains []config.Domain) (list []sip.Algorithm) {
	for _, d := range domains {
		for _, a := range d.DigestAlgorithms() {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	return list
}

// rememberDigests has the memory of subscribers hold what a new configuration needs beside the old one's: it has the
// digests of the algorithms alone that are offered.
func (s *Server) rememberDigests(old, cfg config.Config) error {
	before := offered(old.Domains)
	if !s.subscribers.Keep(append(offered(cfg.Domains), before...)...) {
		return nil
	}
	if err := s.subscribers.Load(context.Background(), s.store); err != nil {
		s.subscribers.Keep(before...)
		return err
	}
	return nil
}
