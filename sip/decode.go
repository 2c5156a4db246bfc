package sip

// within makes the offset of a value's error one of the message.
func (m *Message) within(h Header, value []byte, at int, reason string) error {
	return &SyntaxError{Header: h, Offset: m.offset(value) + at, Reason: reason}
}

// Via decodes the topmost Via (RFC 3261 §20.42). With an error it holds what stands before the error.
func (m *Message) Via() (Via, error) {
	v, _, err := m.TopVia()
	return *v, err
}

// TopVia is [Message.Via] without a copy, and what the header field has behind that value, nil if nothing. Both are the
// message's; they are read once, however often they are asked for.
func (m *Message) TopVia() (v *Via, rest []byte, err error) {
	if m.viaRead {
		return &m.via, m.viaRest, nil
	}
	m.via = Via{}
	value, ok := m.Value(HeaderVia)
	if !ok {
		return &m.via, nil, &missing[HeaderVia]
	}
	rest, at, reason := m.via.parse(value)
	if reason != "" {
		return &m.via, nil, m.within(HeaderVia, value, at, reason)
	}
	m.viaRest, m.viaRead = rest, true
	return &m.via, rest, nil
}

// From decodes the From (RFC 3261 §20.20).
func (m *Message) From() (n NameAddr, err error) {
	err = m.decodeNameAddr(HeaderFrom, &n)
	return n, err
}

// To decodes the To (RFC 3261 §20.39).
func (m *Message) To() (n NameAddr, err error) {
	err = m.decodeNameAddr(HeaderTo, &n)
	return n, err
}

// decodeNameAddr reads the one value of header field h into n, which is zero.
func (m *Message) decodeNameAddr(h Header, n *NameAddr) error {
	value, ok := m.Value(h)
	if !ok {
		return &missing[h]
	}
	if at, reason := n.parseOne(value); reason != "" {
		return m.within(h, value, at, reason)
	}
	return nil
}

// CSeq decodes the CSeq (RFC 3261 §20.16).
func (m *Message) CSeq() (c CSeq, err error) {
	err = m.decodeCSeq(&c)
	return c, err
}

func (m *Message) decodeCSeq(c *CSeq) error {
	value, ok := m.Value(HeaderCSeq)
	if !ok {
		return &missing[HeaderCSeq]
	}
	if at, reason := c.parse(value, m.method); reason != "" {
		return m.within(HeaderCSeq, value, at, reason)
	}
	return nil
}

// checkCallID is nil for a message with a well-formed Call-ID.
func (m *Message) checkCallID() error {
	value, ok := m.Value(HeaderCallID)
	if !ok {
		return &missing[HeaderCallID]
	}
	if at, reason := checkCallID(value); reason != "" {
		return m.within(HeaderCallID, value, at, reason)
	}
	return nil
}
