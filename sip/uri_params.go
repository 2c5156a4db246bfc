package sip

import "bytes"

// URIParams are the parameters of a SIP URI, from their first semicolon: `;transport=tcp;lr`. The zero
// value is an empty list. Names are compared without their case.
type URIParams []byte

// Next returns the first parameter of p and what is behind it; value is nil without "=". At the end name
// is nil. A semicolon that no parameter follows is passed over.
func (p URIParams) Next() (name, value []byte, rest URIParams) {
	for len(p) > 1 && p[1] == ';' {
		p = p[1:]
	}
	if len(p) < 2 {
		return nil, nil, nil
	}
	one := p[1:]
	if end := bytes.IndexByte(one, ';'); end >= 0 {
		one, rest = one[:end], one[end:]
	}
	if eq := bytes.IndexByte(one, '='); eq >= 0 {
		return one[:eq], one[eq+1:], rest
	}
	return one, nil, rest
}

// Value returns the value of the parameter, and whether it has one: a transport or maddr with nothing after its "=" says
// nothing. The name is lower-case.
func (p URIParams) Value(name string) (value []byte, ok bool) {
	value, _ = p.find(name)
	return value, len(value) > 0
}

// Has reports whether the parameter is there, with a value or without. The name is lower-case.
func (p URIParams) Has(name string) bool {
	_, ok := p.find(name)
	return ok
}

func (p URIParams) find(name string) (value []byte, ok bool) {
	for n, v, rest := p.Next(); n != nil; n, v, rest = rest.Next() {
		if foldIs(n, name) {
			return v, true
		}
	}
	return nil, false
}

// scanURIParams reads uri-parameters at i and returns the offset of the question mark or end behind
// them. A reason goes with the offset at which they are wrong.
func scanURIParams(b []byte, i int) (next int, reason string) {
	start := i
	var seen names
	for i < len(b) && b[i] == ';' {
		name := i + 1
		end := skipEscaped(b, name, classURIParam)
		if end == name {
			if i = name; i < len(b) && b[i] != ';' && b[i] != '?' {
				return name, "a URI parameter has no name"
			}
			continue // a semicolon that no parameter follows
		}
		// RFC 3261 §19.1.1: a parameter name stands once.
		if reason := seen.addURI(URIParams(b[start:i]), b[name:end]); reason != "" {
			return name, reason
		}
		if end < len(b) && b[end] == '=' {
			end = skipURIValue(b, end+1)
		}
		i = end
	}
	if i < len(b) && b[i] != '?' {
		return i, "not a parameter of a SIP URI"
	}
	return i, ""
}

// skipURIValue returns the offset after the value of a URI parameter, which may be empty. It may have the padding of
// base64, as tokens of push services do.
func skipURIValue(b []byte, i int) int {
	for i = skipEscaped(b, i, classURIParam); i < len(b) && b[i] == '='; {
		i = skipEscaped(b, i+1, classURIParam)
	}
	return i
}

// addURI is add for the parameters of a URI.
func (s *names) addURI(before URIParams, name []byte) (reason string) {
	if s.note(name) {
		for n, _, rest := before.Next(); n != nil; n, _, rest = rest.Next() {
			if equalFold(n, name) {
				return reasonDuplicate
			}
		}
	}
	if s.count > MaxParams {
		return reasonTooMany
	}
	return ""
}
