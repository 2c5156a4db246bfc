package sip

import "strconv"

// SyntaxError says what is wrong in a message, and where.
//
// The zero Header means the start-line or the message as a whole. One that [Message.Parse] returned is
// part of the message and is valid until its next Parse.
type SyntaxError struct {
	Header Header // header field that is malformed
	Offset int    // in bytes from the start of what was parsed: the message, or the value alone
	Reason string // what would be right, in few words

	// TooLarge tells that not the grammar but a limit is hurt: RFC 3261 §21.5.7 answers 513.
	TooLarge bool
}

func (e *SyntaxError) Error() string {
	where := "message"
	if e.Header != HeaderNone {
		where = e.Header.String()
	}
	return where + ": " + e.Reason + " at offset " + strconv.Itoa(e.Offset)
}

// Character classes of RFC 3261 §25.1.
const (
	classToken      = 1 << iota // token
	classUser                   // unreserved and user-unreserved: what may stand in a userinfo's user
	classPassword               // what may stand in a password
	classURIParam               // paramchar without escapes
	classURIHeader              // hnv-unreserved and unreserved
	classHost                   // what a hostname or IPv4address is made of
	classAlpha                  // ALPHA
	classDigit                  // DIGIT
	classHex                    // HEXDIG, either case
	classWord                   // word, as Call-ID is made of
	classScheme                 // what may follow the first letter of a scheme
	classLWS                    // SP HTAB and, inside a folded value, CR LF
	classAbsolute               // uric of RFC 2396, without escapes
	classUnreserved             // unreserved
)

var class [256]uint16

func init() {
	add := func(set string, bits uint16) {
		for i := range len(set) {
			class[set[i]] |= bits
		}
	}
	const (
		digits   = "0123456789"
		letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		alphanum = digits + letters
		mark     = "-_.!~*'()"
	)
	add(alphanum+"-.!%*_+`'~", classToken)
	add(alphanum+mark+"&=+$,;?/", classUser)
	add(alphanum+mark+"&=+$,", classPassword)
	add(alphanum+mark+"[]/:&+$", classURIParam)
	add(alphanum+mark+"[]/?:+$", classURIHeader)
	add(alphanum+"-._", classHost)
	add(letters, classAlpha)
	add(digits, classDigit)
	add(digits+"abcdefABCDEF", classHex)
	add(alphanum+"-.!%*_+`'~()<>:\\\"/[]?{}", classWord)
	add(alphanum+"+-.", classScheme)
	add(" \t\r\n", classLWS)
	add(alphanum+mark+";/?:@&=+$,#[]|", classAbsolute)
	add(alphanum+mark, classUnreserved)
}

func is(c byte, bits uint16) bool { return class[c]&bits != 0 }

// all reports whether b is not empty and made of the class alone.
func all(b []byte, bits uint16) bool {
	for _, c := range b {
		if class[c]&bits == 0 {
			return false
		}
	}
	return len(b) > 0
}

// allEscaped is all, with %HH escapes allowed, and empty too.
func allEscaped(b []byte, bits uint16) bool {
	for i := 0; i < len(b); i++ {
		switch {
		case class[b[i]]&bits != 0:
		case b[i] == '%' && i+2 < len(b) && is(b[i+1], classHex) && is(b[i+2], classHex):
			i += 2
		default:
			return false
		}
	}
	return true
}

// skipLWS returns the first offset at or after i that holds no linear white space.
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

// skipToken returns the offset behind the token that starts at i.
func skipToken(b []byte, i int) int {
	for i < len(b) && class[b[i]]&classToken != 0 {
		i++
	}
	return i
}

// skipQuoted returns the offset behind the quoted string that starts at i, or -1 if it never ends.
func skipQuoted(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		case 0:
			return -1
		}
	}
	return -1
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// equalFold compares ASCII text without its case (RFC 3261 §7.3.1).
func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// foldIs is equalFold against a text that is lower-case already.
func foldIs(b []byte, low string) bool {
	if len(b) != len(low) {
		return false
	}
	for i := range b {
		if lower(b[i]) != low[i] {
			return false
		}
	}
	return true
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

// unhex is the value of a HEXDIG.
func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	default:
		return c&^0x20 - 'A' + 10
	}
}
