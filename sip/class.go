package sip

// Character classes of RFC 3261 §25.1.
const (
	classToken     = 1 << iota // token
	classUser                  // unreserved and user-unreserved, "#", which phones dial without its escape, and UTF-8
	classPassword              // what may stand in a password, and UTF-8
	classURIParam              // paramchar without escapes, and UTF-8, which some leave as it is
	classURIHeader             // hnv-unreserved and unreserved
	classHost                  // what a hostname or IPv4address is made of, and "_", which some names have
	classAlpha                 // ALPHA
	classDigit                 // DIGIT
	classHex                   // HEXDIG, either case
	classWord                  // word, as Call-ID is made of
	classScheme                // what may follow the first letter of a scheme
	classLWS                   // SP HTAB and, inside a folded value, CR LF
	classAbsolute              // uric of RFC 2396 without escapes, and #[]|, which real URIs have
	classReserved              // reserved of RFC 2396: what is not the same as its escape
	classQuoted                // qdtext with LWS: all but the quote, the backslash and control characters
	classValue                 // gen-value that is no quoted string: token, or host with IPv6
)

// class holds the classes of each byte.
var class = makeClass()

func makeClass() (t [256]uint16) {
	add := func(set string, bits uint16) {
		for i := range len(set) {
			t[set[i]] |= bits
		}
	}
	const (
		digits   = "0123456789"
		letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		alphanum = digits + letters
		mark     = "-_.!~*'()"
		token    = alphanum + "-.!%*_+`'~"
	)
	add(token, classToken|classValue)
	add("[]:", classValue)
	add(alphanum+mark+"&=+$,;?/#", classUser)
	add(alphanum+mark+"&=+$,", classPassword)
	add(alphanum+mark+"[]/:&+$", classURIParam)
	add(alphanum+mark+"[]/?:+$", classURIHeader)
	add(alphanum+"-._", classHost)
	add(letters, classAlpha)
	add(digits, classDigit)
	add(digits+"abcdefABCDEF", classHex)
	add(token+"()<>:\\\"/[]?{}", classWord)
	add(alphanum+"+-.", classScheme)
	add(" \t\r\n", classLWS|classQuoted)
	add(alphanum+mark+";/?:@&=+$,#[]|", classAbsolute)
	add(";/?:@&=+$,", classReserved)
	for c := 0x20; c < 256; c++ {
		if c != '"' && c != '\\' && c != 0x7f {
			t[c] |= classQuoted
		}
		if c >= 0x80 {
			t[c] |= classUser | classPassword | classURIParam
		}
	}
	return t
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

// equalFoldString is equalFold against a string.
func equalFoldString(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if b[i] != s[i] && lower(b[i]) != lower(s[i]) {
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
	for i, c := range b {
		if c != low[i] && lower(c) != low[i] {
			return false
		}
	}
	return true
}
