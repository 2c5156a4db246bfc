package transaction

import "biloxi/sip"

// AppendAck appends the ACK for a response of 300-699 to invite (RFC 3261 §17.1.1.3). It has no body.
func AppendAck(dst []byte, invite, response *sip.Message) []byte {
	to, ok := response.Value(sip.HeaderTo)
	if !ok {
		to, _ = invite.Value(sip.HeaderTo)
	}
	return appendHop(dst, sip.Ack, invite, to)
}

// AppendCancel appends the CANCEL of request (RFC 3261 §9.1). It has no body.
func AppendCancel(dst []byte, request *sip.Message) []byte { return appendCancel(dst, request, nil) }

// appendCancel is AppendCancel with more header fields, whole lines.
func appendCancel(dst []byte, request *sip.Message, fields []byte) []byte {
	to, _ := request.Value(sip.HeaderTo)
	return sip.AppendEnd(append(appendHead(dst, sip.Cancel, request, to), fields...), nil)
}

// appendHop appends a request that goes to the next hop of m and no further, as a part of what m began. It has no body.
func appendHop(dst []byte, method sip.Method, m *sip.Message, to []byte) []byte {
	return sip.AppendEnd(appendHead(dst, method, m, to), nil)
}

// appendHead is appendHop without the end of the header section.
//
// RFC 3261 §9.1, §17.1.1.3: the Request-URI, From, Call-ID, CSeq number and Route of m, and its topmost Via
// alone. An ACK and a CANCEL are requests of their own, with a Max-Forwards of 70 (§8.1.1.6); Require and Proxy-Require are left out.
func appendHead(dst []byte, method sip.Method, m *sip.Message, to []byte) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, m.RequestURI()...)
	dst = append(dst, " SIP/2.0\r\n"...)
	if via, err := m.Via(); err == nil {
		dst = sip.AppendField(dst, sip.HeaderVia, via.Raw())
	}
	if method == sip.Invite {
		dst = appendField(dst, m, sip.HeaderMaxForwards)
	} else {
		dst = sip.AppendFieldUint(dst, sip.HeaderMaxForwards, maxForwards)
	}
	for i := m.Index(sip.HeaderRoute); i >= 0; i = m.Next(i) {
		_, _, value := m.Field(i)
		dst = sip.AppendField(dst, sip.HeaderRoute, value)
	}
	dst = appendField(dst, m, sip.HeaderFrom)
	dst = sip.AppendField(dst, sip.HeaderTo, to)
	dst = appendField(dst, m, sip.HeaderCallID)
	if c, err := m.CSeq(); err == nil {
		c.Method = method
		dst = append(dst, "CSeq: "...)
		dst = c.Append(dst)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

func appendField(dst []byte, m *sip.Message, h sip.Header) []byte {
	if v, ok := m.Value(h); ok {
		dst = sip.AppendField(dst, h, v)
	}
	return dst
}
