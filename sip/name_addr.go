package sip

import "bytes"

// NameAddr is the value of From, To, Contact, Route, Record-Route, Path and their like: name-addr or
// addr-spec, with header parameters (RFC 3261 §20.10, §25.1).
type NameAddr struct {
	Display []byte // display name as written, a quoted string with its quotes, others as they are; nil if there is none
	URI     URI
	Params  Params // behind the URI, from the first semicolon
	tag     []byte // found while Params were read
	blank   int    // likewise: where in raw the value of a tag without one would stand, 0 if there is no such tag
	raw     []byte
}

// Raw returns the value as it was parsed, without white space at its ends.
func (n *NameAddr) Raw() []byte { return n.raw }

// ParseNameAddr reads one name-addr or addr-spec that takes all of b.
func ParseNameAddr(b []byte) (n NameAddr, err error) {
	if at, reason := n.parseOne(b); reason != "" {
		return NameAddr{}, &SyntaxError{Offset: at, Reason: reason}
	}
	return n, nil
}

// NextNameAddr reads the first value of a comma list and returns what is behind its comma; rest is nil
// after the last one.
func NextNameAddr(b []byte) (n NameAddr, rest []byte, err error) {
	rest, at, reason := n.parse(b)
	if reason != "" {
		return NameAddr{}, nil, &SyntaxError{Offset: at, Reason: reason}
	}
	return n, rest, nil
}

// parseOne reads a value that takes all of b into n, which is zero.
func (n *NameAddr) parseOne(b []byte) (at int, reason string) {
	rest, at, reason := n.parse(b)
	if rest != nil {
		return len(b) - len(rest), reasonMore
	}
	if reason == "" && is(b[len(b)-1], classLWS|classReserved) {
		// RFC 3261 §20.20: it is no list.
		if value := trimLWS(b); value[len(value)-1] == ',' {
			return skipLWS(b, 0) + len(value) - 1, reasonNothing
		}
	}
	return at, reason
}

// parse reads the first value of a comma list into n, which is zero.
func (n *NameAddr) parse(b []byte) (rest []byte, at int, reason string) {
	start := skipLWS(b, 0)
	end, reason := n.parseAddress(b, start)
	if reason != "" {
		return nil, end, reason
	}
	p := paramScan{want: "tag", angled: b[end-1] == '>'}
	if end, reason = p.scan(b, end); reason != "" {
		return nil, end, reason
	}
	n.Params, n.tag, n.raw = p.params, p.value, b[start:p.end]
	if p.blank > 0 {
		n.blank = p.blank - start
	}
	return cutRest(b, end), 0, ""
}

// parseAddress reads name-addr or addr-spec at i, and returns the offset after it, or where it is wrong.
func (n *NameAddr) parseAddress(b []byte, i int) (end int, reason string) {
	next, reason := n.parseDisplay(b, i)
	if reason == "" && (next == len(b) || b[next] != '<') {
		if end, reason = n.parseAddrSpec(b, next); reason == "" {
			return end, ""
		}
		next = end
	}
	if reason != "" {
		display, bracket, ok := inferDisplay(b, i)
		if !ok {
			return next, reason
		}
		n.Display, n.URI, next = display, URI{}, bracket
	}
	next++
	size := bytes.IndexByte(b[next:], '>')
	if size < 0 {
		return next - 1, "no bracket closes the URI"
	}
	at, reason := n.URI.parse(b[next : next+size])
	if reason != "" {
		return next + at, reason
	}
	return next + size + 1, ""
}

// parseDisplay reads [ display-name ] before "<" and returns the offset of what follows it.
func (n *NameAddr) parseDisplay(b []byte, i int) (next int, reason string) {
	if i == len(b) || b[i] == '<' {
		return i, ""
	}
	if b[i] == '"' {
		end := skipQuoted(b, i)
		if end < 0 {
			return i, "a quoted string has no end"
		}
		n.Display = b[i:end]
		if next = skipLWS(b, end); next == len(b) || b[next] != '<' {
			return next, "no URI in brackets behind the display name"
		}
		return next, ""
	}
	// *(token LWS): told from an addr-spec by the "<" that must follow.
	end, last := i, i
	for end < len(b) && class[b[end]]&(classToken|classLWS) != 0 {
		if class[b[end]]&classToken != 0 {
			last = end + 1
		}
		end++
	}
	if end < len(b) && b[end] == '<' {
		n.Display = b[i:last]
		return end, ""
	}
	return i, ""
}

// parseAddrSpec reads an addr-spec at i, and returns the offset behind it, or where it is wrong.
//
// RFC 3261 §20: without brackets the comma, the question mark and the semicolon end the URI, and what
// parameters follow are the header field's.
func (n *NameAddr) parseAddrSpec(b []byte, i int) (end int, reason string) {
	for end = i; end < len(b) && b[end] != ';' && b[end] != ',' && class[b[end]]&classLWS == 0; end++ {
		if b[end] == '?' {
			return end, "a URI with a question mark must stand in brackets"
		}
	}
	if at, reason := n.URI.parse(b[i:end]); reason != "" {
		return i + at, reason
	}
	return end, ""
}

// Tag returns the tag parameter of a From or To (RFC 3261 §19.3), nil if there is none.
func (n *NameAddr) Tag() []byte { return n.tag }

// Q returns the q parameter of a Contact (RFC 3261 §20.10); 1000 if it is not there or malformed.
func (n *NameAddr) Q() (q Q, p Presence) {
	v, there := n.Params.Value("q")
	q, ok := ParseQ(v)
	if !ok {
		q = 1000
	}
	return q, presence(there, ok)
}

// Expires returns the expires parameter of a Contact (RFC 3261 §20.10).
func (n *NameAddr) Expires() (seconds uint32, p Presence) {
	v, there := n.Params.Value("expires")
	seconds, ok := ParseDeltaSeconds(v)
	return seconds, presence(there, ok)
}

// Append appends the value as name-addr, built from its parts: what should have stood in quotes does.
func (n *NameAddr) Append(dst []byte) []byte {
	if n.Display != nil {
		dst = appendDisplay(dst, n.Display)
		dst = append(dst, ' ')
	}
	dst = append(dst, '<')
	dst = n.URI.Append(dst)
	dst = append(dst, '>')
	return n.Params.AppendWithout(dst)
}
