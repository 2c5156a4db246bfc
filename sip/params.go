package sip

// Params is a list of parameters as it stands behind a header field's value, from its first semicolon
// (RFC 3261 §25.1 generic-param): `;expires=60;q="x;y"`. The zero value is an empty list. Names are
// compared without their case.
type Params []byte

// Next returns the first parameter of p and what is behind it. The value is without white space around
// it and, for a quoted string, with its quotes; it is nil for a parameter without "=". At the end, or at
// something that is no parameter, name is nil.
func (p Params) Next() (name, value []byte, rest Params) {
	i := skipLWS(p, 0)
	if i >= len(p) || p[i] != ';' {
		return nil, nil, nil
	}
	i = skipLWS(p, i+1)
	end := skipToken(p, i)
	if end == i {
		return nil, nil, nil
	}
	name = p[i:end]
	i = skipLWS(p, end)
	if i >= len(p) || p[i] != '=' {
		return name, nil, p[i:]
	}
	i = skipLWS(p, i+1)
	end = skipParamValue(p, i)
	if end < 0 {
		return nil, nil, nil
	}
	return name, p[i:end], p[skipLWS(p, end):]
}

// skipParamValue returns the offset behind a gen-value: token, host (with the brackets of IPv6) or
// quoted string; -1 if none stands at i.
func skipParamValue(p []byte, i int) int {
	if i < len(p) && p[i] == '"' {
		return skipQuoted(p, i)
	}
	end := i
	for end < len(p) && (is(p[end], classToken) || p[end] == '[' || p[end] == ']' || p[end] == ':') {
		end++
	}
	if end == i {
		return -1
	}
	return end
}

// Value returns the value of the parameter, and whether it is there. The name is lower-case.
func (p Params) Value(name string) (value []byte, ok bool) {
	for n, v, rest := p.Next(); n != nil; n, v, rest = rest.Next() {
		if foldIs(n, name) {
			return v, true
		}
	}
	return nil, false
}

// Has reports whether the parameter is there. The name is lower-case.
func (p Params) Has(name string) bool {
	_, ok := p.Value(name)
	return ok
}

// check returns the offset at which p is no list of parameters, or -1.
func (p Params) check() int {
	rest := p
	for skipLWS(rest, 0) < len(rest) {
		name, _, next := rest.Next()
		if name == nil {
			return len(p) - len(rest)
		}
		rest = next
	}
	return -1
}

// Unquote returns the text of a quoted string without its quotes and escapes, appended to dst; anything
// else is appended as it is.
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

// AppendQuoted appends text as a quoted string (RFC 3261 §25.1).
func AppendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
