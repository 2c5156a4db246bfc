package sip

import "errors"

// errMissing is what the accessors of a Message give where a header field is not there.
var errMissing = errors.New("sip: the header field is missing")

// IsMissing reports whether err says that a header field is not there, and not that it is malformed.
func IsMissing(err error) bool { return errors.Is(err, errMissing) }

// within makes the offset of a value's error one of the message.
func (m *Message) within(h Header, value []byte, at int, reason string) error {
	return &SyntaxError{Header: h, Offset: m.offset(value) + at, Reason: reason}
}

// Via decodes the topmost Via (RFC 3261 §20.42).
func (m *Message) Via() (Via, error) {
	value, ok := m.Value(HeaderVia)
	if !ok {
		return Via{}, errMissing
	}
	v, _, at, reason := nextVia(value)
	if reason != "" {
		return Via{}, m.within(HeaderVia, value, at, reason)
	}
	return v, nil
}

// From decodes the From (RFC 3261 §20.20).
func (m *Message) From() (NameAddr, error) { return m.nameAddr(HeaderFrom) }

// To decodes the To (RFC 3261 §20.39).
func (m *Message) To() (NameAddr, error) { return m.nameAddr(HeaderTo) }

func (m *Message) nameAddr(h Header) (NameAddr, error) {
	value, ok := m.Value(h)
	if !ok {
		return NameAddr{}, errMissing
	}
	n, rest, at, reason := nextNameAddr(value)
	if reason == "" && rest != nil {
		at, reason = len(value)-len(rest), "more than one value"
	}
	if reason != "" {
		return NameAddr{}, m.within(h, value, at, reason)
	}
	return n, nil
}

// CSeq decodes the CSeq (RFC 3261 §20.16).
func (m *Message) CSeq() (CSeq, error) {
	value, ok := m.Value(HeaderCSeq)
	if !ok {
		return CSeq{}, errMissing
	}
	c, at, reason := parseCSeq(value)
	if reason != "" {
		return CSeq{}, m.within(HeaderCSeq, value, at, reason)
	}
	return c, nil
}

// CallID returns the Call-ID, compared byte by byte with its case (RFC 3261 §20.8); nil if there is none.
func (m *Message) CallID() []byte {
	v, _ := m.Value(HeaderCallID)
	return v
}

// Values walks the values of a header field that is a comma list, over all its lines in order, for
// those whose values are name-addr (Contact, Route, Record-Route, Path, Service-Route).
type Values struct {
	m    *Message
	h    Header
	i    int    // of the field that rest stands in
	rest []byte // nil when the field is read
	NameAddr
	err error
}

// Values returns the values of header field h, before the first.
func (m *Message) Values(h Header) Values { return Values{m: m, h: h, i: -1} }

// Next reads the next value into v.NameAddr; false at the end, or at an error, which Err then gives.
func (v *Values) Next() bool {
	if v.err != nil {
		return false
	}
	if v.rest == nil {
		if v.i < 0 {
			v.i = v.m.Index(v.h)
		} else {
			v.i = v.m.Next(v.i)
		}
		if v.i < 0 {
			v.i = v.m.Len() - 1
			return false
		}
		v.rest = v.m.slice(&v.m.fields[v.i])
	}
	value := v.rest
	n, rest, at, reason := nextNameAddr(value)
	if reason != "" {
		v.err = v.m.within(v.h, value, at, reason)
		return false
	}
	v.NameAddr, v.rest = n, rest
	return true
}

// Err is the syntax error that ended the walk, nil at its end.
func (v *Values) Err() error { return v.err }

// Tokens walks the tokens of a header field that is a comma list of tokens (Require, Supported, Allow).
type Tokens struct {
	m    *Message
	i    int
	done bool
	rest []byte
}

// Tokens returns the tokens of header field h, before the first.
func (m *Message) Tokens(h Header) Tokens { return Tokens{m: m, i: m.Index(h), done: m.Index(h) < 0} }

// Next returns the next token, nil at the end. An empty element is passed over; what is no token is
// returned as it stands.
func (t *Tokens) Next() []byte {
	for !t.done {
		if t.rest == nil {
			t.rest = t.m.slice(&t.m.fields[t.i])
		}
		one := t.rest
		end := 0
		for end < len(one) && one[end] != ',' {
			end++
		}
		if end < len(one) {
			one, t.rest = one[:end], one[end+1:]
		} else {
			t.rest = nil
			t.i = t.m.Next(t.i)
			t.done = t.i < 0
		}
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
