package sip

import (
	"bytes"
	"net/netip"
)

// AppendResponse appends the start of a response to req: the status-line and what RFC 3261 §8.2.6.2 has
// mirrored: all Via in order, the topmost with received and rport for the source src, From, To, Call-ID
// and CSeq. The To gets toTag unless it has a tag or toTag is empty (as for 100). An empty reason stands
// for [StatusText]. More header fields may be appended; [AppendEnd] ends it.
func AppendResponse(dst []byte, req *Message, code int, reason string, toTag []byte, src netip.AddrPort) []byte {
	tag := tagging{tag: toTag}
	if len(toTag) > 0 {
		if to, err := req.To(); err == nil {
			tag = to.tagging(toTag)
		}
	}
	return req.appendResponse(dst, code, reason, tag, src)
}

// AppendResponse is [AppendResponse] for a request that is decoded already.
func (r *Request) AppendResponse(dst []byte, code int, reason string, toTag []byte, src netip.AddrPort) []byte {
	return r.appendResponse(dst, code, reason, r.To.tagging(toTag), src)
}

// tagging is a tag that a To is to get: none if tag is empty.
type tagging struct {
	tag []byte
	at  int // in the To, of a tag without a value that this one becomes; 0: it goes to the end
}

// tagging is what gives n a tag: nothing if it has one.
func (n *NameAddr) tagging(tag []byte) tagging {
	if n.tag != nil {
		return tagging{}
	}
	return tagging{tag, n.blank}
}

// append appends a To with its tag.
func (t tagging) append(dst, to []byte) []byte {
	switch at := t.at; {
	case len(t.tag) == 0:
		return append(dst, to...)
	case at > 0:
		dst = append(dst, to[:at]...)
		if to[at-1] != '=' {
			dst = append(dst, '=')
		}
		return append(append(dst, t.tag...), to[at:]...)
	default:
		// What ends in a semicolon of the client's has the one that is needed.
		dst = append(append(dst, bytes.TrimSuffix(to, []byte{';'})...), ";tag="...)
		return append(dst, t.tag...)
	}
}

// appendResponse appends with the To tag given, if any.
func (m *Message) appendResponse(dst []byte, code int, reason string, tag tagging, src netip.AddrPort) []byte {
	if reason == "" {
		reason = StatusText(code)
	}
	dst = append(dst, "SIP/2.0 "...)
	dst = appendUint(dst, uint64(code))
	dst = append(dst, ' ')
	dst = append(dst, reason...)
	dst = append(dst, "\r\n"...)
	dst = m.appendVias(dst, src)
	dst = m.appendMirrored(dst, HeaderFrom)
	if to, ok := m.Value(HeaderTo); ok {
		dst = append(tag.append(append(dst, "To: "...), to), "\r\n"...)
	}
	dst = m.appendMirrored(dst, HeaderCallID)
	return m.appendMirrored(dst, HeaderCSeq)
}

func (m *Message) appendMirrored(dst []byte, h Header) []byte {
	v, ok := m.Value(h)
	if !ok {
		return dst
	}
	return AppendField(dst, h, v)
}

func (m *Message) appendVias(dst []byte, src netip.AddrPort) []byte {
	i := m.Index(HeaderVia)
	if via, rest, err := m.TopVia(); err == nil {
		dst = append(dst, "Via: "...)
		dst = via.AppendReceived(dst, src)
		if rest != nil {
			dst = append(dst, ", "...)
			dst = append(dst, trimLWS(rest)...)
		}
		dst = append(dst, "\r\n"...)
		i = m.Next(i)
	}
	for ; i >= 0; i = m.Next(i) {
		dst = AppendField(dst, HeaderVia, m.slice(&m.fields[i]))
	}
	return dst
}

// AppendField appends a header field with its CRLF.
func AppendField(dst []byte, h Header, value []byte) []byte {
	dst = append(dst, headerNames[h].name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendFieldString is [AppendField] for a value that is a string.
func AppendFieldString(dst []byte, h Header, value string) []byte {
	dst = append(dst, headerNames[h].name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendFieldUint is [AppendField] for a value that is a number.
func AppendFieldUint(dst []byte, h Header, value uint64) []byte {
	dst = append(dst, headerNames[h].name...)
	dst = append(dst, ": "...)
	dst = appendUint(dst, value)
	return append(dst, "\r\n"...)
}

// AppendEnd appends Content-Length, the empty line and the body. A Content-Type is the caller's.
func AppendEnd(dst, body []byte) []byte {
	dst = AppendFieldUint(dst, HeaderContentLength, uint64(len(body)))
	dst = append(dst, "\r\n"...)
	return append(dst, body...)
}
