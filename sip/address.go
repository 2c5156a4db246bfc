package sip

import "net/netip"

// parseIPv4 reads an IPv4address that takes all of b (RFC 3261 §25.1).
func parseIPv4(b []byte) (a [4]byte, ok bool) {
	i := 0
	for part := range 4 {
		if part > 0 {
			if i == len(b) || b[i] != '.' {
				return a, false
			}
			i++
		}
		end := skipDigits(b, i)
		n, over, ok := parseUint(b[i:end], 255)
		if !ok || over || end-i > 3 {
			return a, false
		}
		a[part], i = byte(n), end
	}
	return a, i == len(b)
}

// parseIPv6 reads an IPv6address that takes all of b. RFC 5118 §4.10: the third colon that the grammar of
// RFC 3261 puts before an IPv4 address behind "::" is passed over.
func parseIPv6(b []byte) (netip.Addr, bool) {
	var a [16]byte
	n, gap := 0, -1 // bytes read, and where the "::" stands among them
	for i := 0; i < len(b); {
		switch {
		case b[i] == ':' && i+1 < len(b) && b[i+1] == ':':
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap, i = n, i+2
			if i < len(b) && b[i] == ':' {
				if _, v4 := parseIPv4(b[i+1:]); v4 {
					i++
				}
			}
			continue
		case b[i] == ':' && n > 0 && n != gap:
			i++
		case n > 0 && n != gap:
			return netip.Addr{}, false
		}
		end := i
		for end < len(b) && is(b[end], classHex) {
			end++
		}
		if end < len(b) && b[end] == '.' {
			v4, ok := parseIPv4(b[i:])
			if !ok || n > 12 {
				return netip.Addr{}, false
			}
			n += copy(a[n:], v4[:])
			break
		}
		if end == i || end-i > 4 || n == len(a) {
			return netip.Addr{}, false
		}
		var group uint16
		for ; i < end; i++ {
			group = group<<4 | uint16(unhex(b[i]))
		}
		a[n], a[n+1] = byte(group>>8), byte(group)
		n += 2
	}
	ok := n == len(a)
	if gap >= 0 {
		ok = fillGap(&a, gap, n)
	}
	return netip.AddrFrom16(a), ok
}

// fillGap puts the zeros that "::" stands for into an address of which n bytes were read; false if there is no
// room for a group of them.
func fillGap(a *[16]byte, gap, n int) bool {
	if n > len(a)-2 {
		return false
	}
	tail := copy(a[len(a)-(n-gap):], a[gap:n])
	clear(a[gap : len(a)-tail])
	return true
}

// hostAddr returns a host as an address, and whether it is one: an IPv4address, or an IPv6reference with
// its brackets.
func hostAddr(host []byte) (netip.Addr, bool) {
	n := len(host)
	switch {
	case n == 0:
		return netip.Addr{}, false
	case host[0] == '[':
		if n < 2 || host[n-1] != ']' {
			return netip.Addr{}, false
		}
		return parseIPv6(host[1 : n-1])
	case !is(host[0], classDigit) || !is(host[n-1], classDigit):
		return netip.Addr{}, false
	}
	a, ok := parseIPv4(host)
	return netip.AddrFrom4(a), ok
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
