package sip

import "bytes"

// Equal compares two URIs by RFC 3261 §19.1.4; URIs of other schemes are equal when their bytes are,
// the scheme without its case.
func (u URI) Equal(v URI) bool {
	if u.Scheme != v.Scheme {
		return false
	}
	if u.Scheme == SchemeOther {
		return equalFold(u.SchemeName, v.SchemeName) && bytes.Equal(u.Opaque, v.Opaque)
	}
	// "sip:alice@h" and "sip:h" differ, and so do a port that is left out and one that is the default.
	return (u.User == nil) == (v.User == nil) && (u.Password == nil) == (v.Password == nil) &&
		equalEscaped(u.User, v.User, false) && equalEscaped(u.Password, v.Password, false) &&
		equalHost(u.Host, v.Host) && u.Port == v.Port &&
		equalParams(u.Params, v.Params) && equalParams(v.Params, u.Params) &&
		equalHeaders(u.Headers, v.Headers)
}

// equalHost compares host names without case, and addresses by value: RFC 5954 §4.
func equalHost(a, b []byte) bool {
	if equalFold(a, b) {
		return true
	}
	x, ok := hostAddr(a)
	if !ok {
		return false
	}
	y, ok := hostAddr(b)
	return ok && x == y
}

// equalEscaped compares text in which a character that is not reserved is equal to its escape
// (RFC 3261 §19.1.4, §19.1.2).
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
		// An escaped reserved character is not the same as the character itself (RFC 2396 §2.2).
		if x != y || ex != ey && !is(x, classUnreserved) {
			return false
		}
		i, j = i+nx, j+ny
	}
	return i == len(a) && j == len(b)
}

// nextChar decodes the character at i, with its length and whether it is escaped.
func nextChar(b []byte, i int) (c byte, n int, escaped bool) {
	if b[i] == '%' && i+2 < len(b) && is(b[i+1], classHex) && is(b[i+2], classHex) {
		return unhex(b[i+1])<<4 | unhex(b[i+2]), 3, true
	}
	return b[i], 1, false
}

// equalParams reports whether each parameter of a agrees with b: the same value where both have it, and
// there where it must not be on one side alone.
func equalParams(a, b URIParams) bool {
	for name, value, rest := a.Next(); name != nil; name, value, rest = rest.Next() {
		other, ok := b.byName(name)
		if ok {
			if !equalEscaped(value, other, true) {
				return false
			}
			continue
		}
		// RFC 3261 §19.1.4: user, ttl, method and maddr on one side alone never match. The text names
		// transport in the same list; a URI without it and with it are different in its example too.
		for _, must := range [...]string{"user", "ttl", "method", "maddr", "transport"} {
			if foldIs(name, must) {
				return false
			}
		}
	}
	return true
}

func (p URIParams) byName(name []byte) (value []byte, ok bool) {
	for n, v, rest := p.Next(); n != nil; n, v, rest = rest.Next() {
		if equalEscaped(n, name, true) {
			return v, true
		}
	}
	return nil, false
}

// equalHeaders compares header components: never ignored, in any order.
func equalHeaders(a, b []byte) bool {
	if bytes.Count(a, []byte{'&'}) != bytes.Count(b, []byte{'&'}) || (a == nil) != (b == nil) {
		return false
	}
	return headersWithin(a, b) && headersWithin(b, a)
}

func headersWithin(a, b []byte) bool {
	for len(a) > 0 {
		var one []byte
		one, a = cutHeader(a)
		name, value, _ := bytes.Cut(one, []byte{'='})
		found := false
		for rest := b; len(rest) > 0 && !found; {
			var other []byte
			other, rest = cutHeader(rest)
			n, v, _ := bytes.Cut(other, []byte{'='})
			found = equalEscaped(n, name, true) && equalEscaped(v, value, false)
		}
		if !found {
			return false
		}
	}
	return true
}

func cutHeader(b []byte) (one, rest []byte) {
	one, rest, _ = bytes.Cut(b, []byte{'&'})
	return one, rest
}
