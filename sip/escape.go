package sip

import "encoding/binary"

// escapedAt reports whether b[i:] begins with an escape, "%" HEXDIG HEXDIG (RFC 3261 §25.1).
func escapedAt(b []byte, i int) bool {
	return i+2 < len(b) && b[i] == '%' && is(b[i+1], classHex) && is(b[i+2], classHex)
}

// skipEscaped returns the first offset at or after i that holds neither a character of the class nor an
// escape.
func skipEscaped(b []byte, i int, bits uint16) int {
	for i < len(b) {
		switch {
		case class[b[i]]&bits != 0:
			i++
		case escapedAt(b, i):
			i += 3
		default:
			return i
		}
	}
	return i
}

// unhex is the value of a HEXDIG.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// AppendUnescaped appends b with its %HH escapes decoded, once (RFC 3261 §19.1.2).
func AppendUnescaped(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if escapedAt(b, i) {
			dst = append(dst, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
			continue
		}
		dst = append(dst, b[i])
	}
	return dst
}

// AppendEscapedUser appends text as the user of a URI: what may not stand there is escaped (RFC 3261
// §19.1.2). It is the inverse of [AppendUnescaped] on a user.
func AppendEscapedUser(dst, text []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range text {
		if is(c, classUser) && c != '#' && c < 0x80 {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', hex[c>>4], hex[c&15])
	}
	return dst
}

// AppendLower appends b with its ASCII letters in lower case, as hosts and branches are compared.
func AppendLower(dst, b []byte) []byte {
	start := len(dst)
	dst = append(dst, b...)
	rest := dst[start:]
	for ; len(rest) >= 8; rest = rest[8:] {
		binary.LittleEndian.PutUint64(rest, lowerEight(binary.LittleEndian.Uint64(rest)))
	}
	for i, c := range rest {
		rest[i] = lower(c)
	}
	return dst
}

// lowerEight is lower for eight bytes in one step: each transaction is found by a text in lower case.
func lowerEight(x uint64) uint64 {
	const one, high = 0x0101010101010101, 0x8080808080808080
	low := x &^ high // so that no sum below goes over into the next byte
	upper := (low + (0x80-'A')*one) &^ (low + (0x7f-'Z')*one) &^ x & high
	return x | upper>>2 // 0x20 where an upper-case letter stands
}
