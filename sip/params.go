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
	end = skipValue(p, i)
	if end < 0 {
		return nil, nil, nil
	}
	return name, p[i:end], p[skipLWS(p, end):]
}

// skipValue returns the offset behind a gen-value: token, host (with the brackets of IPv6) or quoted
// string; -1 if none stands at i.
func skipValue(p []byte, i int) int {
	end := i
	for end < len(p) && class[p[end]]&classValue != 0 {
		end++
	}
	if end > i {
		return end
	}
	if i < len(p) && p[i] == '"' {
		return skipQuoted(p, i)
	}
	return -1
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

// AppendWithout appends the parameters but for those named, each as `;name=value` without white space
// around it and unfolded. The names are lower-case.
func (p Params) AppendWithout(dst []byte, names ...string) []byte {
next:
	for n, v, rest := p.Next(); n != nil; n, v, rest = rest.Next() {
		for _, name := range names {
			if foldIs(n, name) {
				continue next
			}
		}
		dst = append(dst, ';')
		dst = append(dst, n...)
		if v != nil {
			dst = append(dst, '=')
			dst = AppendUnfolded(dst, v)
		}
	}
	return dst
}
