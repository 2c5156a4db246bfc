package sip

import "bytes"

// checkURIHeaders reads the headers of a SIP URI, hname "=" hvalue *("&" hname "=" hvalue), all of b.
func checkURIHeaders(b []byte) (at int, reason string) {
	count := 0
	for i := 0; ; i++ {
		end := skipEscaped(b, i, classURIHeader)
		if end == i || end == len(b) || b[end] != '=' {
			return end, "not a header name and = in a SIP URI"
		}
		i = skipEscaped(b, end+1, classURIHeader)
		if count++; count > MaxParams {
			return i, "too many headers in a SIP URI"
		}
		if i == len(b) {
			return 0, ""
		}
		if b[i] != '&' {
			return i, "not a header of a SIP URI"
		}
	}
}

// equalURIHeaders compares the headers of two URIs: never ignored, in any order (RFC 3261 §19.1.4). Field
// values are compared without their case, as §7.3.1 has it where a header field does not say otherwise.
func equalURIHeaders(a, b []byte) bool {
	if (a == nil) != (b == nil) || bytes.Count(a, ampersand) != bytes.Count(b, ampersand) {
		return false
	}
	var used uint64 // the headers of b that have met theirs in a; there are at most MaxParams
	for len(a) > 0 {
		var one []byte
		one, a, _ = bytes.Cut(a, ampersand)
		i := findURIHeader(b, one, used)
		if i < 0 {
			return false
		}
		used |= 1 << i
	}
	return true
}

var ampersand = []byte{'&'}

// findURIHeader returns the index in b of a header that is equal to one and not in used, or -1.
func findURIHeader(b, one []byte, used uint64) int {
	name, value, _ := bytes.Cut(one, []byte{'='})
	for i := 0; len(b) > 0; i++ {
		var other []byte
		other, b, _ = bytes.Cut(b, ampersand)
		n, v, _ := bytes.Cut(other, []byte{'='})
		if used&(1<<i) == 0 && equalEscaped(n, name, true) && equalEscaped(v, value, true) {
			return i
		}
	}
	return -1
}
