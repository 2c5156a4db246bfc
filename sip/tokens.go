package sip

import "bytes"

// Tokens walks the tokens of a header field that is a comma list of tokens (Require, Supported, Allow).
type Tokens struct {
	m    *Message
	i    int    // of the field that comes next, -1 if none does
	rest []byte // of the field before it
}

// Tokens returns the tokens of header field h, before the first.
func (m *Message) Tokens(h Header) Tokens { return Tokens{m: m, i: m.Index(h)} }

// Next returns the next token, nil at the end. An empty element is passed over; what is no token is
// returned as it stands.
func (t *Tokens) Next() []byte {
	for t.rest != nil || t.i >= 0 {
		if t.rest == nil {
			t.rest = t.m.slice(&t.m.fields[t.i])
			t.i = t.m.Next(t.i)
		}
		one, rest, found := bytes.Cut(t.rest, []byte{','})
		if !found {
			rest = nil
		}
		t.rest = rest
		if one = trimLWS(one); len(one) > 0 {
			return one
		}
	}
	return nil
}

// HasToken reports whether header field h lists the token, which is lower-case; tokens are compared
// without their case (RFC 3261 §7.3.1).
func (m *Message) HasToken(h Header, token string) bool {
	for t := m.Tokens(h); ; {
		v := t.Next()
		if v == nil {
			return false
		}
		if foldIs(v, token) {
			return true
		}
	}
}
