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
func (r *Request) Decode(m *Message) error {
	*r = Request{Message: m}
	via, _, err := m.TopVia()
	r.Via = *via
	if e := m.decodeNameAddr(HeaderFrom, &r.From); err == nil {
		err = e
	}
	if e := m.decodeNameAddr(HeaderTo, &r.To); err == nil {
		err = e
	}
	if e := r.decodeCSeq(); err == nil {
		err = e
	}
	if e := m.checkCallID(); err == nil {
		err = e
	}
	if e := r.decodeTarget(); err == nil {
		err = e
	}
	return err
}

// RFC 3261 §8.1.1.5: the method of the CSeq is that of the request.
func (r *Request) decodeCSeq() error {
	if err := r.Message.decodeCSeq(&r.CSeq); err != nil {
		return err
	}
	if r.CSeq.Method != r.method {
		value, _ := r.Value(HeaderCSeq)
		return r.within(HeaderCSeq, value, 0, "another method than the request's")
	}
	return nil
}

func (r *Request) decodeTarget() error {
	at, reason := r.Target.parse(r.uri)
	// RFC 3261 §19.1.1: a Request-URI has no headers.
	if reason == "" && r.Target.Headers != nil {
		at, reason = len(r.uri)-len(r.Target.Headers)-1, "has headers"
	}
	if reason != "" {
		return &SyntaxError{Offset: r.offset(r.uri) + at, Reason: "Request-URI: " + reason}
	}
	return nil
}

// Answerable reports whether a response can be made for a request that has an error: the client must be
// able to match it, by the topmost Via and the CSeq (RFC 3261 §17.1.3), the Via must be readable as far as
// its sent-by, and no byte may be mirrored that makes two lines of one. What else a response mirrors is
// left out where the request has none.
func (m *Message) Answerable() bool {
	if m.method == "" || m.method == Ack || m.garbled || !m.Has(HeaderCSeq) {
		return false
	}
	v, _, err := m.TopVia()
	return err == nil || v.Host != nil
}
