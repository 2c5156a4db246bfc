package sip

import "bytes"

// IsTel reports whether u is a tel URI (RFC 3966).
func (u *URI) IsTel() bool {
	return u.Scheme == SchemeOther && equalFoldString(u.SchemeName, "TEL")
}

// Subscriber is the telephone-subscriber of a tel URI, or of a SIP URI with user=phone (RFC 3261 §19.1.6); nil if u is
// neither.
func (u *URI) Subscriber() []byte {
	if u.IsTel() {
		return u.Opaque
	}
	if v, ok := u.Params.Value("user"); ok && u.IsSIP() && equalFoldString(v, "PHONE") {
		return u.User
	}
	return nil
}

// AppendNumber appends the number of a telephone-subscriber as numbers are compared, without its visual separators
// (RFC 3966 §5.1.1, §4), its escapes decoded. context is its phone-context, which a local number needs, nil if it has
// none; it is a part of subscriber. Not ok: it is no number, and nothing is appended.
func AppendNumber(dst, subscriber []byte) (number, context []byte, ok bool) {
	digits, params, _ := bytes.Cut(subscriber, []byte{';'})
	start := len(dst)
	dst = AppendUnescaped(dst, digits)
	kept, some := start, false
	for i, c := range dst[start:] {
		switch {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'F', 'a' <= c && c <= 'f', c == '*', c == '#':
			some = true
		case c == '+' && i == 0:
		case c == '-' || c == '.' || c == '(' || c == ')':
			continue
		default:
			return dst[:start], nil, false
		}
		dst[kept] = c
		kept++
	}
	if !some {
		return dst[:start], nil, false
	}
	for len(params) > 0 {
		var one []byte
		one, params, _ = bytes.Cut(params, []byte{';'})
		if name, value, _ := bytes.Cut(one, []byte{'='}); equalFoldString(name, "PHONE-CONTEXT") {
			context = value
		}
	}
	return dst[:kept], context, true
}
