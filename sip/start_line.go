package sip

import "bytes"

// parseStartLine reads the request-line or status-line and returns the offset behind it, or -1 if nothing
// can be made of the message.
func (m *Message) parseStartLine() int {
	b := m.buf
	nl := bytes.IndexByte(b, '\n')
	if nl < 1 || b[nl-1] != '\r' {
		m.bareLF = nl > 0
		m.fail(HeaderNone, max(nl, 0), "no CRLF ends the start-line")
		return -1
	}
	line := b[:nl-1]
	ok := false
	if len(line) >= 4 && foldIs(line[:4], "sip/") {
		ok = m.parseStatusLine(line)
	} else {
		ok = m.parseRequestLine(line)
	}
	if !ok {
		return -1
	}
	return nl + 1
}

// RFC 3261 §7.1: Method SP Request-URI SP SIP-Version, single spaces and no white space in the URI.
func (m *Message) parseRequestLine(line []byte) (ok bool) {
	i := skipToken(line, 0)
	if i == 0 || i == len(line) || line[i] != ' ' {
		m.fail(HeaderNone, i, "no method and single space begin the request-line")
		return false
	}
	j := bytes.LastIndexByte(line, ' ')
	if j <= i {
		m.fail(HeaderNone, i, "the request-line has no SIP-Version")
		return false
	}
	m.method, m.uri, m.version = methodOf(line[:i]), line[i+1:j], line[j+1:]
	switch {
	case !isVersion(m.version):
		m.version = nil
		m.fail(HeaderNone, j+1, "the request-line does not end in a SIP-Version")
	case len(m.uri) == 0:
		m.fail(HeaderNone, i+1, "the request-line has no Request-URI")
	case m.uri[0] == '<':
		m.fail(HeaderNone, i+1, "a Request-URI stands in no brackets")
	default:
		for at, c := range m.uri {
			if c <= ' ' {
				m.fail(HeaderNone, i+1+at, "white space in the Request-URI")
				break
			}
		}
	}
	return true
}

// RFC 3261 §7.2: SIP-Version SP Status-Code SP Reason-Phrase. The space behind the code is not missed where
// the phrase is empty.
func (m *Message) parseStatusLine(line []byte) (ok bool) {
	i := bytes.IndexByte(line, ' ')
	if i < 0 || !isVersion(line[:i]) {
		m.fail(HeaderNone, 0, "no SIP-Version begins the status-line")
		return false
	}
	rest := line[i+1:]
	if len(rest) < 3 || !all(rest[:3], classDigit) || len(rest) > 3 && rest[3] != ' ' {
		m.fail(HeaderNone, i+1, "the Status-Code is not three digits")
		return false
	}
	code := int(rest[0]-'0')*100 + int(rest[1]-'0')*10 + int(rest[2]-'0')
	if code < 100 || code > 699 {
		m.fail(HeaderNone, i+1, "the Status-Code is not in 100-699")
		return false
	}
	m.version, m.statusCode = line[:i], code
	if len(rest) > 4 {
		m.reason = rest[4:]
	}
	return true
}

// isVersion tells a SIP-Version: "SIP" "/" 1*DIGIT "." 1*DIGIT, in either case.
func isVersion(b []byte) bool {
	if string(b) == "SIP/2.0" {
		return true
	}
	if len(b) < 7 || !foldIs(b[:4], "sip/") {
		return false
	}
	dot := bytes.IndexByte(b, '.')
	return dot > 4 && all(b[4:dot], classDigit) && all(b[dot+1:], classDigit)
}

func (m *Message) appendStartLine(dst []byte) []byte {
	if m.IsRequest() {
		dst = append(dst, m.method...)
		dst = append(dst, ' ')
		dst = append(dst, m.uri...)
		dst = append(dst, ' ')
		dst = append(dst, m.version...)
		return append(dst, "\r\n"...)
	}
	dst = append(dst, m.version...)
	dst = append(dst, ' ')
	dst = appendUint(dst, uint64(m.statusCode))
	dst = append(dst, ' ')
	dst = append(dst, m.reason...)
	return append(dst, "\r\n"...)
}
