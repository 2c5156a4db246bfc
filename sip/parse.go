package sip

import "bytes"

// Parse reads one message that b holds, as a datagram does: what is behind the body by Content-Length is
// cut off, and without a Content-Length the body goes on to the end (RFC 3261 §18.3). The message refers
// to b until the next Parse.
//
// On a syntax error the error says which header field and offset, counted from the start-line. The
// message then holds what could be read all the same, all of its well-formed lines, so that a request can
// be answered with 400 if [Message.Answerable].
func (m *Message) Parse(b []byte) error {
	// RFC 3261 §7.5: CRLFs before the start-line are ignored.
	for len(b) > 1 && b[0] == '\r' && b[1] == '\n' {
		b = b[2:]
	}
	m.reset(b)
	if pos := m.parseStartLine(); pos >= 0 {
		if pos = m.parseFields(pos); pos >= 0 {
			m.bodyStart, m.bodyEnd = pos, len(b)
			m.bound()
		}
	}
	if m.failed {
		return &m.err
	}
	return nil
}

func (m *Message) reset(b []byte) {
	m.buf = b
	m.fields = m.fields[:0]
	clear(m.first[:])
	clear(m.last[:])
	m.method, m.uri, m.version, m.statusCode, m.reason = "", nil, nil, 0, nil
	m.bodyStart, m.bodyEnd = len(b), len(b)
	m.failed, m.garbled, m.viaRead = false, false, false
}

// fail notes the first error of a message.
func (m *Message) fail(h Header, offset int, reason string) {
	if !m.failed {
		m.failed = true
		m.err = SyntaxError{Header: h, Offset: offset, Reason: reason}
	}
}

// parseFields reads the header fields up to the empty line and returns the offset of the body, or -1 if
// the header section never ends or has more fields than we keep.
func (m *Message) parseFields(start int) int {
	b := m.buf
	ends := 1 // lines that end in CRLF, the start-line's first
	for pos := start; ; {
		if pos == len(b) {
			m.fail(HeaderNone, pos, "no empty line ends the header section")
			m.checkCR(b[:pos], ends)
			return -1
		}
		if b[pos] == '\r' && pos+1 < len(b) && b[pos+1] == '\n' {
			m.checkCR(b[:pos], ends)
			return pos + 2
		}
		end := pos
		// RFC 3261 §7.3.1: a line that begins with white space goes on with the one before.
		for end == pos || foldAt(b, end) {
			nl := bytes.IndexByte(b[end:], '\n')
			if nl < 0 {
				m.fail(HeaderNone, pos, "no CRLF ends a header field")
				m.checkCR(b[:end], ends)
				return -1
			}
			end += nl + 1
			if nl == 0 || b[end-2] != '\r' {
				m.fail(HeaderNone, end-1, "a line ends in LF without CR")
				m.garbled = m.garbled || foldAt(b, end)
			} else {
				ends++
			}
		}
		if len(m.fields) == MaxFields {
			m.fail(HeaderNone, pos, "too many header fields")
			m.err.TooLarge = m.err.Offset == pos
			m.checkCR(b[:end], ends)
			return -1
		}
		m.parseField(pos, end)
		pos = end
	}
}

// foldAt reports whether the line that begins at i goes on with the one before.
func foldAt(b []byte, i int) bool { return i < len(b) && (b[i] == ' ' || b[i] == '\t') }

// checkCR looks for a CR in the header section that no LF follows: others may take it for the end of a
// line. The section has so many CRLFs.
func (m *Message) checkCR(head []byte, crlfs int) {
	if bytes.Count(head, carriageReturn) == crlfs {
		return
	}
	m.garbled = true
	for i, c := range head {
		if c == '\r' && (i+1 == len(head) || head[i+1] != '\n') {
			m.fail(HeaderNone, i, "a CR without LF")
			return
		}
	}
}

var carriageReturn = []byte{'\r'}

// parseField adds the header field of b[pos:end], or notes what is wrong with it.
func (m *Message) parseField(pos, end int) {
	b := m.buf[:end]
	nameEnd := skipToken(b, pos)
	colon := nameEnd
	for colon < end && (b[colon] == ' ' || b[colon] == '\t') {
		colon++
	}
	if nameEnd == pos || colon == end || b[colon] != ':' {
		m.fail(HeaderNone, pos, "a header field has no name and colon")
		return
	}
	value, valueEnd := colon+1, end
	for valueEnd > value && class[b[valueEnd-1]]&classLWS != 0 {
		valueEnd--
	}
	for value < valueEnd && class[b[value]]&classLWS != 0 {
		value++
	}
	h := HeaderOf(b[pos:nameEnd])
	m.fields = append(m.fields, field{start: uint32(pos), nameEnd: uint32(nameEnd), value: uint32(value),
		valueEnd: uint32(valueEnd), end: uint32(end), header: h})
	n := uint16(len(m.fields))
	if m.first[h] == 0 {
		m.first[h] = n
	} else {
		m.fields[m.last[h]-1].next = n
		if once[h] {
			m.fail(h, pos, "the header field stands twice")
		}
	}
	m.last[h] = n
}

// bound ends the body by Content-Length (RFC 3261 §18.3).
func (m *Message) bound() {
	v, ok := m.Value(HeaderContentLength)
	if !ok {
		return
	}
	n, over, ok := parseUint(v, uint64(len(m.buf)))
	switch {
	case !ok:
		m.fail(HeaderContentLength, m.offset(v), "not a number of bytes")
	case over || int(n) > len(m.buf)-m.bodyStart:
		m.fail(HeaderContentLength, m.offset(v), "the message ends before the body does")
	default:
		m.bodyEnd = m.bodyStart + int(n)
	}
}
