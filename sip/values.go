package sip

// Values walks the values of a header field that is a comma list, over all its lines in order, for
// those whose values are name-addr (Contact, Route, Record-Route, Path, Service-Route).
type Values struct {
	m    *Message
	h    Header
	i    int    // of the field that rest stands in; -1 before the first, -2 behind the last
	rest []byte // nil when the field is read
	NameAddr
	err error
}

// Values returns the values of header field h, before the first.
func (m *Message) Values(h Header) Values { return Values{m: m, h: h, i: -1} }

// Next reads the next value into v.NameAddr; false at the end, or at an error, which Err then gives.
func (v *Values) Next() bool {
	if v.err != nil || v.i == -2 {
		return false
	}
	if v.rest == nil {
		if v.i < 0 {
			v.i = v.m.Index(v.h)
		} else {
			v.i = v.m.Next(v.i)
		}
		if v.i < 0 {
			v.i = -2
			return false
		}
		v.rest = v.m.slice(&v.m.fields[v.i])
	}
	value := v.rest
	v.NameAddr = NameAddr{}
	rest, at, reason := v.NameAddr.parse(value)
	if reason != "" {
		v.err = v.m.within(v.h, value, at, reason)
		return false
	}
	v.rest = rest
	return true
}

// Err is the syntax error that ended the walk, nil at its end.
func (v *Values) Err() error { return v.err }

// Vias walks all Via values of a message, topmost first.
type Vias struct {
	m    *Message
	i    int
	rest []byte
	Via
	err error
}

// Vias returns the Via values, before the first.
func (m *Message) Vias() Vias { return Vias{m: m, i: -1} }

// Next reads the next value into v.Via; false at the end, or at an error, which Err then gives.
func (v *Vias) Next() bool {
	if v.err != nil || v.i == -2 {
		return false
	}
	if v.rest == nil {
		if v.i < 0 {
			v.i = v.m.Index(HeaderVia)
		} else {
			v.i = v.m.Next(v.i)
		}
		if v.i < 0 {
			v.i = -2
			return false
		}
		v.rest = v.m.slice(&v.m.fields[v.i])
	}
	value := v.rest
	v.Via = Via{}
	rest, at, reason := v.Via.parse(value)
	if reason != "" {
		v.err = v.m.within(HeaderVia, value, at, reason)
		return false
	}
	v.rest = rest
	return true
}

// Err is the syntax error that ended the walk, nil at its end.
func (v *Vias) Err() error { return v.err }
