package sip

// Values walks the values of a header field that is a comma list, over all its lines in order, for
// those whose values are name-addr (Contact, Route, Record-Route, Path, Service-Route).
type Values struct {
	list
	NameAddr
}

// Values returns the values of header field h, before the first.
func (m *Message) Values(h Header) Values { return Values{list: m.list(h)} }

// Next reads the next value into v.NameAddr; false at the end, or at an error, which Err then gives.
func (v *Values) Next() bool {
	value, ok := v.next()
	if !ok {
		return false
	}
	v.NameAddr = NameAddr{}
	rest, at, reason := v.NameAddr.parse(value)
	return v.read(value, rest, at, reason)
}

// Vias walks all Via values of a message, topmost first.
type Vias struct {
	list
	Via
}

// Vias returns the Via values, before the first.
func (m *Message) Vias() Vias { return Vias{list: m.list(HeaderVia)} }

// Next reads the next value into v.Via; false at the end, or at an error, which Err then gives.
func (v *Vias) Next() bool {
	top := v.rest == nil && v.i == v.m.Index(HeaderVia)
	value, ok := v.next()
	if !ok {
		return false
	}
	if top && v.m.viaRead {
		v.Via = v.m.via
		return v.read(value, v.m.viaRest, 0, "")
	}
	v.Via = Via{}
	rest, at, reason := v.Via.parse(value)
	return v.read(value, rest, at, reason)
}

// list is a place among the values of a header field that is a comma list.
type list struct {
	m    *Message
	h    Header
	i    int    // of the header field that comes next, -1 if none does
	rest []byte // of the one before it, nil when that is read
	err  error
}

func (m *Message) list(h Header) list { return list{m: m, h: h, i: m.Index(h)} }

// next returns where the next value begins, with all that is behind it in its header field; false at the
// end or behind an error. A header field that is empty has no value, but a Via must have one.
func (l *list) next() (value []byte, ok bool) {
	for l.rest == nil || len(l.rest) == 0 && l.h != HeaderVia {
		if l.i < 0 || l.err != nil {
			return nil, false
		}
		l.rest = l.m.slice(&l.m.fields[l.i])
		l.i = l.m.Next(l.i)
	}
	return l.rest, l.err == nil
}

// read moves behind the value, or notes what is wrong with it.
func (l *list) read(value, rest []byte, at int, reason string) bool {
	if reason != "" {
		l.err = l.m.within(l.h, value, at, reason)
		return false
	}
	l.rest = rest
	return true
}

// Err is the syntax error that ended the walk, nil at its end.
func (l *list) Err() error { return l.err }
