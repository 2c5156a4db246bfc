package sip

// MediaType is the value of a Content-Type, or a media range of an Accept (RFC 3261 §20.1, §20.15).
type MediaType struct {
	Type, Subtype []byte // "*" in a media range stands for any
	Params        Params // from the first semicolon
}

// ParseMediaType reads one media type that takes all of b.
func ParseMediaType(b []byte) (MediaType, error) {
	t, rest, err := NextMediaType(b)
	if err == nil && rest != nil {
		return MediaType{}, &SyntaxError{Header: HeaderContentType, Offset: len(b) - len(rest), Reason: reasonMore}
	}
	return t, err
}

// NextMediaType reads the first value of a comma list, as Accept is, and returns what is behind its comma;
// rest is nil after the last one.
func NextMediaType(b []byte) (t MediaType, rest []byte, err error) {
	rest, at, reason := t.parse(b)
	if reason != "" {
		return MediaType{}, nil, &SyntaxError{Header: HeaderContentType, Offset: at, Reason: reason}
	}
	return t, rest, nil
}

// parse reads m-type SLASH m-subtype *(SEMI m-parameter).
func (t *MediaType) parse(b []byte) (rest []byte, at int, reason string) {
	i := skipLWS(b, 0)
	end := skipToken(b, i)
	slash := skipLWS(b, end)
	if end == i || slash == len(b) || b[slash] != '/' {
		return nil, i, "not a type and slash"
	}
	t.Type = b[i:end]
	i = skipLWS(b, slash+1)
	if end = skipToken(b, i); end == i {
		return nil, i, "no subtype"
	}
	t.Subtype = b[i:end]
	var p paramScan
	if end, reason = p.scan(b, end); reason != "" {
		return nil, end, reason
	}
	t.Params = p.params
	return cutRest(b, end), 0, ""
}

// Covers reports whether t, as a media range, has the type and subtype in it.
func (t *MediaType) Covers(typ, subtype string) bool {
	any := func(b []byte) bool { return len(b) == 1 && b[0] == '*' }
	return any(t.Type) && any(t.Subtype) || foldIs(t.Type, typ) && (any(t.Subtype) || foldIs(t.Subtype, subtype))
}

// Accepts reports whether the sender of m takes a body of the type and subtype, which are lower-case. A
// message without Accept takes application/sdp (RFC 3261 §20.1); one with an empty Accept takes nothing. A
// range with q=0 is none.
func (m *Message) Accepts(typ, subtype string) bool {
	i := m.Index(HeaderAccept)
	if i < 0 {
		return typ == "application" && subtype == "sdp"
	}
	for ; i >= 0; i = m.Next(i) {
		for value := m.slice(&m.fields[i]); value != nil; {
			t, rest, err := NextMediaType(value)
			if err != nil {
				break
			}
			q, there := t.Params.Value("q")
			zero, ok := ParseQ(q)
			if t.Covers(typ, subtype) && !(there && ok && zero == 0) {
				return true
			}
			value = rest
		}
	}
	return false
}
