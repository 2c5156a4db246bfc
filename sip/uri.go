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
func ParseURI(b []byte) (URI, error) {
	u, at, reason := parseURI(b)
	if reason != "" {
		return URI{}, &SyntaxError{Offset: at, Reason: reason}
	}
	return u, nil
}

func parseURI(b []byte) (u URI, at int, reason string) {
	colon := bytes.IndexByte(b, ':')
	if colon < 1 || !is(b[0], classAlpha) || !all(b[:colon], classScheme) {
		return u, 0, "a URI begins with a scheme and a colon"
	}
	u.raw, u.SchemeName = b, b[:colon]
	switch {
	case foldIs(u.SchemeName, "sip"):
		u.Scheme = SchemeSIP
	case foldIs(u.SchemeName, "sips"):
		u.Scheme = SchemeSIPS
	default:
		u.Scheme, u.Opaque = SchemeOther, b[colon+1:]
		if len(u.Opaque) == 0 || !allEscaped(u.Opaque, classAbsolute) {
			return u, colon + 1, "not the characters of an absolute URI"
		}
		return u, 0, ""
	}
	i := colon + 1
	if sep := bytes.IndexByte(b[i:], '@'); sep >= 0 {
		if reason = u.parseUserinfo(b[i : i+sep]); reason != "" {
			return u, i, reason
		}
		i += sep + 1
	}
	end, reason := u.parseHostport(b, i)
	if reason != "" {
		return u, i, reason
	}
	return u.parseTail(end)
}

// parseUserinfo reads user [":" password].
func (u *URI) parseUserinfo(b []byte) (reason string) {
	u.User = b
	if colon := bytes.IndexByte(b, ':'); colon >= 0 {
		u.User, u.Password = b[:colon], b[colon+1:]
		if !allEscaped(u.Password, classPassword) {
			return "not the characters of a password"
		}
	}
	if len(u.User) == 0 || !allEscaped(u.User, classUser) {
		return "not the characters of a user"
	}
	return ""
}

func (u *URI) parseHostport(b []byte, i int) (end int, reason string) {
	host, port, end, reason := parseHostport(b, i)
	u.Host, u.Port = host, port
	return end, reason
}

// parseTail reads the parameters and headers behind the hostport.
func (u *URI) parseTail(i int) (_ URI, at int, reason string) {
	b := u.raw
	q := bytes.IndexByte(b[i:], '?')
	end := len(b)
	if q >= 0 {
		end = i + q
		u.Headers = b[end+1:]
		if !checkURIHeaders(u.Headers) {
			return *u, end + 1, "not the headers of a SIP URI"
		}
	}
	u.Params = URIParams(b[i:end])
	if bad := u.Params.check(); bad >= 0 {
		return *u, i + bad, "not the parameters of a SIP URI"
	}
	return *u, 0, ""
}

// checkURIHeaders reads hname "=" hvalue *("&" ...).
func checkURIHeaders(b []byte) bool {
	for len(b) > 0 {
		one := b
		if amp := bytes.IndexByte(b, '&'); amp >= 0 {
			one, b = b[:amp], b[amp+1:]
			if len(b) == 0 {
				return false
			}
		} else {
			b = nil
		}
		eq := bytes.IndexByte(one, '=')
		if eq < 1 || !allEscaped(one[:eq], classURIHeader) || !allEscaped(one[eq+1:], classURIHeader) {
			return false
		}
		if b == nil {
			return true
		}
	}
	return false
}

// parseHostport reads host [":" port] at i and returns the offset behind it.
func parseHostport(b []byte, i int) (host []byte, port uint16, end int, reason string) {
	end = i
	if i < len(b) && b[i] == '[' {
		n := bytes.IndexByte(b[i:], ']')
		if n < 0 {
			return nil, 0, i, "an IPv6 reference has no closing bracket"
		}
		end = i + n + 1
		if a, err := netip.ParseAddr(string(b[i+1 : end-1])); err != nil || !a.Is6() || a.Zone() != "" {
			return nil, 0, i, "not an IPv6 address"
		}
	} else {
		for end < len(b) && is(b[end], classHost) {
			end++
		}
		if end == i {
			return nil, 0, i, "no host"
		}
	}
	host = b[i:end]
	if end == len(b) || b[end] != ':' {
		return host, 0, end, ""
	}
	start := end + 1
	for end = start; end < len(b) && is(b[end], classDigit); end++ {
	}
	n, over, ok := parseUint(b[start:end], 65535)
	if !ok || over || n == 0 {
		return nil, 0, i, "not a port"
	}
	return host, uint16(n), end, ""
}

// Raw returns the URI as it was parsed.
func (u URI) Raw() []byte { return u.raw }

// IsZero reports whether u is no URI.
func (u URI) IsZero() bool { return u.Scheme == SchemeNone }

// IsSIP reports whether the scheme is sip or sips.
func (u URI) IsSIP() bool { return u.Scheme == SchemeSIP || u.Scheme == SchemeSIPS }

// Append appends the URI built from its parts, so that a changed part is written.
func (u URI) Append(dst []byte) []byte {
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
func (u URI) HostAddr() (netip.Addr, bool) { return hostAddr(u.Host) }

func hostAddr(host []byte) (netip.Addr, bool) {
	if len(host) > 1 && host[0] == '[' {
		host = host[1 : len(host)-1]
	} else if len(host) == 0 || !is(host[len(host)-1], classDigit) {
		return netip.Addr{}, false
	}
	if len(host) > 45 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(string(host))
	return a, err == nil
}

// AppendUnescaped appends b with its %HH escapes decoded (RFC 3261 §19.1.2).
func AppendUnescaped(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) && is(b[i+1], classHex) && is(b[i+2], classHex) {
			dst = append(dst, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
			continue
		}
		dst = append(dst, b[i])
	}
	return dst
}

// AppendLower appends b with its ASCII letters in lower case, as hosts are compared.
func AppendLower(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, lower(c))
	}
	return dst
}
