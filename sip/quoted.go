package sip

// Unquote returns the text of a quoted string without its quotes and escapes, appended to dst; anything
// else is appended as it is (RFC 3261 §25.1 quoted-string).
func Unquote(dst, v []byte) []byte {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return append(dst, v...)
	}
	v = v[1 : len(v)-1]
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		dst = append(dst, v[i])
	}
	return dst
}

// AppendQuoted appends text as a quoted string. CR and LF, which no quoted string can hold, become
// spaces.
func AppendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '\r' || c == '\n':
			c = ' '
		case !is(c, classQuoted):
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
