package sip

import "bytes"

// URIParams are the parameters of a SIP URI, from their first semicolon: `;transport=tcp;lr`. The zero
// value is an empty list. Names are compared without their case.
type URIParams []byte

// Next returns the first parameter of p and what is behind it; value is nil without "=". At the end name
// is nil.
func (p URIParams) Next() (name, value []byte, rest URIParams) {
	if len(p) == 0 {
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

// Value returns the value of the parameter, and whether it is there. The name is lower-case.
func (p URIParams) Value(name string) (value []byte, ok bool) {
	for n, v, rest := p.Next(); n != nil; n, v, rest = rest.Next() {
		if foldIs(n, name) {
			return v, true
		}
	}
	return nil, false
}

// Has reports whether the parameter is there. The name is lower-case.
func (p URIParams) Has(name string) bool {
	_, ok := p.Value(name)
	return ok
}

// check returns the offset at which p is no list of uri-parameters, or -1.
func (p URIParams) check() int {
	if len(p) > 0 && p[0] != ';' {
		return 0
	}
	for rest := p; len(rest) > 0; {
		name, value, next := rest.Next()
		if len(name) == 0 || !allEscaped(name, classURIParam) ||
			value != nil && (len(value) == 0 || !allEscaped(value, classURIParam)) {
			return len(p) - len(rest)
		}
		rest = next
	}
	return -1
}
