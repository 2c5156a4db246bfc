package client

import (
	"bytes"
	"fmt"
	"slices"

	"biloxi/digest"
	"biloxi/sip"
)

// logins are who we are to those who ask for credentials, and the challenges that we have met.
type logins struct {
	username  []byte
	password  []byte            // nil: none, but for the realms below
	passwords map[string][]byte // of realms that have one of their own
	known     []*login
}

// login is what is known of one realm: its last challenge, and how often its nonce was used.
type login struct {
	header    sip.Header // Authorization, or Proxy-Authorization
	realm     string
	challenge sip.Challenge // its bytes are its own
	nc        uint32
}

// answered notes by realm the challenges that one call has answered, and whether one of them was stale, so
// that it does not go on for ever.
type answered map[string]bool

// passwordFor is the password for a realm, nil if there is none.
func (l *logins) passwordFor(realm string) []byte {
	if own, ok := l.passwords[realm]; ok {
		return own
	}
	return l.password
}

// challenged takes a 401 or 407: it chooses what to answer and keeps it for the next request. An error is
// the cause for which the request is not sent again.
func (l *logins) challenged(m *sip.Message, done answered) error {
	offers := challenges(m)
	if len(offers) == 0 && l.password == nil && len(l.passwords) == 0 {
		return ErrNoPassword
	}
	cause, worthwhile := ErrChallenge, false
	for _, offer := range offers {
		key := offer.header.String() + offer.realm
		before, again := done[key]
		stale := bytes.EqualFold(offer.challenge.Stale, []byte("true"))
		switch {
		case l.passwordFor(offer.realm) == nil:
			cause = fmt.Errorf("%w for the realm %q", ErrNoPassword, printable(offer.realm))
			continue
		case !again:
			// The first challenge of this call. If the request had credentials they were of a nonce
			// from an earlier call: that may be gone, whether or not the server says stale.
		case !stale:
			// RFC 3261 §22.2: credentials that were just refused are not tried again.
			cause = ErrWrongPassword
			continue
		case before:
			cause = ErrStale
			continue
		}
		done[key] = before || stale
		l.keep(offer)
		worthwhile = true
	}
	if !worthwhile {
		return cause
	}
	return nil
}

// challenges returns the strongest challenge of each realm that can be answered.
func challenges(m *sip.Message) (offers []*login) {
	from, to := sip.HeaderWWWAuthenticate, sip.HeaderAuthorization
	if m.StatusCode() == 407 {
		from, to = sip.HeaderProxyAuthenticate, sip.HeaderProxyAuthorization
	}
	for i := m.Index(from); i >= 0; i = m.Next(i) {
		_, _, value := m.Field(i)
		ch, isDigest, err := sip.ParseChallenge(value)
		if err != nil || !isDigest || !digest.CanAnswer(ch) {
			continue
		}
		offer := &login{header: to, realm: string(ch.Realm), challenge: clone(ch)}
		at := slices.IndexFunc(offers, func(o *login) bool { return o.realm == offer.realm })
		switch {
		case at < 0 && len(offers) < maxLogins:
			offers = append(offers, offer)
		case at >= 0 && strength(ch) > strength(offers[at].challenge):
			offers[at] = offer
		}
	}
	return offers
}

// strength orders challenges; none for an algorithm that is not known.
func strength(ch sip.Challenge) sip.Algorithm {
	if ch.Algorithm == nil {
		return sip.MD5 // RFC 3261 §22.4
	}
	return sip.AlgorithmOf(ch.Algorithm)
}

// keep makes offer the login of its realm, in place of an older one, or of the oldest.
func (l *logins) keep(offer *login) {
	l.known = slices.DeleteFunc(l.known, func(o *login) bool {
		return o.header == offer.header && o.realm == offer.realm
	})
	if len(l.known) >= maxLogins {
		l.known = slices.Delete(l.known, 0, 1)
	}
	l.known = append(l.known, offer)
}

// count notes one more request with every nonce.
func (l *logins) count() {
	for _, o := range l.known {
		o.nc++
	}
}

// appendTo writes the credentials for all realms that are known (RFC 3261 §22.2, §22.3), each with the
// present count of its nonce.
func (l *logins) appendTo(dst []byte, method sip.Method, target []byte) []byte {
	for _, o := range l.known {
		dst = digest.AppendAuthorization(dst, o.header, method, target, o.challenge, l.username,
			l.passwordFor(o.realm), o.nc, []byte(random()), nil)
	}
	return dst
}

func clone(ch sip.Challenge) sip.Challenge {
	for _, v := range []*[]byte{&ch.Realm, &ch.Domain, &ch.Nonce, &ch.Opaque, &ch.Stale, &ch.Algorithm, &ch.QOP,
		&ch.Charset, &ch.UserHash} {
		*v = bytes.Clone(*v)
	}
	return ch
}
