package sip

import "bytes"

// NameAddr is the value of From, To, Contact, Route, Record-Route, Path and their like: name-addr or
// addr-spec, with header parameters (RFC 3261 §20.10, §25.1).
type NameAddr struct {
	Display []byte // display name as written, a quoted string with its quotes; nil if there is none
	URI     URI
	Params  Params // behind the URI, from the first semicolon
	raw     []byte
}

// Raw returns the value as it was parsed, without white space at its ends.
func (n NameAddr) Raw() []byte { return n.raw }

// ParseNameAddr reads one name-addr or addr-spec that takes all of b.
func ParseNameAddr(b []byte) (NameAddr, error) {
	n, rest, at, reason := nextNameAddr(b)
	if reason == "" && rest != nil {
		at, reason = len(b)-len(rest), "more than one value"
	}
	if reason != "" {
		return NameAddr{}, &SyntaxError{Offset: at, Reason: reason}
	}
	return n, nil
}

// NextNameAddr reads the first value of a comma list and returns what is behind its comma; rest is nil
// after the last one.
func NextNameAddr(b []byte) (n NameAddr, rest []byte, err error) {
	n, rest, at, reason := nextNameAddr(b)
	if reason != "" {
		return NameAddr{}, nil, &SyntaxError{Offset: at, Reason: reason}
	}
	return n, rest, nil
}

func nextNameAddr(b []byte) (n NameAddr, rest []byte, at int, reason string) {
	start := skipLWS(b, 0)
	i, reason := n.parseDisplay(b, start)
	if reason != "" {
		return n, nil, i, reason
	}
	if i < len(b) && b[i] == '<' {
		end := bytes.IndexByte(b[i:], '>')
		if end < 0 {
			return n, nil, i, "no > ends the URI"
		}
		if n.URI, at, reason = parseURI(b[i+1 : i+end]); reason != "" {
			return n, nil, i + 1 + at, reason
		}
		i += end + 1
	} else {
		// RFC 3261 §20: in an addr-spec without brackets the comma, the question mark and the
		// semicolon end the URI, and parameters are the header field's.
		end := i
		for end < len(b) && b[end] != ';' && b[end] != ',' && !is(b[end], classLWS) {
			end++
		}
		if n.Display != nil {
			return n, nil, i, "no < behind the display name"
		}
		if n.URI, at, reason = parseURI(b[i:end]); reason != "" {
			return n, nil, i + at, reason
		}
		if n.URI.Headers != nil {
			return n, nil, i, "a URI with a question mark must be enclosed in <>"
		}
		i = end
	}
	end, reason := n.parseParams(b, i)
	if reason != "" {
		return n, nil, end, reason
	}
	n.raw = trimLWS(b[start:end])
	if end < len(b) { // a comma
		rest = b[end+1:]
		if skipLWS(rest, 0) == len(rest) {
			return n, nil, end, "nothing behind the comma"
		}
	}
	return n, rest, 0, ""
}

// parseDisplay reads [ display-name ] before "<" and returns the offset of what follows it.
func (n *NameAddr) parseDisplay(b []byte, i int) (next int, reason string) {
	if i < len(b) && b[i] == '"' {
		end := skipQuoted(b, i)
		if end < 0 {
			return i, "a quoted string has no end"
		}
		n.Display = b[i:end]
		return skipLWS(b, end), ""
	}
	// *(token LWS): told from an addr-spec by the "<" that must follow.
	end, last := i, i
	for end < len(b) && (is(b[end], classToken) || is(b[end], classLWS)) {
		if !is(b[end], classLWS) {
			last = end + 1
		}
		end++
	}
	if end < len(b) && b[end] == '<' {
		if last > i {
			n.Display = b[i:last]
		}
		return end, ""
	}
	return i, ""
}

// parseParams reads the header parameters up to a comma or the end, and returns the offset of that.
func (n *NameAddr) parseParams(b []byte, i int) (end int, reason string) {
	start := skipLWS(b, i)
	end = start
	for end < len(b) && b[end] != ',' {
		if b[end] == '"' {
			if end = skipQuoted(b, end); end < 0 {
				return i, "a quoted string has no end"
			}
			continue
		}
		end++
	}
	n.Params = Params(trimLWS(b[start:end]))
	if bad := n.Params.check(); bad >= 0 {
		return start + bad, "not a parameter"
	}
	return end, ""
}

// Tag returns the tag parameter of a From or To (RFC 3261 §19.3), nil if there is none.
func (n NameAddr) Tag() []byte {
	v, _ := n.Params.Value("tag")
	return v
}

// Append appends the value as name-addr, built from its parts.
func (n NameAddr) Append(dst []byte) []byte {
	if n.Display != nil {
		dst = append(dst, n.Display...)
		dst = append(dst, ' ')
	}
	dst = append(dst, '<')
	dst = n.URI.Append(dst)
	dst = append(dst, '>')
	return append(dst, n.Params...)
}
