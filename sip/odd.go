package sip

// What phones write that the grammar of RFC 3261 §25.1 does not have, and that can be read in one way only, is read so
// (RFC 4475 §3.1.2.15: "infer the missing quotes"). None of this is on the way of a value that is well-formed.

// skipOdd returns the offset after the characters that a parameter may go on with though none of them belongs into a
// token: those of base64, of a GUID in braces, of an address, of UTF-8. What could end the value or begin another for
// somebody else is not among them.
func skipOdd(b []byte, i int) int {
	for i < len(b) && isOdd(b[i]) {
		i++
	}
	return i
}

func isOdd(c byte) bool {
	switch c {
	case ';', ',', '"', '<', '>', '?', '\\', 0x7f:
		return false
	}
	return c > ' '
}

// skipAngled returns the offset after a value in angle brackets, as some write an instance without the quotes around
// it; i if none stands there.
func skipAngled(b []byte, i int) int {
	if i == len(b) || b[i] != '<' {
		return i
	}
	if end := skipOdd(b, i+1); end < len(b) && b[end] == '>' {
		return end + 1
	}
	return i
}

// inferDisplay reads a display name that should stand in quotes, from i up to the bracket of its URI, and returns the
// offset of that; false if there is more than one way to read it.
//
// What could be an addr-spec is not taken for a name: sip:alice@example.com <sip:bob@example.com> is two addresses.
func inferDisplay(b []byte, i int) (display []byte, next int, ok bool) {
	if beginsURI(b[i:]) {
		return nil, 0, false
	}
	for end := i; end < len(b); end++ {
		switch c := b[end]; {
		case c == '<':
			return trimLWS(b[i:end]), end, end > i
		case c == '"':
			if end = skipQuoted(b, end) - 1; end < 0 {
				return nil, 0, false
			}
		case c == '>', c == 0x7f, c < ' ' && !is(c, classLWS), c == '\\' && end+1 < len(b) && b[end+1] == '"':
			return nil, 0, false
		}
	}
	return nil, 0, false
}

// beginsURI reports whether b begins with a scheme, a colon and something that follows it at once.
func beginsURI(b []byte) bool {
	colon := 0
	for colon < len(b) && is(b[colon], classScheme) {
		colon++
	}
	return colon > 0 && colon+1 < len(b) && b[colon] == ':' && !is(b[colon+1], classLWS)
}

// isDisplay reports whether a display name is one of the grammar: a quoted string, or tokens with white space.
func isDisplay(display []byte) bool {
	if len(display) > 0 && display[0] == '"' {
		return skipQuoted(display, 0) == len(display)
	}
	for _, c := range display {
		if !is(c, classToken|classLWS) {
			return false
		}
	}
	return true
}

// appendDisplay appends a display name; one that is none of the grammar in quotes.
func appendDisplay(dst, display []byte) []byte {
	if isDisplay(display) {
		return append(dst, display...)
	}
	return AppendQuoted(dst, AppendUnfolded(nil, display))
}

// appendValue appends the value of a parameter; one that is none of the grammar in quotes.
func appendValue(dst, value []byte) []byte {
	if isValue(value) {
		return AppendUnfolded(dst, value)
	}
	return AppendQuoted(dst, value)
}

// isValue reports whether the value of a parameter is one of the grammar.
func isValue(value []byte) bool {
	return len(value) > 0 && value[0] == '"' || all(value, classValue)
}

// AppendClean appends the value as it stands, where that is well-formed, and else as [NameAddr.Append] does: for who
// copies it into a message of his own.
func (n *NameAddr) AppendClean(dst []byte) []byte {
	if n.clean() {
		return append(dst, n.raw...)
	}
	return n.Append(dst)
}

func (n *NameAddr) clean() bool {
	for i, c := range n.Params {
		if next := skipLWS(n.Params, i+1); c == ';' && next < len(n.Params) && n.Params[next] == ';' {
			return false
		}
	}
	for name, value, rest := n.Params.Next(); name != nil; name, value, rest = rest.Next() {
		if !all(name, classToken) || value != nil && !isValue(value) {
			return false
		}
	}
	return isDisplay(n.Display)
}
