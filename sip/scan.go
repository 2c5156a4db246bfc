package sip

import "encoding/binary"

// skipLWS returns the first offset at or after i that holds no linear white space. That a CR and LF
// inside a value belong to a fold has been seen to by [Message.Parse].
func skipLWS(b []byte, i int) int {
	for i < len(b) && class[b[i]]&classLWS != 0 {
		i++
	}
	return i
}

// trimLWS returns b without linear white space at its ends.
func trimLWS(b []byte) []byte {
	i, j := skipLWS(b, 0), len(b)
	for j > i && class[b[j-1]]&classLWS != 0 {
		j--
	}
	return b[i:j]
}

// AppendUnfolded appends a value in one line: each fold, with the white space around it, becomes one space
// (RFC 3261 §7.3.1).
func AppendUnfolded(dst, v []byte) []byte {
	start := len(dst)
	for i := 0; i < len(v); i++ {
		if v[i] != '\r' && v[i] != '\n' {
			dst = append(dst, v[i])
			continue
		}
		for n := len(dst); n > start && (dst[n-1] == ' ' || dst[n-1] == '\t'); n-- {
			dst = dst[:n-1]
		}
		dst = append(dst, ' ')
		i = skipLWS(v, i) - 1
	}
	return dst
}

// skipToken returns the offset behind the token that starts at i.
func skipToken(b []byte, i int) int {
	for i < len(b) && class[b[i]]&classToken != 0 {
		i++
	}
	return i
}

// skipDigits returns the offset behind the digits that start at i.
func skipDigits(b []byte, i int) int {
	for i < len(b) && class[b[i]]&classDigit != 0 {
		i++
	}
	return i
}

// skipQuoted returns the offset behind the quoted string that starts at i, or -1 if it never ends or
// holds what must be behind a backslash (RFC 3261 §25.1 quoted-string, quoted-pair; UTF-8 behind one is taken too).
func skipQuoted(b []byte, i int) int {
	for i++; i+8 <= len(b) && allQuoted(binary.LittleEndian.Uint64(b[i:])); i += 8 {
	}
	for ; i < len(b); i++ {
		c := b[i]
		if class[c]&classQuoted != 0 {
			continue
		}
		if c == '"' {
			return i + 1
		}
		if c != '\\' {
			return -1
		}
		if i++; i == len(b) || b[i] == '\r' || b[i] == '\n' {
			return -1
		}
	}
	return -1
}

// allQuoted reports whether each of eight bytes may stand between quotes, and is no white space but a space:
// in one step, since half of the bytes of a REGISTER stand there.
func allQuoted(x uint64) bool {
	const one, high = 0x0101010101010101, 0x8080808080808080
	// (v-one)&^v has a high bit just where some byte of v is 0; with ' ' for one, just where some is below it.
	quote, backslash, del := x^one*'"', x^one*'\\', x^one*0x7f
	return ((x-one*' ')&^x|(quote-one)&^quote|(backslash-one)&^backslash|(del-one)&^del)&high == 0
}

// parseUint reads decimal digits. A value over limit gives limit and over; no digits or others, !ok.
func parseUint(b []byte, limit uint64) (n uint64, over, ok bool) {
	if len(b) == 0 {
		return 0, false, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false, false
		}
		if !over {
			n = n*10 + uint64(c-'0')
			over = n > limit
		}
	}
	if over {
		return limit, true, true
	}
	return n, false, true
}
