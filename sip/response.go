package sip

import (
	"net/netip"
	"time"
)

// AppendResponse appends the start of a response to req: the status-line and what RFC 3261 §8.2.6.2 has
// mirrored: all Via in order, the topmost with received and rport for the source src, From, To, Call-ID
// and CSeq. The To gets toTag unless it has a tag or toTag is empty (as for 100). An empty reason stands
// for [StatusText]. More header fields may be appended; [AppendEnd] ends it.
func AppendResponse(dst []byte, req *Message, code int, reason string, toTag []byte, src netip.AddrPort) []byte {
	if reason == "" {
		reason = StatusText(code)
	}
	dst = append(dst, "SIP/2.0 "...)
	dst = appendUint(dst, uint64(code))
	dst = append(dst, ' ')
	dst = append(dst, reason...)
	dst = append(dst, "\r\n"...)
	dst = req.appendVias(dst, src)
	dst = req.appendMirrored(dst, HeaderFrom)
	if v, ok := req.Value(HeaderTo); ok {
		dst = append(dst, "To: "...)
		dst = append(dst, v...)
		if len(toTag) > 0 {
			if to, err := req.To(); err != nil || to.Tag() == nil {
				dst = append(dst, ";tag="...)
				dst = append(dst, toTag...)
			}
		}
		dst = append(dst, "\r\n"...)
	}
	dst = req.appendMirrored(dst, HeaderCallID)
	return req.appendMirrored(dst, HeaderCSeq)
}

func (m *Message) appendMirrored(dst []byte, h Header) []byte {
	v, ok := m.Value(h)
	if !ok {
		return dst
	}
	return AppendField(dst, h, v)
}

func (m *Message) appendVias(dst []byte, src netip.AddrPort) []byte {
	for i := m.Index(HeaderVia); i >= 0; i = m.Next(i) {
		value := m.slice(&m.fields[i])
		dst = append(dst, "Via: "...)
		if i == m.Index(HeaderVia) {
			if v, rest, _, reason := nextVia(value); reason == "" {
				dst = v.AppendReceived(dst, src)
				if rest != nil {
					dst = append(dst, ", "...)
					dst = append(dst, trimLWS(rest)...)
				}
				dst = append(dst, "\r\n"...)
				continue
			}
		}
		dst = append(dst, value...)
		dst = append(dst, "\r\n"...)
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

// AppendDate appends a SIP-date: RFC 1123 in GMT (RFC 3261 §20.17).
func AppendDate(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "Mon, 02 Jan 2006 15:04:05 GMT")
}
