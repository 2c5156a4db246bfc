package sip

import "bytes"

// parseHost reads a hostname, IPv4address or IPv6reference at i and returns the offset behind it.
func parseHost(b []byte, i int) (end int, reason string) {
	end = i
	for end < len(b) && class[b[end]]&classHost != 0 {
		end++
	}
	if end > i {
		return end, ""
	}
	if i == len(b) || b[i] != '[' {
		return i, "no host"
	}
	n := bytes.IndexByte(b[i:], ']')
	if n < 0 {
		return i, "an IPv6 reference has no closing bracket"
	}
	end = i + n + 1
	if _, ok := parseIPv6(b[i+1 : end-1]); !ok {
		return i, "not an IPv6 address"
	}
	return end, ""
}

// parsePort reads 1*DIGIT at i, in 1-65535, and returns the offset behind it.
func parsePort(b []byte, i int) (port uint16, end int, reason string) {
	end = skipDigits(b, i)
	n, over, ok := parseUint(b[i:end], 65535)
	if !ok || over || n == 0 {
		return 0, i, "not a port"
	}
	return uint16(n), end, ""
}
