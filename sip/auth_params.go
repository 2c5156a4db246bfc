package sip

// authParams walks auth-param *(COMMA auth-param), as credentials and challenges have them (RFC 3261
// §25.1 auth-param).
type authParams struct {
	b []byte
	i int // where the next one begins; len(b) at the end
}

// digestParams cuts the scheme off; false if it is another than Digest.
func digestParams(b []byte) (p authParams, ok bool) {
	i := skipLWS(b, 0)
	end := skipToken(b, i)
	if !foldIs(b[i:end], "digest") || end == len(b) || !is(b[end], classLWS) {
		return p, false
	}
	return authParams{b, skipLWS(b, end)}, true
}

// next reads one parameter; its value is without quotes. Where it is wrong, p.i is its offset. What is no parameter is
// passed over, up to the next comma: name is nil then.
func (p *authParams) next() (name, value []byte, reason string) {
	b := p.b
	end := skipToken(b, p.i)
	i := skipLWS(b, end)
	if end == p.i || i == len(b) || b[i] != '=' {
		p.skip()
		return nil, nil, ""
	}
	name = b[p.i:end]
	i = skipLWS(b, i+1)
	if i < len(b) && b[i] == '"' {
		if end = skipQuoted(b, i); end < 0 {
			return nil, nil, "a quoted string has no end"
		}
		value = b[i+1 : end-1]
	} else {
		// A token; some clients leave the quotes off a URI or a nonce, so all up to the comma is taken.
		for end = i; end < len(b) && b[end] != ',' && b[end] > ' ' && class[b[end]]&classQuoted != 0; end++ {
		}
		value = b[i:end]
	}
	if i = skipLWS(b, end); i < len(b) {
		if b[i] != ',' {
			return nil, nil, "no comma between parameters"
		}
		i = skipLWS(b, i+1)
	}
	p.i = i
	return name, value, ""
}

// skip moves to what follows the next comma that stands outside quotes.
func (p *authParams) skip() {
	for ; p.i < len(p.b); p.i++ {
		switch p.b[p.i] {
		case ',':
			p.i = skipLWS(p.b, p.i+1)
			return
		case '"':
			end := skipQuoted(p.b, p.i)
			if end < 0 {
				p.i = len(p.b)
				return
			}
			p.i = end - 1
		}
	}
}

// authWriter appends parameters behind their scheme.
type authWriter struct {
	dst  []byte
	some bool // a comma is due
}

// token appends a parameter without quotes, where its value is a token; one that is nil is left out.
func (w *authWriter) token(name string, value []byte) {
	switch {
	case value == nil:
	case all(value, classToken):
		w.name(name)
		w.dst = append(w.dst, value...)
	default:
		w.quoted(name, value)
	}
}

// quoted appends a parameter in quotes, its escapes as they are; one that is nil is left out.
func (w *authWriter) quoted(name string, value []byte) {
	if value == nil {
		return
	}
	w.name(name)
	w.dst = append(w.dst, '"')
	w.dst = append(w.dst, value...)
	w.dst = append(w.dst, '"')
}

func (w *authWriter) name(name string) {
	if w.some {
		w.dst = append(w.dst, ", "...)
	}
	w.some = true
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, '=')
}
