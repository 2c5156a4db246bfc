package sip

// Params is a list of parameters as it stands behind a header field's value, from its first semicolon
// (RFC 3261 §25.1 generic-param): `;expires=60;q="x;y"`. The zero value is an empty list. Names are
// compared without their case.
type Params []byte

// Next returns the first parameter of p and what is behind it. The value is without white space around
// it and, for a quoted string, with its quotes; it is nil for a parameter without "=". At the end, or at
// something that is no parameter, name is nil. A semicolon that no parameter follows is passed over.
func (p Params) Next() (name, value []byte, rest Params) {
	i := skipLWS(p, 0)
	if i >= len(p) || p[i] != ';' {
		return nil, nil, nil
	}
	i = skipLWS(p, i+1)
	for i < len(p) && p[i] == ';' {
		i = skipLWS(p, i+1)
	}
	end := skipName(p, i)
	if end == i {
		return nil, nil, nil
	}
	name = p[i:end]
	i = skipLWS(p, end)
	if i >= len(p) || p[i] != '=' {
		return name, nil, p[i:]
	}
	i = skipLWS(p, i+1)
	end = skipValue(p, i, true)
	if end < 0 {
		return nil, nil, nil
	}
	return name, p[i:end], p[skipLWS(p, end):]
}

// skipName returns the offset after the name of a parameter: a token, or what stands for one up to its "=".
func skipName(p []byte, i int) int {
	for i < len(p) && class[p[i]]&classToken != 0 {
		i++
	}
	if i == len(p) || p[i] == '=' || p[i] == ';' {
		return i
	}
	return skipOddName(p, i)
}

func skipOddName(p []byte, i int) int {
	for i < len(p) && p[i] != '=' && isOdd(p[i]) {
		i++
	}
	return i
}

// skipValue returns the offset after a gen-value: token, host (with the brackets of IPv6) or quoted string; or after
// what stands for one, which may be nothing, or in angle brackets if angled says that nothing else can be there. -1
// for a quoted string without an end.
func skipValue(p []byte, i int, angled bool) int {
	end := i
	for end < len(p) && class[p[end]]&classValue != 0 {
		end++
	}
	switch {
	case end == len(p) || p[end] == ';':
		return end
	case end > i:
	case p[i] == '"':
		return skipQuoted(p, i)
	case angled:
		end = skipAngled(p, i)
	}
	return skipOdd(p, end)
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
// around it and unfolded, a value that is none of the grammar in quotes, and without those whose name is no token.
// The names are lower-case.
func (p Params) AppendWithout(dst []byte, names ...string) []byte {
next:
	for n, v, rest := p.Next(); n != nil; n, v, rest = rest.Next() {
		for _, name := range names {
			if foldIs(n, name) {
				continue next
			}
		}
		dst = AppendParam(dst, n, v)
	}
	return dst
}

// AppendParam appends one parameter as [Params.Next] gave it, as [Params.AppendWithout] does.
func AppendParam(dst, name, value []byte) []byte {
	if !all(name, classToken) {
		return dst
	}
	dst = append(append(dst, ';'), name...)
	if value != nil {
		dst = append(dst, '=')
		dst = appendValue(dst, value)
	}
	return dst
}
