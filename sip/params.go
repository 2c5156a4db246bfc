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

// Reasons that more than one kind of value has.
const (
	reasonMore      = "more than one value"
	reasonDuplicate = "a parameter stands twice"
	reasonTooMany   = "too many parameters"
)

// paramScan reads the parameters behind a value, once: it checks them, and finds the one that is wanted.
type paramScan struct {
	want string // name in lower case
	// results
	params Params // from the first semicolon, no white space behind
	value  []byte // of the wanted one, nil if it is not there
	end    int    // behind the last parameter; where the scan began if there is none
}

// scan reads parameters at i and returns the offset of the comma or end behind them. A reason goes with
// the offset at which they are wrong.
func (p *paramScan) scan(b []byte, i int) (next int, reason string) {
	p.end = i
	i = skipLWS(b, i)
	start := i
	var seen names
	for i < len(b) && b[i] == ';' {
		name := skipLWS(b, i+1)
		nameEnd := skipToken(b, name)
		if nameEnd == name {
			return name, "a parameter has no name"
		}
		// RFC 3261 §7.3.1: a parameter name stands once.
		if reason := seen.add(Params(b[start:i]), b[name:nameEnd]); reason != "" {
			return name, reason
		}
		p.end = nameEnd
		if i = skipLWS(b, nameEnd); i < len(b) && b[i] == '=' {
			value := skipLWS(b, i+1)
			if p.end = skipValue(b, value); p.end < 0 {
				return value, "a parameter has no value, or its quoted string no end"
			}
			if nameEnd-name == len(p.want) && foldIs(b[name:nameEnd], p.want) {
				p.value = b[value:p.end]
			}
			i = skipLWS(b, p.end)
		}
	}
	if i < len(b) && b[i] != ',' {
		return i, "not a semicolon and parameter"
	}
	if p.end < start {
		p.params = Params(b[start:start])
	} else {
		p.params = Params(b[start:p.end])
	}
	return i, ""
}

// names tells whether a parameter name stood before, without looking back at each name.
type names struct {
	bits  uint64 // of a hash of each name so far
	count int
}

// note counts a name, and reports whether it may have stood before.
func (s *names) note(name []byte) (maybe bool) {
	bit := uint64(1) << ((uint(len(name))*7 + uint(name[0]|0x20) + uint(name[len(name)-1]|0x20)) & 63)
	maybe = s.bits&bit != 0
	s.bits |= bit
	s.count++
	return maybe
}

// add counts the name of the parameter behind those in before; a reason if it is one of them already, or
// one too many.
func (s *names) add(before Params, name []byte) (reason string) {
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

// cutRest returns what is behind the comma at end; nil if end is the end of b.
func cutRest(b []byte, end int) (rest []byte, at int, reason string) {
	if end == len(b) {
		return nil, 0, ""
	}
	rest = b[end+1:]
	if skipLWS(rest, 0) == len(rest) {
		return nil, end, "nothing behind the comma"
	}
	return rest, 0, ""
}
