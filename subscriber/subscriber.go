package subscriber

import (
	"time"

	"biloxi/sip"
)

// Domain is a name that is served, and the realm that its subscribers authenticate for (RFC 3261 §22.1).
type Domain struct {
	Name  string // canonical, see CanonicalDomain
	Realm string
}

// HA1s are the hashes that stand for a password: H(A1) of username, realm and password for each algorithm
// (RFC 7616 §3.4.2). The zero value has none. Whoever has one can authenticate with it: it is as secret as
// the password, for its realm.
type HA1s struct {
	MD5        [16]byte
	SHA256     [32]byte
	SHA512_256 [32]byte
	Has        uint8 // bit 1<<algorithm: it is there
}

// HasAlgorithm reports whether the hash of an algorithm is there.
func (h *HA1s) HasAlgorithm(a sip.Algorithm) bool { return a.Size() > 0 && h.Has&(1<<a) != 0 }

// Fill copies the hash of an algorithm into the first a.Size() bytes of ha1; false if it is not there.
func (h *HA1s) Fill(a sip.Algorithm, ha1 *[32]byte) bool {
	return h.HasAlgorithm(a) && copy(ha1[:], h.of(a)) > 0
}

// Set takes the hash of an algorithm from the first a.Size() bytes of ha1. It does nothing for an
// algorithm that is none.
func (h *HA1s) Set(a sip.Algorithm, ha1 []byte) {
	if a.Size() == 0 || len(ha1) < a.Size() {
		return
	}
	copy(h.of(a), ha1[:a.Size()])
	h.Has |= 1 << a
}

// Of returns the hash of an algorithm, nil if it is not there; a slice of h.
func (h *HA1s) Of(a sip.Algorithm) []byte {
	if !h.HasAlgorithm(a) {
		return nil
	}
	return h.of(a)
}

func (h *HA1s) of(a sip.Algorithm) []byte {
	switch a {
	case sip.MD5:
		return h.MD5[:]
	case sip.SHA256:
		return h.SHA256[:]
	case sip.SHA512_256:
		return h.SHA512_256[:]
	}
	return nil
}

// Subscriber is a user of a domain. The AOR is sip:User@Domain. The digest username is User or, from clients that
// have a name for the whole world, User@Domain: the hashes cover the name, so each has its own.
type Subscriber struct {
	User     string // without URI escapes; case counts (RFC 3261 §19.1.4)
	Domain   string // canonical, see CanonicalDomain
	Realm    string // that the hashes were made for
	HA1s     HA1s   // for the username User
	AtDomain HA1s   // for User@Domain; none where hashes were given instead of a password, or before there were any

	// Created and Changed are the store's: it sets them, to the millisecond, whatever it is given.
	Created, Changed time.Time
}

// AtDomain returns the other digest username of a user.
func AtDomain(user, domain string) string { return user + "@" + domain }

// AOR returns the address of record as a URI.
func (s *Subscriber) AOR() string { return string(AppendAOR(nil, s.User, s.Domain)) }
