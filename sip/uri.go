package sip

import (
	"bytes"
	"net/netip"
)

// Scheme tells the schemes of RFC 3261 from all others.
type Scheme uint8

// The schemes. SchemeOther is any absolute URI: tel, mailto, http, urn.
const (
	SchemeNone Scheme = iota
	SchemeSIP
	SchemeSIPS
	SchemeOther
)

// URI is a SIP, SIPS or other absolute URI (RFC 3261 §19.1), decoded as slices of what was parsed. The
// zero URI is none.
type URI struct {
	Scheme     Scheme
	SchemeName []byte    // as written: "sip", "SIPS", "mailto"
	User       []byte    // with its escapes; nil if there is no userinfo
	Password   []byte    // with its escapes; nil if there is none
	Host       []byte    // hostname, IPv4address, or IPv6reference with its brackets
	Port       uint16    // 0 if there is none
	Params     URIParams // from the first semicolon; empty if there are none
	Headers    []byte    // behind the question mark; nil if there is none
	Opaque     []byte    // of any other scheme: all behind its colon
	raw        []byte
}

// ParseURI reads a URI that takes all of b, as a Request-URI does or what stands between "<" and ">".
func ParseURI(b []byte) (u URI, err error) {
	if at, reason := u.parse(b); reason != "" {
		return URI{}, &SyntaxError{Offset: at, Reason: reason}
	}
	return u, nil
}

// parse reads a URI that takes all of b into u, which is zero.
func (u *URI) parse(b []byte) (at int, reason string) {
	i := u.parseScheme(b)
	if u.Scheme == SchemeOther || u.Scheme == SchemeNone {
		return u.parseOther(b)
	}
	u.raw = b
	if size := bytes.IndexByte(b[i:], '@'); size >= 0 {
		if at, reason = u.parseUserinfo(b, i, i+size); reason != "" {
			return at, reason
		}
		i += size + 1
	}
	end, reason := parseHost(b, i)
	if reason != "" {
		return i, reason
	}
	u.Host = b[i:end]
	if end < len(b) && b[end] == ':' {
		if u.Port, end, reason = parsePort(b, end+1); reason != "" {
			return end, reason
		}
	}
	if end == len(b) {
		return 0, ""
	}
	i = end
	if end, reason = scanURIParams(b, i); reason != "" {
		return end, reason
	}
	u.Params = URIParams(b[i:end])
	if end == len(b) {
		return 0, ""
	}
	u.Headers = b[end+1:]
	if at, reason = checkURIHeaders(u.Headers); reason != "" {
		return end + 1 + at, reason
	}
	return 0, ""
}

// parseScheme tells sip and sips apart from the rest, and returns the offset behind their colon.
func (u *URI) parseScheme(b []byte) (next int) {
	switch {
	case len(b) > 3 && b[3] == ':' && foldIs(b[:3], "sip"):
		u.Scheme, next = SchemeSIP, 4
	case len(b) > 4 && b[4] == ':' && foldIs(b[:4], "sips"):
		u.Scheme, next = SchemeSIPS, 5
	default:
		u.Scheme = SchemeOther
		return 0
	}
	u.SchemeName = b[:next-1]
	return next
}

// parseOther reads an absoluteURI: a scheme, a colon and what RFC 2396 lets stand behind it.
func (u *URI) parseOther(b []byte) (at int, reason string) {
	colon := 0
	for colon < len(b) && is(b[colon], classScheme) {
		colon++
	}
	if colon == 0 || colon == len(b) || b[colon] != ':' || !is(b[0], classAlpha) {
		return 0, "a URI begins with a scheme and a colon"
	}
	u.raw, u.SchemeName, u.Opaque = b, b[:colon], b[colon+1:]
	end := skipEscaped(b, colon+1, classAbsolute)
	if end < len(b) || len(u.Opaque) == 0 {
		return end, "not the characters of an absolute URI"
	}
	return 0, ""
}

// parseUserinfo reads user [":" password] in b[i:end].
func (u *URI) parseUserinfo(b []byte, i, end int) (at int, reason string) {
	at = skipEscaped(b[:end], i, classUser)
	u.User = b[i:at]
	if at == i {
		return at, "no user before the @"
	}
	if at < end && b[at] == ':' {
		i = at + 1
		at = skipEscaped(b[:end], i, classPassword)
		u.Password = b[i:at]
	}
	if at < end {
		return at, "not the characters of a user and password"
	}
	return 0, ""
}

// Raw returns the URI as it was parsed.
func (u *URI) Raw() []byte { return u.raw }

// IsZero reports whether u is no URI.
func (u *URI) IsZero() bool { return u.Scheme == SchemeNone }

// IsSIP reports whether the scheme is sip or sips.
func (u *URI) IsSIP() bool { return u.Scheme == SchemeSIP || u.Scheme == SchemeSIPS }

// Append appends the URI built from its parts, so that a changed part is written.
func (u *URI) Append(dst []byte) []byte {
	dst = append(dst, u.SchemeName...)
	dst = append(dst, ':')
	if u.Scheme == SchemeOther {
		return append(dst, u.Opaque...)
	}
	if u.User != nil {
		dst = append(dst, u.User...)
		if u.Password != nil {
			dst = append(dst, ':')
			dst = append(dst, u.Password...)
		}
		dst = append(dst, '@')
	}
	dst = append(dst, u.Host...)
	if u.Port != 0 {
		dst = append(dst, ':')
		dst = appendUint(dst, uint64(u.Port))
	}
	dst = append(dst, u.Params...)
	if u.Headers != nil {
		dst = append(dst, '?')
		dst = append(dst, u.Headers...)
	}
	return dst
}

// HostAddr returns the host as an address, and whether it is one (RFC 3261 §25.1 IPv4address,
// IPv6reference).
func (u *URI) HostAddr() (netip.Addr, bool) { return hostAddr(u.Host) }
