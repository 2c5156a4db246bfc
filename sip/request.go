package sip

// Request is what every server reads of a request, decoded once (RFC 3261 §8.1.1, §8.2).
type Request struct {
	*Message
	Target URI // the Request-URI
	Via    Via // the topmost
	From   NameAddr
	To     NameAddr
	CSeq   CSeq
}

// Decode reads the header fields that a request must have. The error names the first that is missing or
// malformed (RFC 3261 §16.3 step 1, §8.2): the answer is 400. A Request-URI that is no URI is reported
// last, so that all that a response mirrors has been read.
func (r *Request) Decode(m *Message) (err error) {
	*r = Request{Message: m}
	note := func(e error, h Header) {
		if err != nil || e == nil {
			return
		}
		if IsMissing(e) {
			e = &SyntaxError{Header: h, Offset: 0, Reason: "missing"}
		}
		err = e
	}
	var e error
	r.Via, e = m.Via()
	note(e, HeaderVia)
	r.From, e = m.From()
	note(e, HeaderFrom)
	r.To, e = m.To()
	note(e, HeaderTo)
	r.CSeq, e = m.CSeq()
	note(e, HeaderCSeq)
	if e == nil && r.CSeq.Method != m.method {
		note(m.within(HeaderCSeq, m.must(HeaderCSeq), 0, "another method than the request's"), HeaderCSeq)
	}
	if id := m.CallID(); len(id) == 0 {
		note(errMissing, HeaderCallID)
	} else if !isCallID(id) {
		note(m.within(HeaderCallID, id, 0, "not a callid"), HeaderCallID)
	}
	var at int
	var reason string
	if r.Target, at, reason = parseURI(m.uri); reason != "" {
		note(&SyntaxError{Offset: m.offset(m.uri) + at, Reason: "Request-URI: " + reason}, HeaderNone)
	}
	return err
}

func (m *Message) must(h Header) []byte {
	v, _ := m.Value(h)
	return v
}

// isCallID tells word [ "@" word ].
func isCallID(b []byte) bool {
	at := -1
	for i, c := range b {
		if c == '@' && at < 0 {
			at = i
			continue
		}
		if !is(c, classWord) {
			return false
		}
	}
	return at != 0 && at != len(b)-1
}

// Answerable reports whether a response can be made for a request that has an error: its topmost Via can
// be read, and it has a From, To, Call-ID and CSeq to mirror (RFC 3261 §8.2.6.2).
func (m *Message) Answerable() bool {
	if m.method == "" || m.method == Ack || !m.Has(HeaderFrom) || !m.Has(HeaderTo) || !m.Has(HeaderCallID) ||
		!m.Has(HeaderCSeq) {
		return false
	}
	_, err := m.Via()
	return err == nil
}
