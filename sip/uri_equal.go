package sip

import "bytes"

// Equal compares two URIs by RFC 3261 §19.1.4; URIs of other schemes are equal when their bytes are,
// the scheme without its case. Equality is not transitive: the section has an example.
func (u *URI) Equal(v URI) bool {
	if u.Scheme != v.Scheme {
		return false
	}
	if u.Scheme == SchemeOther {
		return equalFold(u.SchemeName, v.SchemeName) && bytes.Equal(u.Opaque, v.Opaque)
	}
	// A URI that leaves out user, password or port does not match one that has it, be it the default.
	return u.Port == v.Port &&
		(u.User == nil) == (v.User == nil) && equalEscaped(u.User, v.User, false) &&
		(u.Password == nil) == (v.Password == nil) && equalEscaped(u.Password, v.Password, false) &&
		equalHost(u.Host, v.Host) &&
		agreeParams(u.Params, v.Params) && agreeParams(v.Params, u.Params) &&
		equalURIHeaders(u.Headers, v.Headers)
}

// equalEscaped compares text in which a character is equal to its escape, but for those that are reserved
// (RFC 3261 §19.1.4, RFC 2396 §2.2).
func equalEscaped(a, b []byte, fold bool) bool {
	if bytes.Equal(a, b) {
		return true
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		x, nx, ex := nextChar(a, i)
		y, ny, ey := nextChar(b, j)
		if fold {
			x, y = lower(x), lower(y)
		}
		if x != y || ex != ey && is(x, classReserved) {
			return false
		}
		i, j = i+nx, j+ny
	}
	return i == len(a) && j == len(b)
}

// nextChar decodes the character at i, with its length and whether it is escaped.
func nextChar(b []byte, i int) (c byte, n int, escaped bool) {
	if escapedAt(b, i) {
		return unhex(b[i+1])<<4 | unhex(b[i+2]), 3, true
	}
	return b[i], 1, false
}

// agreeParams reports whether each parameter of a agrees with b: the same value where both have it, and
// nothing that must not stand on one side alone.
func agreeParams(a, b URIParams) bool {
	for name, value, rest := a.Next(); name != nil; name, value, rest = rest.Next() {
		other, ok := b.byName(name)
		if ok && ((value == nil) != (other == nil) || !equalEscaped(value, other, true)) || !ok && matters(name) {
			return false
		}
	}
	return true
}

// matters tells the parameters that never match where only one URI has them: user, ttl, method and maddr,
// and transport, which the section has among the components with a default and in its examples.
func matters(name []byte) bool {
	for _, s := range [...]string{"user", "ttl", "method", "maddr", "transport"} {
		if equalEscaped(name, []byte(s), true) {
			return true
		}
	}
	return false
}

func (p URIParams) byName(name []byte) (value []byte, ok bool) {
	for n, v, rest := p.Next(); n != nil; n, v, rest = rest.Next() {
		if equalEscaped(n, name, true) {
			return v, true
		}
	}
	return nil, false
}
