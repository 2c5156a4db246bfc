package sip

import "bytes"

// Parse reads one message that b holds, as a datagram does: what is behind the body by Content-Length is
// cut off, and without a Content-Length the body goes on to the end (RFC 3261 §18.3). The message refers
// to b until the next Parse.
//
// On a syntax error the error says which header field and offset, counted from the start-line. The
// message then holds what could be read all the same, all of its well-formed lines, so that a request can
// be answered with 400 if [Message.Answerable].
//
// Lines of the header section that end in LF alone are read as if they ended in CRLF, and have it from then on: the
// message then refers to a copy of its own, and offsets are counted there.
func (m *Message) Parse(b []byte) error {
	b = b[skipEmptyLines(b):]
	m.read(b)
	if m.bareLF {
		m.mended = appendMended(m.mended[:0], b)
		m.read(m.mended)
	}
	if m.failed {
		return &m.err
	}
	return nil
}

// read fills the message from b. It ends at the first line that has no CR before its LF.
func (m *Message) read(b []byte) {
	m.reset(b)
	if pos := m.parseStartLine(); pos >= 0 {
		if pos = m.parseFields(pos); pos >= 0 {
			m.bodyStart, m.bodyEnd = pos, len(b)
			m.bound()
		}
	}
}

func (m *Message) reset(b []byte) {
	m.buf = b
	m.fields = m.fields[:0]
	clear(m.first[:])
	clear(m.last[:])
	m.method, m.uri, m.version, m.statusCode, m.reason = "", nil, nil, 0, nil
	m.bodyStart, m.bodyEnd = len(b), len(b)
	m.failed, m.garbled, m.unbounded, m.viaRead, m.bareLF = false, false, false, false, false
	if cap(m.mended) > maxMended {
		m.mended = nil
	}
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
	ends := 1 // lines, the start-line first
	for pos := start; ; {
		if pos == len(b) {
			m.fail(HeaderNone, pos, "no empty line ends the header section")
			m.unbounded = true
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
				m.unbounded = true
				m.checkCR(b[:end], ends)
				return -1
			}
			end += nl + 1
			if nl == 0 || b[end-2] != '\r' {
				m.bareLF = true
				return -1
			}
			ends++
		}
		if len(m.fields) == MaxFields {
			m.fail(HeaderNone, pos, "too many header fields")
			m.err.TooLarge = m.err.Offset == pos
			m.unbounded = true
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
		if !passable(b[pos:end]) {
			m.fail(HeaderNone, pos, "a header field has no name and colon")
		}
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
		if once[h] && m.counts(h) {
			m.fail(h, pos, reasonTwice)
		}
	}
	m.last[h] = n
}

const reasonTwice = "the header field stands twice"

// counts reports whether header field h is one that is read of this message: of a response only what leads it back is.
func (m *Message) counts(h Header) bool { return m.statusCode == 0 || h == HeaderCSeq }

// passable reports whether a line that is no header field may stand in the header section. RFC 3261 §16.3 step 1: what
// nobody here reads is ignored and stays as it is. A fold or a control character could make a header field of it for
// somebody else.
func passable(line []byte) bool {
	line = line[:len(line)-len("\r\n")]
	if foldAt(line, 0) {
		return false
	}
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// bound ends the body by Content-Length (RFC 3261 §18.3). It may stand twice where it says the same.
func (m *Message) bound() {
	first := m.Index(HeaderContentLength)
	for i := first; i >= 0; i = m.Next(i) {
		v := m.slice(&m.fields[i])
		n, over, ok := parseUint(v, uint64(len(m.buf)))
		end := m.bodyStart + int(n)
		switch {
		case !ok:
			m.fail(HeaderContentLength, m.offset(v), "not a number of bytes")
		case i != first && end != m.bodyEnd:
			m.fail(HeaderContentLength, int(m.fields[i].start), reasonTwice)
		case over || end > len(m.buf):
			m.fail(HeaderContentLength, m.offset(v), "the message ends before the body does")
		default:
			m.bodyEnd = end
			continue
		}
		m.unbounded = true
		return
	}
}
